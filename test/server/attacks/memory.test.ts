import sharp from 'sharp';
import { expect, it, vi } from 'vitest';
import { server } from '../workshop.js';
import { unharmed } from './doors.js';

it('a decoder that a picture of 40 megapixels has swollen is replaced, and another serves on', async () => {
  const at = await server({ limits: { workers: 1, totalMs: 120_000 } });
  const idle = (): readonly number[] => at.service.state().workersIdle;
  await vi.waitFor(() => expect(idle()).toHaveLength(2), { timeout: 20_000 });
  const before = idle().slice();
  const create = { width: 6400, height: 6250, channels: 3, background: 'teal' } as const;
  const body = new Uint8Array(await sharp({ create }).png().toBuffer());
  const response = await fetch(`${at.url}/v1/process?mean=3`, { method: 'POST', body });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
  await vi.waitFor(() => expect(idle()).toHaveLength(2), { timeout: 20_000 });
  // the other one only looked at the header, and handed the picture on
  expect(before.filter((pid) => idle().includes(pid))).toHaveLength(1);
  await unharmed(at);
});
