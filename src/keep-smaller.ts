import { keepsAllMetadata } from './codecs/bare.js';
import { bytesOf } from './codecs/input.js';
import type { Group, Job, Target } from './groups.js';

/**
 * The bytes of the input itself, where they do in place of a result of `size` bytes: no pixel was to change, the new
 * file is not smaller, and the metadata policy would take nothing away. Undefined elsewhere.
 */
export async function originalNoLarger(
  job: Job,
  group: Group,
  target: Target,
  size: number,
): Promise<Uint8Array | undefined> {
  if (!isUntouched(job, group, target)) return undefined;
  const bytes = await bytesOf(job.input);
  const stays = bytes.length <= size && keepsAllMetadata(bytes, job.header, target.options.metadata);
  return stays ? bytes : undefined;
}

function isUntouched({ header, recipe, lenient }: Job, group: Group, { format, shape }: Target): boolean {
  const isTurned = recipe.autoOrient && header.orientation !== 1;
  const isConverted = header.space === 'cmyk' || (header.icc !== undefined && !group.keepProfile);
  const isWhole = group.frames === header.frames && !lenient;
  return (
    format === header.format && isWhole && !isTurned && !isConverted && isUndrawn(header.shape, group, shape)
  );
}

function isUndrawn(before: Target['shape'], { passes }: Group, after: Target['shape']): boolean {
  const isSameSize = before.width === after.width && before.height === after.height;
  return isSameSize && passes.every((pass) => pass.kind === 'draw' && pass.steps.length === 0);
}
