/** Results kept for the next one who asks for the same, the least used going first. */
export interface ResultCache<T> {
  get(key: string): T | undefined;
  /** Keeps a result that takes so many bytes; one larger than the whole cache is not kept. */
  put(key: string, result: T, bytes: number): void;
}

/** A cache of at most so many bytes. */
export function resultCache<T>(most: number): ResultCache<T> {
  // a Map keeps the order of insertion, so the first is the one that was used longest ago
  const kept = new Map<string, { readonly result: T; readonly bytes: number }>();
  let held = 0;
  const drop = (key: string): void => {
    held -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  };
  return {
    get(key) {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      kept.delete(key);
      kept.set(key, found);
      return found.result;
    },
    put(key, result, bytes) {
      drop(key);
      if (bytes > most) return;
      kept.set(key, { result, bytes });
      held += bytes;
      for (const [oldest] of kept) {
        if (held <= most) break;
        drop(oldest);
      }
    },
  };
}
