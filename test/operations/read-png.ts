import { readFile } from 'node:fs/promises';
import { inflateSync } from 'node:zlib';
import type { Picture } from './naive.js';

/** What a PNG's header says, beside its decoded samples. */
export interface Png extends Picture {
  readonly colourType: number;
  readonly bits: number;
  readonly interlaced: boolean;
  readonly chunks: readonly string[];
}

/** Samples in a pixel by colour type: gray, RGB, palette, gray and alpha, RGB and alpha. */
const SAMPLES: Readonly<Record<number, 1 | 2 | 3 | 4>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Decodes a PNG without sharp. Palettes come back as RGB or RGBA; samples below 8 bits are stretched to 8. */
export async function readPng(path: string): Promise<Png> {
  const file = await readFile(path);
  const chunks = chunksOf(file);
  const header = partOf(chunks, 'IHDR');
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [bits = 0, colourType = 0, , , interlace] = header.subarray(8);
  const info = { colourType, bits, interlaced: interlace === 1, chunks: chunks.map(({ type }) => type) };
  const channels = SAMPLES[colourType] ?? 1;
  if (interlace === 1) return { ...info, width, height, channels, most: 255, data: [] };
  const rows = unfiltered(inflateSync(partOf(chunks, 'IDAT')), width, height, bits, channels);
  const raw = rows.flatMap((row) => samplesOf(row, width * channels, bits));
  const picture = { ...info, width, height, channels, most: bits === 16 ? 65_535 : 255 } as const;
  if (colourType === 3) return { ...picture, ...painted(raw, chunks) };
  const stretch = bits < 8 ? 255 / (2 ** bits - 1) : 1;
  return { ...picture, data: raw.map((value) => value * stretch) };
}

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function chunksOf(file: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
    const data = file.subarray(at + 8, at + 8 + file.readUInt32BE(at));
    chunks.push({ type: file.toString('latin1', at + 4, at + 8), data });
  }
  return chunks;
}

function partOf(chunks: readonly Chunk[], wanted: string): Buffer {
  return Buffer.concat(chunks.filter(({ type }) => type === wanted).map(({ data }) => data));
}

/** The five filters of PNG, 9.2. */
function unfiltered(data: Buffer, width: number, height: number, bits: number, channels: number): Buffer[] {
  const length = Math.ceil((width * channels * bits) / 8);
  const step = Math.max(1, (channels * bits) / 8);
  const rows: Buffer[] = [];
  for (let y = 0; y < height; y += 1) {
    const filter = data[y * (length + 1)];
    const row = Buffer.from(data.subarray(y * (length + 1) + 1, (y + 1) * (length + 1)));
    const above = rows[y - 1] ?? Buffer.alloc(length);
    for (let x = 0; x < length; x += 1) {
      const [left, up, corner] = [row[x - step] ?? 0, above[x] ?? 0, above[x - step] ?? 0];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0;
      row[x] = (row[x] ?? 0) + guess;
    }
    rows.push(row);
  }
  return rows;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  if ((a ?? 0) <= (b ?? 0) && (a ?? 0) <= (c ?? 0)) return left;
  return (b ?? 0) <= (c ?? 0) ? up : corner;
}

function samplesOf(row: Buffer, count: number, bits: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    if (bits === 8) return row[i] ?? 0;
    if (bits === 16) return row.readUInt16BE(2 * i);
    return ((row[Math.floor((i * bits) / 8)] ?? 0) >> (8 - bits - ((i * bits) % 8))) & (2 ** bits - 1);
  });
}

function painted(indices: readonly number[], chunks: readonly Chunk[]): { channels: 3 | 4; data: number[] } {
  const colours = partOf(chunks, 'PLTE');
  const alphas = partOf(chunks, 'tRNS');
  const isOpaque = alphas.length === 0;
  const colour = (i: number) => [
    ...colours.subarray(3 * i, 3 * i + 3),
    ...(isOpaque ? [] : [alphas[i] ?? 255]),
  ];
  return { channels: isOpaque ? 3 : 4, data: indices.flatMap(colour) };
}
