import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it; one that is there is fine. Node's own `recursive` never returns where a folder that
 * is there takes no others and the system says ENOENT, as below /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (thrown) {
    if (await isFolder(path)) return;
    if (!lacksParent(thrown, path)) throw thrown;
    await makeFolder(dirname(path));
    await mkdir(path).catch(async (again: unknown) => {
      // another made it meanwhile
      if (!(await isFolder(path))) throw again;
    });
  }
}

function lacksParent(thrown: unknown, path: string): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path;
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}
