import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { fixture, photos } from '../support/fixtures.js';
import { ready, stopped } from './decoders.js';
import { clientOf, collected, failure, grpcClient } from './grpc-client.js';
import { bytesOf, direct, emptied, noise, server } from './workshop.js';

const SERVICE = 'imgtool.v1.ImageService';
const SOON = { timeout: 30_000 };
const [photo = ''] = photos();
const THUMB = { steps: [{ op: 'thumbnail', size: 100 }] };
const JSON_THUMB = { json: JSON.stringify(THUMB) };
const ENDLESS = { json: JSON.stringify({ outputs: [{ format: 'avif', effort: 9, quality: 90 }] }) };

interface Answer {
  readonly images: readonly { readonly data: Buffer; readonly width: number; readonly contentType: string }[];
}

interface Streamed {
  readonly meta?: { readonly index: number; readonly size: number } | null;
  readonly chunk?: { readonly data: Buffer } | null;
}

/** The results of a stream: each is announced, then comes in chunks. */
function resultsOf(answers: readonly Streamed[]): Buffer[] {
  const results: Buffer[][] = [];
  for (const { meta, chunk } of answers) {
    if (meta) results.push([]);
    if (chunk) results.at(-1)?.push(chunk.data);
  }
  return results.map((chunks) => Buffer.concat(chunks));
}

