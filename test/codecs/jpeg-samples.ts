import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp, { type ResizeOptions } from 'sharp';

const TOOLS = ['cjpeg', 'djpeg', 'jpegtran'] as const;
const missing = TOOLS.filter((tool) => spawnSync(tool, ['-version']).error !== undefined);

/** Where a test that needs libjpeg's tools may be skipped: on a workstation without them, never in CI. */
export const skipWithoutTools = missing.length > 0 && process.env.CI === undefined;

/** What such a test adds to its name. */
export const needsTools = `(needs ${TOOLS.join(', ')}${missing.length > 0 ? `; missing: ${missing.join(', ')}` : ''})`;

/** Raw interleaved pixels, 8 bits a channel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Buffer;
}

/** A gradient with noise, the same for the same seed: every coefficient of its blocks is in use. */
export function picture(width: number, height: number, seed: number, channels: 1 | 3 = 3): Picture {
  let state = seed;
  const data = Buffer.alloc(width * height * channels);
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const slope = (at / data.length) * 80 + ((at / channels) % width) * (48 / width);
    data[at] = slope + (state >>> 25);
  }
  return { width, height, channels, data };
}

/** The picture opened by sharp. */
export function open({ data, width, height, channels }: Picture) {
  return sharp(data, { raw: { width, height, channels } });
}

/** The picture encoded by libjpeg's cjpeg with its own arguments. */
export function cjpeg(args: readonly string[], { data, width, height, channels }: Picture): Buffer {
  const header = `P${channels === 3 ? 6 : 5}\n${width} ${height}\n255\n`;
  return run('cjpeg', args, Buffer.concat([Buffer.from(header), data]));
}

/** A JPEG rewritten without loss by jpegtran, its scans as `script` says when one is given. */
export function jpegtran(args: readonly string[], jpeg: Buffer, script?: string): Buffer {
  if (script === undefined) return run('jpegtran', args, jpeg);
  const folder = mkdtempSync(join(tmpdir(), 'imgtool-scans-'));
  try {
    const file = join(folder, 'scans.txt');
    writeFileSync(file, script);
    return run('jpegtran', [...args, '-scans', file], jpeg);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The pixels of libjpeg's own reduced decode at 1/8, without any resize after it. */
export function djpegEighth(jpeg: Uint8Array): Buffer {
  return run('djpeg', ['-scale', '1/8', '-pnm'], Buffer.from(jpeg));
}

/** The pixels and size sharp answers with for a resize, strict about damage as the tool is. */
export async function resized(jpeg: Uint8Array, options: ResizeOptions, orient = false): Promise<Buffer> {
  const image = sharp(jpeg, { failOn: 'warning', limitInputPixels: 4_000_000 });
  const turned = orient ? image.autoOrient() : image;
  const { data, info } = await turned.resize(options).raw().toBuffer({ resolveWithObject: true });
  return Buffer.concat([Buffer.from(`${info.width}x${info.height}x${info.channels}:`), data]);
}

/**
 * Scan scripts for jpegtran that are valid for `count` components: DC together or apart, AC bands of any width,
 * successive approximation of 0 to 3 bits, the components' scans in any order that keeps their own.
 */
export function scanScript(count: number): fc.Arbitrary<string> {
  const bands = fc.array(fc.integer({ min: 2, max: 63 }), { maxLength: 3 });
  const ac = fc.array(fc.record({ bands, bits: fc.integer({ min: 0, max: 3 }) }), {
    minLength: count,
    maxLength: count,
  });
  const turns = fc.array(fc.nat({ max: 97 }), { minLength: 20, maxLength: 20 });
  const dc = fc.record({ together: fc.boolean(), bits: fc.integer({ min: 0, max: 2 }) });
  return fc.record({ dc, ac, turns }).map(({ dc, ac, turns }) => {
    const all = Array.from({ length: count }, (_, index) => index);
    const groups = dc.together ? [all.join(' ')] : all.map(String);
    const queues = ac.map(({ bands, bits }, index) => bandScans(index, bands, bits));
    const dcRefined = groups.map((group) => passes(group, 0, 0, dc.bits).slice(1));
    const first = groups.map((group) => `${group}: 0-0, 0, ${dc.bits};`);
    return [...first, ...interleave([...queues, ...dcRefined], turns)].join('\n');
  });
}

function bandScans(component: number, cuts: readonly number[], bits: number): string[] {
  const starts = [...new Set([1, ...cuts])].sort((a, b) => a - b);
  return starts.flatMap((from, index) =>
    passes(String(component), from, (starts[index + 1] ?? 64) - 1, bits),
  );
}

function passes(group: string, from: number, to: number, bits: number): string[] {
  const refinements = Array.from({ length: bits }, (_, index) => [bits - index, bits - index - 1]);
  return [[0, bits], ...refinements].map(([before, bit]) => `${group}: ${from}-${to}, ${before}, ${bit};`);
}

function interleave(queues: string[][], turns: readonly number[]): string[] {
  const merged: string[] = [];
  for (let step = 0; ; step++) {
    const waiting = queues.filter((queue) => queue.length > 0);
    const next = waiting[(turns[step % turns.length] ?? 0) % Math.max(1, waiting.length)]?.shift();
    if (next === undefined) return merged;
    merged.push(next);
  }
}

function run(tool: (typeof TOOLS)[number], args: readonly string[], input: Buffer): Buffer {
  return execFileSync(tool, args, { input, maxBuffer: 64 * 2 ** 20, stdio: ['pipe', 'pipe', 'pipe'] });
}
