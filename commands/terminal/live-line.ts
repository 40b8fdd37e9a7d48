/** The live line that stands on the terminal, if any: whatever ends a command must take it away first. */
let standing: (() => void) | undefined;

/** Remembers how to take the live line away. */
export function liveStands(stop: (() => void) | undefined): void {
  standing = stop;
}

/** Takes the live line away, when one stands. */
export function stopLive(): void {
  standing?.();
  standing = undefined;
}