describe('imgtool.v1.ImageService', () => {
  it('processes a picture by a recipe in JSON, or in steps with text parameters', async () => {
    const { port } = await server();
    const client = grpcClient(port, SERVICE);
    const image = await bytesOf(photo);
    const wanted = await direct(image, THUMB);
    const steps = [{ op: 'thumbnail', params: { size: '100' } }];
    for (const recipe of [JSON_THUMB, { steps }]) {
      const { images } = await client.unary<Answer>('Process', { recipe, image });
      expect(images[0]?.data.equals(wanted)).toBe(true);
      expect(images[0]).toMatchObject({ width: 100, contentType: 'image/jpeg' });
    }
  });

  it('tells the size', async () => {
    const { port } = await server();
    const image = await bytesOf(fixture('oriented/orientation-6.jpg'));
    const facts = await grpcClient(port, SERVICE).unary<Record<string, unknown>>('Size', { image });
    expect(facts).toMatchObject({ format: 'jpeg', orientation: 6, bytes: image.length });
    expect(facts.width).toBe(facts.storedHeight);
  });

  it('takes and gives streams, several results one after the other', async () => {
    const { port, service } = await server();
    const bytes = await bytesOf(photo);
    const outputs = [{ format: 'png' as const }, { format: 'webp' as const }];
    const call = grpcClient(port, SERVICE).stream('ProcessStream');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    call.write({ spec: { recipe: { json: JSON.stringify({ outputs }) }, totalSize: bytes.length, sha256 } });
    for (let offset = 0; offset < bytes.length; offset += 100_000)
      call.write({ chunk: { offset, data: bytes.subarray(offset, offset + 100_000) } });
    call.end();
    const answers = await collected<Streamed>(call);
    const results = resultsOf(answers);
    expect(results.map(({ length }) => length)).toEqual(
      answers.flatMap(({ meta }) => (meta ? [meta.size] : [])),
    );
    expect(results[0]?.equals(await direct(bytes, { outputs: [{ format: 'png' }] }))).toBe(true);
    expect((await sharp(results[1]).metadata()).format).toBe('webp');
    await emptied(service);
  });

  it('keeps an upload that broke off, and takes it up again', async () => {
    const { port, service } = await server();
    const bytes = await bytesOf(photo);
    const half = Math.floor(bytes.length / 2);
    const client = grpcClient(port, SERVICE);
    const spec = {
      recipe: JSON_THUMB,
      totalSize: bytes.length,
      sha256: '',
      uploadId: 'an-upload-of-this-test',
    };
    const first = client.stream('ProcessStream');
    first.on('error', () => undefined);
    first.write({ spec });
    first.write({ chunk: { offset: 0, data: bytes.subarray(0, half) } });
    await vi.waitFor(async () => expect(await readdir(service.spool.folder)).toHaveLength(1), SOON);
    first.cancel();
    const committed = await vi.waitFor(async () => {
      const answer = await client.unary<{ committedBytes: number }>('QueryUpload', {
        uploadId: spec.uploadId,
      });
      return answer.committedBytes;
    }, SOON);
    expect(committed).toBe(half);
    const second = client.stream('ProcessStream');
    second.write({ spec });
    second.write({ chunk: { offset: committed, data: bytes.subarray(committed) } });
    second.end();
    const answers = await collected<Streamed>(second);
    const [made] = resultsOf(answers);
    expect(made?.equals(await direct(bytes, THUMB))).toBe(true);
    expect(await failure(client.unary('QueryUpload', { uploadId: spec.uploadId }))).toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it.each<[string, object[], number, RegExp]>([
    [
      'a chunk before the spec',
      [{ chunk: { offset: 0, data: Buffer.alloc(1) } }],
      status.INVALID_ARGUMENT,
      /spec first/,
    ],
    ['nothing', [], status.INVALID_ARGUMENT, /spec first/],
    ['two specs', [{ spec: {} }, { spec: {} }], status.INVALID_ARGUMENT, /chunks after/],
    [
      'a gap',
      [{ spec: {} }, { chunk: { offset: 5, data: Buffer.alloc(1) } }],
      status.INVALID_ARGUMENT,
      /a chunk at 0/,
    ],
    ['a size that is too large', [{ spec: { totalSize: 1e9 } }], status.RESOURCE_EXHAUSTED, /MiB/],
    [
      'fewer bytes than declared',
      [{ spec: { totalSize: 5 } }, { chunk: { offset: 0, data: Buffer.alloc(1) } }],
      status.INVALID_ARGUMENT,
      /5 bytes/,
    ],
    [
      'other bytes than declared',
      [{ spec: { sha256: '0'.repeat(64) } }, { chunk: { offset: 0, data: Buffer.alloc(1) } }],
      status.INVALID_ARGUMENT,
      /sha256/,
    ],
    [
      'no picture',
      [{ spec: {} }, { chunk: { offset: 0, data: Buffer.from('just text') } }],
      status.FAILED_PRECONDITION,
      /picture/,
    ],
  ])('refuses a stream of %s', async (_, messages, code, details) => {
    const { port, service } = await server();
    const call = grpcClient(port, SERVICE).stream('ProcessStream');
    for (const message of messages) call.write(message);
    call.end();
    expect(await failure(collected(call))).toMatchObject({ code, details: expect.stringMatching(details) });
    await emptied(service);
  });

  it('gives up on a stream that is never half-closed', async () => {
    const { port } = await server({ limits: { totalMs: 500 } });
    const call = grpcClient(port, SERVICE).stream('ProcessStream');
    call.write({ spec: {} });
    expect(await failure(collected(call))).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  it.each<[string, object, number, string]>([
    ['an unknown operation', { json: '{"steps":[{"op":"nothing"}]}' }, status.INVALID_ARGUMENT, 'E_RECIPE'],
    [
      'a bad parameter',
      { steps: [{ op: 'resize', params: { width: 'many' } }] },
      status.INVALID_ARGUMENT,
      'BadRequest',
    ],
    ['no JSON', { json: '{' }, status.INVALID_ARGUMENT, 'E_USAGE'],
    [
      'a result that is too large',
      { json: '{"steps":[{"op":"scale","factor":1000}]}' },
      status.RESOURCE_EXHAUSTED,
      'E_LIMIT_OUTPUT',
    ],
  ])('refuses %s with rich details', async (_, recipe, code, reason) => {
    const { port } = await server();
    const call = grpcClient(port, SERVICE).unary('Process', { recipe, image: await bytesOf(photo) });
    expect(await failure(call)).toMatchObject({ code, rich: expect.stringContaining(reason) });
  });

  it('refuses more than 4 MiB in one message, and names the stream', async () => {
    const { port } = await server();
    const call = grpcClient(port, SERVICE).unary('Process', { image: Buffer.alloc(5_000_000) });
    expect(await failure(call)).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringMatching('ProcessStream'),
    });
  });

  it('takes compressed messages, and counts them decompressed', async () => {
    const { port } = await server({ messageBytes: 4_000_000 });
    const client = grpcClient(port, SERVICE);
    const image = await bytesOf(fixture('png/rgb.png'));
    const { images } = await client.unary<Answer>('Process', { recipe: JSON_THUMB, image }, { gzip: true });
    expect(images).toHaveLength(1);
    const bomb = client.unary('Process', { image: Buffer.alloc(20_000_000) }, { gzip: true });
    expect(await failure(bomb)).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it('frees the worker when the deadline passes, when the caller cancels, and serves on', async () => {
    const running = await server({ limits: { workers: 1 } });
    const { port, service } = running;
    const client = grpcClient(port, SERVICE);
    const slow = { recipe: ENDLESS, image: await noise(1) };
    const quick = { recipe: JSON_THUMB, image: await bytesOf(photo) };
    await ready(running);
    // what comes before the decoder's work is not to take the time of the call
    await client.unary('Process', quick);
    const late = failure(client.unary('Process', slow, { deadlineMs: 3000 }));
    await vi.waitFor(() => expect(service.state().running).toBe(1), SOON);
    expect(await late).toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await vi.waitFor(() => expect(service.state()).toMatchObject({ running: 0, workersBusy: [] }), SOON);
    const leave = new AbortController();
    const cancelled = failure(client.unary('Process', slow, { signal: leave.signal }));
    await vi.waitFor(() => expect(service.state().running).toBe(1), SOON);
    leave.abort();
    expect(await cancelled).toMatchObject({ code: status.CANCELLED });
    await vi.waitFor(() => expect(service.state()).toMatchObject({ running: 0, workersBusy: [] }), SOON);
    await client.unary('Process', quick);
  });

  it('answers UNAVAILABLE with a delay when the queue is full', async () => {
    const { port, service } = await server({ limits: { workers: 1, queue: 0 } });
    const client = grpcClient(port, SERVICE);
    const leave = new AbortController();
    const slow = failure(
      client.unary('Process', { recipe: ENDLESS, image: await noise(1) }, { signal: leave.signal }),
    );
    await vi.waitFor(() => expect(service.state().running).toBe(1), SOON);
    const refused = client.unary('Process', { recipe: JSON_THUMB, image: await bytesOf(photo) });
    expect(await failure(refused)).toMatchObject({
      code: status.UNAVAILABLE,
      rich: expect.stringContaining('RetryInfo'),
    });
    leave.abort();
    await slow;
  });

  it('lets in only those with the token', async () => {
    const { port } = await server({ token: 'sesame' });
    const client = grpcClient(port, SERVICE);
    const request = { recipe: JSON_THUMB, image: await bytesOf(photo) };
    expect(await failure(client.unary('Process', request))).toMatchObject({ code: status.UNAUTHENTICATED });
    expect(await failure(client.unary('Process', request, { token: 'other' }))).toMatchObject({
      code: status.UNAUTHENTICATED,
    });
    await client.unary('Process', request, { token: 'sesame' });
  });

  it('says that it has no jobs, and why', async () => {
    const { port } = await server();
    expect(await failure(grpcClient(port, SERVICE).unary('GetJob', { id: 'x' }))).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: 'expected a server with a job queue, received one started with --no-jobs',
    });
  });
});

describe('the gRPC door', () => {
  it('shares its port with HTTP, and opens windows of 4 MiB', async () => {
    const { port, url } = await server();
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const session = connectHttp2(url);
    const settings = await new Promise<{ initialWindowSize?: number }>((resolve) =>
      session.once('remoteSettings', resolve),
    );
    expect(settings).toMatchObject({ initialWindowSize: 4 * 1024 * 1024, maxConcurrentStreams: 256 });
    await vi.waitFor(() => expect(session.state.remoteWindowSize).toBe(4 * 1024 * 1024), SOON);
    session.destroy();
    expect(port).toBeGreaterThan(0);
  });

  it('tells its health by service, and that it is going down', async () => {
    const running = await server({ limits: { workers: 1 } });
    const { port, service } = running;
    const health = healthClient(port);
    for (const name of ['', SERVICE, 'NLImageService']) expect(await health(name)).toBe('SERVING');
    const goOn = stopped(await ready(running));
    const image = await bytesOf(photo);
    const slow = grpcClient(port, SERVICE).unary<Answer>('Process', { recipe: JSON_THUMB, image });
    await vi.waitFor(() => expect(service.state().running).toBe(1), SOON);
    const drained = running.drain();
    expect(await health(SERVICE)).toBe('NOT_SERVING');
    const late = grpcClient(port, SERVICE).unary('Size', { image: Buffer.alloc(1) });
    expect(await failure(late)).toMatchObject({ code: status.UNAVAILABLE });
    goOn();
    expect((await slow).images).toHaveLength(1);
    await drained;
  });

  it.each(['v1', 'v1alpha'])(
    'tells what services there are (reflection %s), unless that is off',
    async (version) => {
      const name = `grpc.reflection.${version}.ServerReflection`;
      const services = async (reflection: boolean) => {
        const { port } = await server({ reflection });
        const call = reflectionClient(port, name);
        call.write({ listServices: '' });
        call.write({ fileContainingSymbol: 'NLImageService' });
        call.end();
        const [list, file] = await collected<{
          listServicesResponse: { service: { name: string }[] };
          messageResponse: string;
        }>(call);
        expect(file?.messageResponse).toBe('fileDescriptorResponse');
        return list?.listServicesResponse.service.map((one) => one.name);
      };
      expect(await services(true)).toEqual(expect.arrayContaining([SERVICE, 'NLImageService']));
      await expect(services(false)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    },
  );
});

/** Asks for the health of a service over a connection of its own. */
function healthClient(port: number): (service: string) => Promise<string> {
  const { unary } = clientOf(port, loadSync(protoPath, LOADING), 'grpc.health.v1.Health');
  return async (service) => (await unary<{ status: string }>('Check', { service })).status;
}

function reflectionClient(port: number, service: string) {
  const folder = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
  const version = service.split('.')[2] ?? '';
  const file = join(folder, 'build/proto/grpc/reflection', version, 'reflection.proto');
  return clientOf(port, loadSync(file, LOADING), service).stream('ServerReflectionInfo');
}

const LOADING = { enums: String, defaults: true, oneofs: true } as const;
