import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setImmediate as breathe } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { server } from '../workshop.js';
import { unharmed } from './doors.js';
import { call, session } from './sessions.js';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** One HTTP/2 frame (RFC 9113, 4.1). */
function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const SETTINGS = frame(4, 0, 0);

const MALFORMED: readonly (readonly [string, readonly Uint8Array[]])[] = [
  ['noise behind the preface', [PREFACE, Buffer.alloc(500, 0xee)]],
  ['a preface with a mistake', [Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'), SETTINGS]],
  ['a frame of 16 MB', [PREFACE, SETTINGS, Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])]],
  ['data of a stream that is none', [PREFACE, SETTINGS, frame(0, 0, 7, Buffer.alloc(9))]],
  ['headers that cannot be unpacked', [PREFACE, SETTINGS, frame(1, 4, 1, Buffer.alloc(50, 0xff))]],
  ['a continuation of nothing', [PREFACE, SETTINGS, frame(9, 4, 1, Buffer.alloc(5))]],
  ['settings of an odd length', [PREFACE, frame(4, 0, 0, Buffer.alloc(5))]],
  [
    'a window that grows past its end',
    [PREFACE, SETTINGS, frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
  ],
  [
    'headers that never end',
    [
      PREFACE,
      SETTINGS,
      frame(1, 0, 1),
      ...Array.from({ length: 2000 }, () => frame(9, 0, 1, Buffer.alloc(64, 0x82))),
    ],
  ],
];

describe('a connection', () => {
  it('that breaks the protocol is ended, in whatever way, and the server serves on', async () => {
    const at = await server({ limits: { totalMs: 3000 } });
    const sockets = await Promise.all(MALFORMED.map(([, bytes]) => raw(at.port, ...bytes)));
    await Promise.all(sockets.map(ended));
    await unharmed(at);
  });

  it('beyond the most there may be is ended at once, and one that leaves makes room', async () => {
    const at = await server({ connections: 200 });
    // few enough that the first are not cut for their silence before the last are there
    const open = await Promise.all(Array.from({ length: 200 }, () => raw(at.port)));
    await ended(await raw(at.port));
    for (const socket of open) expect(socket.closed).toBe(false);
    await Promise.all(open.map((socket) => ended(socket.destroy())));
    await unharmed(at);
  });

  it('that opens and resets streams without end is ended, while others are served', async () => {
    const at = await server();
    const before = process.memoryUsage.rss();
    const attacker = session(at.url);
    const gone = new Promise((resolve) => attacker.once('close', resolve));
    for (let count = 0; count < 20_000 && !attacker.closed && !attacker.destroyed; count += 1) {
      call(attacker, 'ProcessStream').close(constants.NGHTTP2_CANCEL);
      if (count % 100 === 0) await breathe();
    }
    await gone;
    await unharmed(at);
    // both ends of the attack live in this process
    expect(process.memoryUsage.rss() - before).toBeLessThan(500e6);
  });
});

/** A raw connection that has said these bytes. */
async function raw(port: number, ...bytes: readonly Uint8Array[]): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(Buffer.concat(bytes));
  return socket;
}

/** Resolves when the other side has ended the connection. */
function ended(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
}
