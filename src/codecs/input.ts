/** A picture to read: a path stays a path, because sharp reads it faster itself. */
export type Input =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** What sharp opens for an input. */
export function openable(input: Input): string | Uint8Array {
  return input.kind === 'path' ? input.path : input.bytes;
}
