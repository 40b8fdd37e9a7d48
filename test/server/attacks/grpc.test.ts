import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { fixture } from '../../support/fixtures.js';
import { ready } from '../decoders.js';
import { collected, failure, grpcClient } from '../grpc-client.js';
import { bytesOf, noise, server } from '../workshop.js';
import { unharmed } from './doors.js';
import { call, session } from './sessions.js';

const SOON = { timeout: 30_000 };
const SERVICE = 'imgtool.v1.ImageService';
const ENDLESS = { json: JSON.stringify({ outputs: [{ format: 'avif', effort: 9, quality: 90 }] }) };
/** `Recipe.steps` is repeated: an empty one takes two bytes. */
const EMPTY_STEP = Buffer.from([0x12, 0]);

/** A message as gRPC frames it: not compressed, its length, itself. */
function message(length: number, bytes: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

describe('a call', () => {
  it('that declares more bytes than it may is refused before they come', async () => {
    const at = await server();
    const stream = call(session(at.url), 'Process');
    stream.write(message(0xffffffff));
    const [trailers] = (await once(stream.resume(), 'response')) as [Record<string, string>];
    expect(Number(trailers['grpc-status'])).toBe(status.RESOURCE_EXHAUSTED);
    await unharmed(at);
  });

  it.each(['Process', 'Size', 'ProcessStream'])(
    'of %s that is never half-closed is ended at the time limit',
    async (method) => {
      const at = await server({ limits: { totalMs: 2000 } });
      const stream = call(session(at.url), method);
      stream.resume().write(message(0));
      await once(stream, 'close');
      await unharmed(at);
    },
  );

  it('that is compressed to a thousandth is refused by what it is', async () => {
    const at = await server({ messageBytes: 4_000_000 });
    const bomb = grpcClient(at.port, SERVICE).unary(
      'Process',
      { image: Buffer.alloc(60_000_000) },
      { gzip: true },
    );
    expect(await failure(bomb)).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    await unharmed(at);
  });

  it.each<[string, Buffer]>([
    ['noise', Buffer.alloc(1000, 0xff)],
    ['a field that is longer than its message', Buffer.from([0x12, 0xff, 0xff, 0x03, 1])],
  ])('with %s as its message is refused', async (_, bytes) => {
    const at = await server();
    const stream = call(session(at.url), 'Process');
    stream.end(message(bytes.length, bytes));
    const [headers] = (await once(stream.resume(), 'response')) as [Record<string, string>];
    expect([status.INTERNAL, status.INVALID_ARGUMENT]).toContain(Number(headers['grpc-status']));
    await unharmed(at);
  });

  it.each<[string, string, Buffer]>([
    ['steps', 'Process', nested(0x0a, EMPTY_STEP)],
    ['outputs', 'Process', nested(0x0a, Buffer.from([0x1a, 0]))],
    ['steps in a spec', 'ProcessStream', wrapped(0x0a, nested(0x0a, EMPTY_STEP))],
    ['recipes', 'Process', Buffer.alloc(20_000_000, Buffer.from([0x0a, 2, 0x12, 0]))],
    // a reader that knows a field does not look at its wire type
    ['steps called a number', 'Process', nested(0x08, EMPTY_STEP)],
    ['steps behind a group', 'Process', Buffer.concat([Buffer.from([0x0b, 0]), nested(0x0a, EMPTY_STEP)])],
    [
      'steps under a tag of six bytes',
      'Process',
      Buffer.concat([Buffer.from([0x8a, 0x80, 0x80, 0x80, 0x10]), nested(0x0a, EMPTY_STEP).subarray(1)]),
    ],
    ['groups in groups', 'Process', Buffer.alloc(1_000_000, 0x0b)],
  ])('with millions of %s is refused before they are made', async (_, method, bytes) => {
    const at = await server();
    const before = process.memoryUsage.rss();
    const stream = call(session(at.url), method);
    stream.end(message(bytes.length, bytes));
    const [headers] = (await once(stream.resume(), 'response')) as [Record<string, string>];
    expect(Number(headers['grpc-status'])).toBe(status.INVALID_ARGUMENT);
    expect(process.memoryUsage.rss() - before).toBeLessThan(400e6);
    await unharmed(at);
  });

  it('whose deadline passes, or that is cancelled, while it is decoded frees its place', async () => {
    const at = await server({ limits: { workers: 1, queue: 0 } });
    const client = grpcClient(at.port, SERVICE);
    const slow = { recipe: ENDLESS, image: await noise(1) };
    await ready(at);
    // nor is the connection to take the time of the call
    await client.unary('Process', { image: await bytesOf(fixture('png/rgb.png')) });
    const late = failure(client.unary('Process', slow, { deadlineMs: 3000 }));
    await vi.waitFor(() => expect(at.service.state().running).toBe(1), SOON);
    expect(await late).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await unharmed(at);
    const leaving = client.stream('ProcessStream');
    leaving.on('error', () => undefined);
    leaving.write({ spec: { recipe: ENDLESS } });
    leaving.write({ chunk: { offset: 0, data: slow.image } });
    leaving.end();
    await vi.waitFor(() => expect(at.service.state().running).toBe(1), SOON);
    leaving.cancel();
    await unharmed(at);
  });

  it('whose first message is no spec, or that brings no picture, keeps nothing', async () => {
    const at = await server();
    for (const first of [{ chunk: { offset: 0, data: await bytesOf(fixture('png/rgb.png')) } }, {}]) {
      const stream = grpcClient(at.port, SERVICE).stream('ProcessStream');
      stream.write(first);
      expect(await failure(collected(stream))).toMatchObject({ code: status.INVALID_ARGUMENT });
    }
    await unharmed(at);
  });
});

/** A field of 30 MB that is filled with another. */
function nested(tag: number, field: Buffer): Buffer {
  return wrapped(tag, Buffer.alloc(30_000_000, field));
}

/** A field of bytes with its tag and its length as a varint of five bytes. */
function wrapped(tag: number, bytes: Buffer): Buffer {
  const { length } = bytes;
  const varint = [0, 7, 14, 21].map((shift) => ((length >>> shift) & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([tag, ...varint, (length >>> 28) & 0x0f]), bytes]);
}
