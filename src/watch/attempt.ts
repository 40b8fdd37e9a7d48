import { ImgtoolError } from '../errors.js';
import type { Outcome } from '../outcome.js';
import { outcomeOf } from '../picture.js';
import { itemFor } from '../targets.js';
import type { Claims } from './claims.js';
import type { WatchWork } from './options.js';
import { type Place, pathOf, sourceAt } from './place.js';
import { type Look, lookOf, statsAt } from './steady.js';

/**
 * Processes the picture at a place as it stood at a look. Throws E_CHANGED, with nothing written, when it stands
 * differently by the time its results are ready: they may be a mix of old and new.
 */
export async function attempt(place: Place, look: Look, work: WatchWork, claims: Claims): Promise<Outcome> {
  const source = sourceAt(place);
  await work.naming.survey?.(source);
  const claim = claims.claim(await itemFor(source, work.naming), pathOf(place), work);
  try {
    const careful = { ...work, beforeWrite: () => refuseChanged(place, look) };
    return await outcomeOf(claim.item, careful, claim.names);
  } finally {
    claim.release();
  }
}

async function refuseChanged(place: Place, look: Look): Promise<void> {
  const path = pathOf(place);
  const stats = await statsAt(path);
  if (stats !== undefined && lookOf(path, stats).key === look.key) return;
  throw new ImgtoolError(
    'E_CHANGED',
    'expected a file that stays as it is while it is read, received a newer one',
    {
      stage: 'read',
    },
  );
}
