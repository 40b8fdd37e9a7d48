import { isDeepStrictEqual } from 'node:util';
import { toImgtoolError } from '../../src/errors.js';
import { recipeJson } from '../../src/recipe.js';
import { errorText } from '../../src/report/text.js';
import type { Watch, WatchedFolder, WatchWork } from '../../src/watch.js';
import { shown } from '../terminal/reporter.js';
import type { WatchFlags, WatchSettings } from '../watch.js';
import type { Teller } from './teller.js';
import { outFor, withRecipe } from './work.js';

interface Following {
  readonly settings: WatchSettings;
  readonly folders: readonly WatchedFolder[];
  readonly work: WatchWork;
  readonly watch: Watch;
  readonly teller: Teller;
  settle(): Promise<WatchSettings>;
}

/** Takes up what changes in the recipe file and the config files while watching, or says why not. */
export async function followSettings(following: Following): Promise<{ close(): Promise<void> }> {
  const { settings, watch, teller } = following;
  if (settings.flags.once) return { close: async () => undefined };
  const { watchFiles } = await import('../../src/watch.js');
  let current = settings;
  let reading: Promise<void> = Promise.resolve();
  const reread = async (): Promise<void> => {
    const next = await following.settle();
    const refusal = await refusalOf(next, current, following);
    if (refusal !== undefined) return teller.settings({ taken: false, reason: refusal });
    if (isDeepStrictEqual(recipeJson(next.recipe), recipeJson(current.recipe))) return;
    current = { ...next, flags: current.flags };
    watch.use(withRecipe(following.work, current, following.folders));
    await teller.settings({ taken: true });
  };
  const refuse = (thrown: unknown): Promise<void> =>
    teller.settings({ taken: false, reason: errorText(toImgtoolError(thrown, 'E_CONFIG')) });
  const files = watchFiles(settings.files, settings.flags.poll, {
    changed: () => {
      reading = reading.then(reread).catch(refuse);
    },
    failed: (thrown) => void refuse(thrown),
  });
  return {
    async close() {
      await files.close();
      await reading;
    },
  };
}

/** Why new settings cannot be taken up while watching: what is not the recipe needs a new start. */
async function refusalOf(
  next: WatchSettings,
  current: WatchSettings,
  { folders, work }: Following,
): Promise<string | undefined> {
  const out = await outFor(next.flags, next.recipe, folders);
  if (out.path !== work.destination.path)
    return `results would go to ${shown(out.path)}; start again to have it so`;
  const differing = (Object.keys({ ...next.flags, ...current.flags }) as (keyof WatchFlags)[]).filter(
    (name) => !isDeepStrictEqual(next.flags[name], current.flags[name]),
  );
  return differing.length > 0 ? `${differing.join(', ')} changed; start again to have it so` : undefined;
}
