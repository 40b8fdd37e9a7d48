import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { IMGTOOL, peer } from './peers.mjs';
import { freshFolder } from './scratch.mjs';

/**
 * A server that runs: its address, and how much memory it has taken at most.
 * @typedef {{ port: number, url: string, pid: number, peak: () => number, stop: () => Promise<void> }} Serving
 */

/**
 * Starts `imgtool serve` on a free port with a data folder of its own.
 * @param {readonly string[]} flags
 * @returns {Promise<Serving>}
 */
export async function imgtoolServe(flags = []) {
  const data = freshFolder();
  mkdirSync(data, { recursive: true });
  const port = await freePort();
  const args = ['serve', '--port', String(port), '--data-dir', data, '--log-dir', data, ...flags];
  const serving = await started([...IMGTOOL, ...args], port, '/livez');
  return {
    ...serving,
    async stop() {
      await serving.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/**
 * Starts ipx over a folder, or gives undefined when it is not installed.
 * @param {string} folder
 * @returns {Promise<Serving | undefined>}
 */
export async function ipxServe(folder) {
  const program = peer('ipx');
  if (program === undefined) return undefined;
  const port = await freePort();
  return started([program, 'serve', '--dir', folder, '--port', String(port)], port, '/');
}

/** A port that nobody listens on. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function started([program, ...args], port, path) {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const child = spawn(program, args, {
    env: { ...env, NODE_ENV: 'production' },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const url = `http://127.0.0.1:${port}`;
  await answering(`${url}${path}`, child);
  return {
    port,
    url,
    pid: child.pid,
    peak: () => peakOf(child.pid),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function answering(url, child) {
  const until = performance.now() + 15_000;
  while (performance.now() < until && child.exitCode === null) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`expected an answer from ${url}, received none`);
}

/** Peak memory in MB of a process and of its children as they are now, each at its own peak; Linux only. */
function peakOf(pid) {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean);
    const own =
      Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    return children.reduce((sum, child) => sum + peakOf(child), own);
  } catch {
    return 0;
  }
}
