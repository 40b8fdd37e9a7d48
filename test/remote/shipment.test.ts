import { createHash } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shipmentOf } from '../../src/remote/shipment.js';
import { tempDir } from '../support/fixtures.js';

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));

async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  expect(Math.max(...all.map(({ length }) => length))).toBeLessThanOrEqual(256 * 1024);
  return Buffer.concat(all);
}

describe('a picture on its way to a server', () => {
  it('comes in pieces, from any place on, out of a file or memory', async () => {
    const path = join(await tempDir(), 'a.bin');
    await writeFile(path, BYTES);
    for (const input of [{ kind: 'path', path } as const, { kind: 'bytes', bytes: BYTES } as const]) {
      const shipment = await shipmentOf(input);
      expect(shipment.size).toBe(BYTES.length);
      expect(shipment.sha256).toBe(createHash('sha256').update(BYTES).digest('hex'));
      expect((await joined(shipment.pieces(0))).equals(BYTES)).toBe(true);
      expect((await joined(shipment.pieces(200_001))).equals(BYTES.subarray(200_001))).toBe(true);
    }
  });

  it('is refused when its file is another one by then', async () => {
    const path = join(await tempDir(), 'a.bin');
    await writeFile(path, BYTES);
    const shipment = await shipmentOf({ kind: 'path', path });
    await appendFile(path, 'more');
    await expect(joined(shipment.pieces(0))).rejects.toMatchObject({ code: 'E_CHANGED' });
    await writeFile(path, 'less');
    await expect(joined(shipment.pieces(0))).rejects.toMatchObject({ code: 'E_CHANGED' });
  });
});
