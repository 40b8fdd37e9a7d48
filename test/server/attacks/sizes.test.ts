import { connect, type Socket } from 'node:net';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { fixture } from '../../support/fixtures.js';
import { ready } from '../decoders.js';
import { bytesOf, noise, server } from '../workshop.js';
import { unharmed } from './doors.js';
import { call, session } from './sessions.js';

/** Raw pixels of 27 MB, more than the sockets of a loopback connection hold. */
const LARGE = '/v1/process?format=npy';
const SIDE = 3000;
const SOON = { timeout: 30_000 };

/** A client that asks for a large answer, and takes nothing of it but its first bytes. */
function reluctant(port: number, picture: Uint8Array): Promise<{ socket: Socket; taken(): Promise<number> }> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(
    `POST ${LARGE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${picture.length}\r\n\r\n`,
  );
  socket.write(picture);
  let bytes = 0;
  const taken = (): Promise<number> =>
    new Promise((resolve) => {
      socket.once('close', () => resolve(bytes));
      socket.resume();
    });
  return new Promise((resolve) => {
    socket.on('data', (data) => {
      if (bytes === 0) {
        socket.pause();
        resolve({ socket, taken });
      }
      bytes += data.length;
    });
  });
}

describe('a client that does not read its answer', () => {
  it('is cut off at the time limit, having held no place but its connection', async () => {
    const at = await server({ connections: 1, limits: { workers: 1, queue: 0, totalMs: 5000 } });
    await ready(at);
    const { taken } = await reluctant(at.port, await noise(1, SIDE));
    // it has the one connection there may be, and the one worker is free
    await expect(fetch(`${at.url}/livez`)).rejects.toThrow();
    await vi.waitFor(() => expect(at.service.state()).toMatchObject({ running: 0, workersBusy: [] }), SOON);
    await vi.waitFor(() => fetch(`${at.url}/livez`), { ...SOON, interval: 100 });
    expect(await taken()).toBeLessThan(SIDE * SIDE * 3);
    await unharmed(at);
  });

  it('is cut off when too many bytes wait for such clients, the oldest first', async () => {
    const at = await server({ limits: { totalMs: 60_000 } });
    // plain, so that none of them waits long for its turn
    const create = { width: SIDE, height: SIDE, channels: 3, background: 'teal' } as const;
    const picture = await sharp({ create }).jpeg().toBuffer();
    const clients = [];
    for (let count = 0; count < 12; count += 1) clients.push(await reluctant(at.port, picture));
    const [first, last] = [clients[0], clients.at(-1)];
    expect(await first?.taken()).toBeLessThan(SIDE * SIDE * 3);
    expect(await last?.taken()).toBeGreaterThan(SIDE * SIDE * 3);
    for (const { socket } of clients) socket.destroy();
    await unharmed(at);
  });

  it('over gRPC is cut off when it opens no window', async () => {
    const at = await server({ limits: { totalMs: 2000 } });
    const image = await bytesOf(fixture('png/rgb.png'));
    const stream = call(session(at.url, { initialWindowSize: 0 }), 'Process');
    const field = Buffer.concat([
      Buffer.from([0x12, 0x80 | (image.length & 0x7f), image.length >> 7]),
      image,
    ]);
    expect(image.length).toBeLessThan(2 ** 14);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(field.length, 1);
    stream.end(Buffer.concat([head, field]));
    await new Promise((closed) => stream.once('close', closed));
    await unharmed(at);
  });
});

/** What is said on a raw connection, and what is answered when it has ended. */
function spoken(port: number, ...said: readonly (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve(answer));
    for (const bytes of said) socket.write(bytes);
    socket.end();
  });
}

const POST = 'POST /v1/process?thumb=10 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';

describe('a body', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['that is shorter than it says', [`${POST}Content-Length: 1000\r\n\r\n`, 'short'], /^(HTTP\/1\.1 4|$)/],
    ['of 1e15 bytes', [`${POST}Content-Length: 1000000000000000\r\n\r\n`], /^HTTP\/1\.1 413/],
    ['of less than nothing', [`${POST}Content-Length: -1\r\n\r\n`], /^HTTP\/1\.1 400/],
    [
      'in chunks of no number',
      [`${POST}Transfer-Encoding: chunked\r\n\r\n`, 'zz\r\nxx\r\n'],
      /^(HTTP\/1\.1 4|$)/,
    ],
    [
      'in a chunk of 2^64',
      [`${POST}Transfer-Encoding: chunked\r\n\r\n`, 'ffffffffffffffffff\r\n'],
      /^(HTTP\/1\.1 4|$)/,
    ],
    [
      'in chunks that do not end',
      [`${POST}Transfer-Encoding: chunked\r\n\r\n`, '5\r\nshort\r\n'],
      /^(HTTP\/1\.1 4|$)/,
    ],
    [
      'in parts without an end',
      [
        `${POST}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 60\r\n\r\n`,
        '--x\r\nContent-Disposition: form-data; name="image"; filename="a"',
      ],
      /^(HTTP\/1\.1 4|$)/,
    ],
    [
      'in parts without a boundary',
      [`${POST}Content-Type: multipart/form-data\r\nContent-Length: 5\r\n\r\n`, '--x\r\n'],
      /^HTTP\/1\.1 4/,
    ],
  ])('%s is refused, and nothing of it is kept', async (_, said, answer) => {
    const at = await server({ limits: { totalMs: 5000 } });
    expect(await spoken(at.port, ...said)).toMatch(answer);
    await unharmed(at);
  });

  it('that lies about its length to smuggle a request is answered once', async () => {
    const at = await server();
    const image = await bytesOf(fixture('jpeg/baseline.jpg'));
    const head = `${POST}Content-Length: ${image.length}\r\n\r\n`;
    const answer = await spoken(at.port, head, image, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toHaveLength(1);
    expect(answer).not.toContain('imgtool_requests_total');
    await unharmed(at);
  });
});
