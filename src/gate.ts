/** A bound on the pixels held in memory at once. */
export interface PixelGate {
  /** Waits for room for so many pixels; the function returned frees them. More than the whole gate holds runs alone. */
  reserve(pixels: number): Promise<() => void>;
}

/** Lets pictures through in the order they come, as long as their pixels together stay within `capacity`. */
export function pixelGate(capacity: number): PixelGate {
  const waiting: { need: number; start: () => void }[] = [];
  let held = 0;
  const admit = (): void => {
    for (let next = waiting[0]; next !== undefined && held + next.need <= capacity; next = waiting[0]) {
      waiting.shift();
      held += next.need;
      next.start();
    }
  };
  return {
    async reserve(pixels) {
      const need = Math.min(pixels, capacity);
      await new Promise<void>((start) => {
        waiting.push({ need, start });
        admit();
      });
      let released = false;
      return () => {
        if (released) return;
        released = true;
        held -= need;
        admit();
      };
    },
  };
}
