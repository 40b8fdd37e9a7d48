import type { FindContext } from '../io/found.js';
import { type Kind, kindOf } from '../io/kind.js';
import { listing } from '../io/listing.js';
import { below, nameOf, type Place, pathOf } from './place.js';

/** A file or folder met in a folder. */
export interface Content {
  readonly place: Place;
  readonly kind: Exclude<Kind, 'other'>;
}

/** What lies in a folder, hidden entries left out; what cannot be read, or not to its end, is reported. */
export async function* contentsOf(
  folder: Place,
  context: FindContext,
  report: (thrown: unknown) => void,
): AsyncGenerator<Content> {
  for await (const batch of listing(pathOf(folder), report)) {
    for (const entry of batch) {
      if (entry.name.startsWith('.')) continue;
      const place = below(folder, entry.name);
      const kind = await kindOf(entry, { path: pathOf(place), name: nameOf(place) }, context);
      if (kind !== 'other') yield { place, kind };
    }
  }
}
