import type { Component } from './jpeg-markers.js';
import { type ProgressiveJpeg, readProgressive, type Scan } from './jpeg-progressive.js';

/**
 * Cuts the scans out of a progressive JPEG that a decode at libjpeg scale 1/8 does not use.
 *
 * The result decodes at 1/8 to the very same pixels and metadata, at a fraction of the cost; at any other it is
 * wrong, so ask {@link eighthApplies} first. Undefined on any doubt (baseline, arithmetic, hierarchical,
 * truncated, malformed, inexact coefficients): then the original bytes are to be used. Damage inside a scan
 * that is cut is not seen. The input is not changed and not kept.
 */
export function keepScansForEighth(jpeg: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  const layout = readProgressive(bytes);
  const table = layout && tableWithoutSmoothing(layout);
  const first = layout?.scans[0];
  if (layout === undefined || table === undefined || first === undefined) return undefined;
  const kept = scansToKeep(layout);
  const parts = [bytes.subarray(0, first.start), table.segment, ...without(bytes, first.start, layout, kept)];
  const smaller = Buffer.concat(parts);
  smaller[table.slotAt] = table.slot;
  return smaller.length < bytes.length ? smaller : undefined;
}

/** Sizes in pixels as stored in the file, before EXIF orientation. */
export interface StoredSize {
  readonly width: number;
  readonly height: number;
}

/** The part of sharp's resize options that decides the scale a JPEG is loaded at. */
export interface ResizeRequest {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly fit?: 'cover' | 'contain' | 'fill' | 'inside' | 'outside' | undefined;
}

/**
 * Whether sharp 0.35 loads a JPEG at exactly 1/8 for a plain resize: `fastShrinkOnLoad` as by default, no trim,
 * no extract or rotation before the resize, no gamma, no gain map kept, no `pipelineColourspace`, no
 * `withoutReduction`. It does when the smaller of both axes' shrink factors is 9 or more (from 8 to 9 it takes
 * 1/4, because libjpeg rounds sizes up).
 *
 * `turned` tells whether auto-orientation swaps the axes (EXIF orientation 5 to 8); undefined means not
 * known, and then it must hold both ways.
 */
export function eighthApplies(
  stored: StoredSize,
  resize: ResizeRequest,
  turned: boolean | undefined,
): boolean {
  const { width, height } = resize;
  const upright = () => commonShrink(stored, resize) >= 9;
  const swapped = () => commonShrink(stored, { ...resize, width: height, height: width }) >= 9;
  return (turned === true || upright()) && (turned === false || swapped());
}

/** The shrink factor that both axes share, as sharp's ResolveShrink finds it; 1 when nothing is asked for. */
function commonShrink(stored: StoredSize, { width, height, fit = 'cover' }: ResizeRequest): number {
  const across = width === undefined ? undefined : stored.width / width;
  const down = height === undefined ? undefined : stored.height / height;
  const shrink = both(across, down, fit);
  // An axis is never shrunk below one pixel.
  return Number.isFinite(shrink) ? Math.min(shrink, stored.width, stored.height) : 1;
}

function both(across: number | undefined, down: number | undefined, fit: ResizeRequest['fit']): number {
  if (across === undefined || down === undefined) return fit === 'fill' ? 1 : (across ?? down ?? 1);
  return fit === 'contain' || fit === 'inside' ? Math.max(across, down) : Math.min(across, down);
}

/**
 * libjpeg decodes a component at the largest power of two, up to 8, that its sampling factors allow without
 * upsampling (jpeg_calc_output_dimensions). At 1/8 one that is decoded to one pixel a block uses its DC
 * coefficient only; from two pixels on, the reduced transforms use high coefficients too.
 */
function usesDcOnly({ h, v }: Component, components: readonly Component[]): boolean {
  const widest = Math.max(...components.map((component) => component.h));
  const tallest = Math.max(...components.map((component) => component.v));
  return widest % (2 * h) !== 0 || tallest % (2 * v) !== 0;
}

function scansToKeep({ components, scans }: ProgressiveJpeg): ReadonlySet<Scan> {
  const dcOnly = components.map((component) => usesDcOnly(component, components));
  return new Set(scans.filter((scan) => scan.from === 0 || scan.components.some((index) => !dcOnly[index])));
}

/** What remains after `from` when the other scans go: tables, comments and bytes after EOI all stay. */
function without(bytes: Buffer, from: number, { scans }: ProgressiveJpeg, kept: ReadonlySet<Scan>): Buffer[] {
  const parts: Buffer[] = [];
  let at = from;
  for (const scan of scans.filter((candidate) => !kept.has(candidate))) {
    parts.push(bytes.subarray(at, scan.start));
    at = scan.end;
  }
  return [...parts, bytes.subarray(at)];
}

/**
 * A DQT segment whose AC entries are zero, for a component that uses its DC only: libjpeg smooths between
 * blocks when AC bits are missing, unless any component's table has a zero among the low entries. Where a
 * component that needs its AC shares the table, the zeros go to a slot of their own, and the frame is to name it.
 */
function tableWithoutSmoothing({ components, quantization }: ProgressiveJpeg) {
  const dcOnly = components.find((component) => usesDcOnly(component, components));
  const table = dcOnly && quantization.get(dcOnly.slot);
  if (dcOnly === undefined || table === undefined) return undefined;
  const shared = components.some((other) => other.slot === dcOnly.slot && !usesDcOnly(other, components));
  const slot = shared ? freeSlot(components) : dcOnly.slot;
  return slot === undefined ? undefined : { slot, slotAt: dcOnly.slotAt, segment: zeroedTable(table, slot) };
}

function freeSlot(components: readonly Component[]): number | undefined {
  return [0, 1, 2, 3].find((slot) => components.every((component) => component.slot !== slot));
}

function zeroedTable(table: Uint8Array, slot: number): Buffer {
  const segment = Buffer.alloc(4 + table.length);
  const wide = table.length > 65;
  segment.writeUInt16BE(0xffdb, 0);
  segment.writeUInt16BE(2 + table.length, 2);
  segment.writeUInt8((wide ? 0x10 : 0) | slot, 4);
  segment.set(table.subarray(1, wide ? 3 : 2), 5);
  return segment;
}
