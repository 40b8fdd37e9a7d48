import { open } from 'node:fs/promises';

/**
 * Makes the names in a folder durable, as fsync of a file does not. Callers that come while one flush runs share the
 * next: a flush that began before a rename says nothing of it.
 */
export function folderSync(folder: string): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running.then(() => {
      next = undefined;
      running = flush(folder);
      return running;
    });
    return next;
  };
}

async function flush(folder: string): Promise<void> {
  // Windows opens no folders, and needs no such flush
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // some network file systems refuse; their names are as durable as they will be
  } finally {
    await handle?.close();
  }
}
