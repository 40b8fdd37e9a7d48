import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { execa } from 'execa';
import { expect, onTestFinished, vi } from 'vitest';
import { CLI, userEnvironment } from '../support/cli.js';
import { tempDir } from '../support/fixtures.js';

/** `imgtool serve` in a process of its own on a free port, ended with the running test. */
export async function serve(...args: string[]) {
  const spool = await tempDir();
  const started = await startServer('--spool-dir', spool, ...args);
  onTestFinished(async () => {
    started.child.kill('SIGKILL');
    await started.child;
  });
  return { ...started, spool };
}

/** `imgtool serve`, to be ended by the caller. */
export async function startServer(...args: string[]) {
  const child = execa(process.execPath, [CLI, 'serve', '--port', '0', '--no-jobs', ...args], {
    reject: false,
    env: userEnvironment(),
    stdout: 'ignore',
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += String(text);
  });
  await vi.waitFor(() => expect(said).toMatch(/\n.*try /), { timeout: 50_000 });
  const [, port = ''] = /https?:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? [];
  return { child, port: Number(port), address: `127.0.0.1:${port}` };
}

/** A figure of a server's metrics, 0 when it is not there yet. */
export async function figure(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = text.split('\n').find((it) => it.startsWith(name));
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** A door in front of a server: `meet` is given each connection with its number, from 0, and usually pipes it. */
export async function door(meet: (client: Socket, count: number) => void | Promise<void>) {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    void meet(client, count++);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => count };
}

/** Joins a connection with one to a local port. */
export function piped(client: Socket, port: number): Socket {
  const upstream = connect(port, '127.0.0.1');
  upstream.on('error', () => client.destroy());
  upstream.on('close', () => client.destroy());
  client.on('close', () => upstream.destroy());
  client.pipe(upstream).pipe(client);
  return upstream;
}
