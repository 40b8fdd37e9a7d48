import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { tempDir } from '../support/fixtures.js';

const PROTOS = fileURLToPath(new URL('../../src/server/grpc', import.meta.url));
const found = await pythonWithGrpc();

/** The Python that has Debian's python3-grpcio and python3-grpc-tools. */
export const python = found ?? 'python3';

/** Whether there is one; CI must have it. */
export const isThere = found !== undefined || process.env.CI !== undefined;

/** A folder with the Python clients of all services, removed when the running test ends. */
export async function generated(): Promise<string> {
  const folder = await tempDir();
  for (const name of ['imgtool.proto', 'nlimage.proto']) await cp(join(PROTOS, name), join(folder, name));
  const generate = ['-m', 'grpc_tools.protoc', '-I.', '--python_out=.', '--grpc_python_out=.'];
  await execa(python, [...generate, 'imgtool.proto', 'nlimage.proto'], { cwd: folder });
  return folder;
}

async function pythonWithGrpc(): Promise<string | undefined> {
  for (const command of ['python3', '/usr/bin/python3']) {
    const { exitCode } = await execa(command, ['-c', 'import grpc, grpc_tools.protoc'], { reject: false });
    if (exitCode === 0) return command;
  }
  return undefined;
}
