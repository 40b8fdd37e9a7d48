import sharp from 'sharp';
import { expect, it } from 'vitest';
import { ready } from '../decoders.js';
import { server } from '../workshop.js';
import { unharmed } from './doors.js';

it('a decoder that a picture of 40 megapixels has swollen is replaced, and another serves on', async () => {
  const at = await server({ limits: { workers: 1, totalMs: 120_000 } });
  const before = await ready(at);
  const create = { width: 6400, height: 6250, channels: 3, background: 'teal' } as const;
  const body = new Uint8Array(await sharp({ create }).png().toBuffer());
  const response = await fetch(`${at.url}/v1/process?mean=3`, { method: 'POST', body });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
  const after = await ready(at);
  // the other one only looked at the header, and handed the picture on
  expect(before.filter((pid) => after.includes(pid))).toHaveLength(1);
  await unharmed(at);
});
