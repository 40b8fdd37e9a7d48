import { readFile } from 'node:fs/promises';
import type { DrawPass } from '../plan.js';
import type { Header } from './header.js';
import type { Input } from './input.js';
import { eighthApplies, keepScansForEighth } from './jpeg-scans.js';

/**
 * A progressive JPEG that will be decoded at an eighth of its size, without the scans that size does not use: the
 * same pixels for a fraction of the work. Any other input comes back as it is.
 */
export async function withoutUnusedScans(
  input: Input,
  header: Header,
  first: DrawPass,
  autoOrient: boolean,
): Promise<Input> {
  if (header.format !== 'jpeg' || !header.progressive) return input;
  const [step] = first.steps;
  // only a plain resize that comes first is known to shrink on load
  if (step === undefined || step.setting !== 'resize' || step.fills === undefined) return input;
  const turned = autoOrient && header.orientation >= 5;
  if (!eighthApplies(header.stored, { ...step.fills, fit: 'fill' }, turned)) return input;
  const bytes = input.kind === 'bytes' ? input.bytes : await readFile(input.path);
  return { kind: 'bytes', bytes: keepScansForEighth(bytes) ?? bytes };
}
