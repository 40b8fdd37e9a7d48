import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { status } from '@grpc/grpc-js';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openEmbedded } from '../../../src/jobs/embedded.js';
import { whenFinished } from '../../../src/jobs/wait.js';
import type { JobMessage } from '../../../src/server/grpc/job-messages.js';
import { watched as watchedBy } from '../../../src/server/grpc/job-streams.js';
import type { ProcessStreamResponse } from '../../../src/server/grpc/messages.js';
import { GENERATED, photos, tempDir } from '../../support/fixtures.js';
import { collected, failure, grpcClient } from '../grpc-client.js';
import { generated, isThere, python } from '../python.js';
import {
  bytesOf,
  direct,
  ENDLESS as ENDLESS_RECIPE,
  emptied,
  NEVER,
  noise,
  SOON,
  server,
  upload,
} from '../workshop.js';

const SERVICE = 'imgtool.v1.ImageService';
const [photo = ''] = photos();
const THUMB = { steps: [{ op: 'thumbnail', size: 100 }] };
const JSON_THUMB = { json: JSON.stringify(THUMB) };
const ENDLESS = { json: JSON.stringify(ENDLESS_RECIPE) };

type Client = ReturnType<typeof grpcClient>;

/** Every state of a job that a watch tells, until it has ended. */
function watched(client: Client, id: string): Promise<JobMessage[]> {
  return collected(client.answers<JobMessage>('WatchJob', { id }));
}

/** The job once it has ended. */
async function ended(client: Client, id: string): Promise<JobMessage | undefined> {
  return (await watched(client, id)).at(-1);
}

function submit(client: Client, request: object): Promise<JobMessage> {
  return client.unary('SubmitJob', { recipe: JSON_THUMB, ...request });
}

/** A job that runs, and never ends by itself. */
async function endless(client: Client, request: object = {}): Promise<JobMessage> {
  const job = await submit(client, { recipe: ENDLESS, image: await noise(1), ...request });
  await vi.waitFor(
    async () => expect(await client.unary('GetJob', job)).toMatchObject({ state: 'RUNNING' }),
    SOON,
  );
  return job;
}

async function resultOf(client: Client, id: string, index = 0): Promise<Buffer> {
  const answers = await collected<ProcessStreamResponse>(client.answers('GetJobResult', { id, index }));
  return Buffer.concat(answers.flatMap(({ chunk }) => (chunk ? [chunk.data] : [])));
}

describe('jobs over gRPC', () => {
  it('take a picture, tell each step until the end, and give the same bytes as Process', async () => {
    const { port, service } = await server({ jobs: {} });
    const client = grpcClient(port, SERVICE);
    const image = await bytesOf(photo);
    const job = await submit(client, { image, name: 'photo.jpg' });
    expect(job).toMatchObject({ kind: 'process', name: 'photo.jpg', priority: 0, source: '' });
    const told = await watched(client, job.id);
    const last = told.at(-1);
    expect(last).toMatchObject({ id: job.id, state: 'SUCCEEDED', progress: 1, attempts: 1 });
    const steps = told.map(({ progress }) => progress);
    expect(steps).toEqual([...steps].sort());
    const wanted = await direct(image, THUMB);
    expect(last?.outputs).toMatchObject([
      { format: 'jpeg', contentType: 'image/jpeg', width: 100, size: wanted.length, name: 'photo.jpg' },
    ]);
    expect((await resultOf(client, job.id)).equals(wanted)).toBe(true);
    const times = [last?.createdAt, last?.startedAt, last?.finishedAt, last?.expiresAt];
    const seconds = times.map((time) => (time?.seconds ?? 0) + (time?.nanos ?? 0) / 1e9);
    expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
    expect((seconds[3] ?? 0) - (seconds[2] ?? 0)).toBeCloseTo(86_400, 3);
    await emptied(service);
  });

  it('take pictures up to the limit of a message, larger than Process does', async () => {
    const { port } = await server({ jobs: {} });
    const client = grpcClient(port, SERVICE);
    const image = Buffer.concat([await bytesOf(photo), Buffer.alloc(6 * 1024 * 1024)]);
    const { id } = await submit(client, { image });
    expect(await ended(client, id)).toMatchObject({ state: 'SUCCEEDED' });
    const larger = submit(client, { image: Buffer.alloc(33 * 1024 * 1024) });
    expect(await failure(larger)).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it('give every result of a recipe by its number, in chunks', async () => {
    const { port } = await server({ jobs: {} });
    const client = grpcClient(port, SERVICE);
    const image = await bytesOf(photo);
    const outputs = [{ format: 'png' as const }, { format: 'webp' as const }];
    const { id } = await submit(client, { recipe: { json: JSON.stringify({ outputs }) }, image });
    expect(await ended(client, id)).toMatchObject({ state: 'SUCCEEDED', outputs: [{}, {}] });
    for (const [index, output] of outputs.entries())
      expect((await resultOf(client, id, index)).equals(await direct(image, { outputs: [output] }))).toBe(
        true,
      );
    expect(await failure(resultOf(client, id, 2))).toMatchObject({
      code: status.NOT_FOUND,
      details: 'expected a job with a result 2, received one with 2',
    });
  });

  it('read a path inside a root when they run, and fail with what a request would', async () => {
    const { port } = await server({ jobs: {}, roots: [`p=${GENERATED}`] });
    const client = grpcClient(port, SERVICE);
    const good = await submit(client, { source: 'p/jpeg/baseline.jpg' });
    expect(good.source).toBe('p/jpeg/baseline.jpg');
    expect(await ended(client, good.id)).toMatchObject({ state: 'SUCCEEDED' });
    for (const [source, code, grpc] of [
      ['p/../../secret.png', 'E_PERMISSION', status.PERMISSION_DENIED],
      ['p/nothing.png', 'E_NOT_FOUND', status.NOT_FOUND],
    ] as const) {
      const { id } = await submit(client, { source });
      expect(await ended(client, id)).toMatchObject({ state: 'FAILED', error: { code } });
      expect(await failure(resultOf(client, id))).toMatchObject({
        code: grpc,
        rich: expect.stringContaining(code),
      });
    }
    expect(await failure(submit(client, { source: 'http://127.0.0.1:1/x.jpg' }))).toMatchObject({
      code: status.PERMISSION_DENIED,
      details: expect.stringContaining('--allow-url'),
    });
  });

  it('are cancelled while they wait and while they run, and tried again when asked', async () => {
    const { port, service } = await server({ jobs: {}, limits: { workers: 1 } });
    const client = grpcClient(port, SERVICE);
    const running = await endless(client);
    const waiting = await submit(client, { image: await bytesOf(photo) });
    expect(waiting.state).toBe('QUEUED');
    expect(await failure(resultOf(client, waiting.id))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      rich: expect.stringContaining('E_JOB_UNFINISHED'),
    });
    expect(await failure(client.unary('RetryJob', waiting))).toMatchObject({
      rich: expect.stringContaining('E_JOB_UNFINISHED'),
    });
    expect(await client.unary('CancelJob', waiting)).toMatchObject({ state: 'CANCELLED' });
    await client.unary('CancelJob', running);
    expect(await ended(client, running.id)).toMatchObject({ state: 'CANCELLED', outputs: [] });
    await vi.waitFor(() => expect(service.state().running).toBe(0), SOON);
    expect(await failure(resultOf(client, running.id))).toMatchObject({ code: status.NOT_FOUND });

    const again = await client.unary<JobMessage>('RetryJob', waiting);
    expect(again).toMatchObject({ id: waiting.id });
    expect(await ended(client, again.id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await failure(client.unary('CancelJob', again))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      rich: expect.stringContaining('E_JOB_FINISHED'),
    });
    expect(await failure(client.unary('RetryJob', again))).toMatchObject({
      details: 'expected a job that failed or was cancelled, received one that succeeded',
    });
  });

  it('run the urgent ones first, and are listed by state in pages, the newest first', async () => {
    const { port } = await server({ jobs: {}, limits: { workers: 1 } });
    const client = grpcClient(port, SERVICE);
    const blocker = await endless(client);
    const image = await bytesOf(photo);
    const ids: string[] = [];
    for (const priority of [-2, -1, 0, 1]) {
      const job = await submit(client, { image, priority });
      expect(job.priority).toBe(priority);
      ids.push(job.id);
    }
    const page = (request: object) =>
      client.unary<{ jobs: readonly JobMessage[]; next: string }>('ListJobs', request);
    const first = await page({ state: 'QUEUED', limit: 3 });
    const second = await page({ state: 'QUEUED', limit: 3, cursor: first.next });
    expect(second.next).toBe('');
    expect([...first.jobs, ...second.jobs].map(({ id }) => id)).toEqual(ids.toReversed());
    await client.unary('CancelJob', blocker);
    await Promise.all(ids.map((id) => ended(client, id)));
    const { jobs } = await page({ state: 'SUCCEEDED' });
    const started = ({ startedAt }: JobMessage) => (startedAt?.seconds ?? 0) * 1e9 + (startedAt?.nanos ?? 0);
    expect(jobs.toSorted((a, b) => started(a) - started(b)).map(({ priority }) => priority)).toEqual([
      1, 0, -1, -2,
    ]);
    for (const request of [{ limit: 1001 }, { cursor: '?' }, { state: 17 }])
      expect(await failure(page(request))).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('are refused at once when the request is not understood, and nothing of it is ignored', async () => {
    const { port, desk, service } = await server({ jobs: {} });
    const client = grpcClient(port, SERVICE);
    const image = await bytesOf(photo);
    for (const [request, field] of [
      [{ image, callbackUrl: 'https://example.com/' }, 'callback_url'],
      [{ image, idempotencyKey: 'x' }, 'idempotency_key'],
      [{ image, priority: 7 }, 'priority'],
      [{ image, recipe: { json: '{"steps":[{"op":"no"}]}' } }, 'steps'],
      [{}, 'input'],
    ] as const)
      expect(await failure(submit(client, request))).toMatchObject({
        code: status.INVALID_ARGUMENT,
        rich: expect.stringContaining(field),
      });
    for (const [bytes, code] of [
      [Buffer.alloc(0), 'E_EMPTY'],
      [Buffer.from('PK\x03\x04 no picture at all'), 'E_UNSUPPORTED'],
    ] as const)
      expect(await failure(submit(client, { image: bytes }))).toMatchObject({
        rich: expect.stringContaining(code),
      });
    expect(await desk?.queue.counts()).toMatchObject({ submitted: 0, blobBytes: 0 });
    await emptied(service);
  });

  it('that are not there are NOT_FOUND, to every method', async () => {
    const { port } = await server({ jobs: {} });
    const client = grpcClient(port, SERVICE);
    for (const id of ['', 'x', '0198c0de-0000-7000-8000-000000000000', '../../jobs.sqlite']) {
      for (const method of ['GetJob', 'CancelJob', 'RetryJob'])
        expect(await failure(client.unary(method, { id }))).toMatchObject({ code: status.NOT_FOUND });
      expect(await failure(watched(client, id))).toMatchObject({ code: status.NOT_FOUND });
      expect(await failure(resultOf(client, id))).toMatchObject({ code: status.NOT_FOUND });
    }
  });

  it('are refused with a full queue, with a time to try again', async () => {
    const { port } = await server({ jobs: { limits: { queued: 1 } }, limits: { workers: 1 } });
    const client = grpcClient(port, SERVICE);
    await endless(client);
    const image = await bytesOf(photo);
    await submit(client, { image });
    expect(await failure(submit(client, { image }))).toMatchObject({
      code: status.UNAVAILABLE,
      rich: expect.stringMatching(/E_QUEUE_FULL.*RetryInfo/s),
    });
  });

  it('expire with their results', async () => {
    const { port } = await server({ jobs: { ttl: 1 } });
    const client = grpcClient(port, SERVICE);
    const { id } = await submit(client, { image: await bytesOf(photo) });
    await vi.waitFor(
      async () =>
        expect(await failure(client.unary('GetJob', { id }))).toMatchObject({
          code: status.NOT_FOUND,
          rich: expect.stringContaining('E_EXPIRED'),
        }),
      SOON,
    );
    expect(await failure(resultOf(client, id))).toMatchObject({ rich: expect.stringContaining('E_EXPIRED') });
  });

  it('need the token', async () => {
    const { port } = await server({ jobs: {}, token: 'sesame' });
    const client = grpcClient(port, SERVICE);
    expect(await failure(watched(client, 'x'))).toMatchObject({ code: status.UNAUTHENTICATED });
    expect(await failure(submit(client, {}))).toMatchObject({ code: status.UNAUTHENTICATED });
  });
});

describe('watching a job over gRPC', () => {
  it('stops with its caller, and lets go of the job', async () => {
    const { port, desk } = await server({ jobs: {} });
    const client = grpcClient(port, SERVICE);
    const { id } = await endless(client);
    const stops = vi.fn();
    const subscribe = desk?.queue.subscribe.bind(desk.queue);
    if (desk !== undefined && subscribe !== undefined)
      desk.queue.subscribe = (...request) => {
        const stop = subscribe(...request);
        return () => {
          stops();
          stop();
        };
      };
    const watch = client.answers<JobMessage>('WatchJob', { id });
    const end = failure(collected(watch));
    await new Promise((resolve) => watch.once('data', resolve));
    watch.cancel();
    expect(await end).toMatchObject({ code: status.CANCELLED });
    await vi.waitFor(() => expect(stops).toHaveBeenCalledTimes(1), SOON);
  });

  it('outlives the time limit of a request', async () => {
    const { port, desk, service } = await server({ jobs: {}, limits: { totalMs: 700 } });
    const client = grpcClient(port, SERVICE);
    const image = await noise(1);
    // handing it in is a request too, and may take longer
    const work = { kind: 'process', recipe: ENDLESS_RECIPE, target: { kind: 'blob' } } as const;
    const { id = '' } = (await desk?.submitUpload(await upload(service, image), work)) ?? {};
    const watch = watched(client, id);
    const request = client.unary('Process', { recipe: ENDLESS, image });
    expect(await failure(request)).toMatchObject({ rich: expect.stringContaining('E_TIMEOUT') });
    await desk?.queue.cancel(id);
    expect((await watch).at(-1)).toMatchObject({ state: 'CANCELLED' });
  });

  it('ends with UNAVAILABLE when the server goes down', async () => {
    const { port, drain, desk } = await server({ jobs: {} });
    const client = grpcClient(port, SERVICE);
    const { id } = await endless(client);
    const watch = client.answers<JobMessage>('WatchJob', { id });
    const end = failure(collected(watch));
    await new Promise((resolve) => watch.once('data', resolve));
    const drained = drain();
    expect(await end).toMatchObject({
      code: status.UNAVAILABLE,
      rich: expect.stringContaining('E_DRAINING'),
    });
    await desk?.queue.cancel(id);
    await drained;
  });
});

it('a reader that is slower than the changes gets the newest, and the last', async () => {
  const queue = await openEmbedded({ folder: await tempDir() });
  onTestFinished(() => queue.close());
  const find = async (id: string) => (await queue.get(id)) ?? Promise.reject(new Error(id));
  const told: JobMessage[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reader = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(job: JobMessage, _encoding, done) {
      told.push(job);
      void released.then(() => done());
    },
  });
  const source = { kind: 'path', path: 'x' } as const;
  const id = await queue.submit({ kind: 'process', recipe: {}, source, target: { kind: 'blob' } });
  const watch = watchedBy(Object.assign(reader, { request: { id } }), { queue, find }, NEVER);
  void queue.work(async (_job, { progress }) => {
    for (let percent = 0; percent <= 100; percent += 1) progress(percent / 100);
    return { outputs: [] };
  }, 1);
  await whenFinished(queue, id);
  release();
  await watch;
  reader.end();
  await finished(reader);
  expect(told.length).toBeLessThanOrEqual(3);
  expect(told.at(-1)).toMatchObject({ state: 'SUCCEEDED' });
});

const SCRIPT = `
import json, sys, grpc
import imgtool_pb2 as pb, imgtool_pb2_grpc as rpc
port, photo, out = sys.argv[1:4]
stub = rpc.ImageServiceStub(grpc.insecure_channel('127.0.0.1:' + port))
recipe = pb.Recipe(steps=[pb.Step(op='thumbnail', params={'size': '100'})])
job = stub.SubmitJob(pb.SubmitJobRequest(recipe=recipe, image=open(photo, 'rb').read(), name='photo.jpg'))
states = [pb.Job.State.Name(told.state) for told in stub.WatchJob(pb.WatchJobRequest(id=job.id))]
chunks = [m.chunk.data for m in stub.GetJobResult(pb.GetJobResultRequest(id=job.id)) if m.HasField('chunk')]
open(out, 'wb').write(b''.join(chunks))
listed = [job.name for job in stub.ListJobs(pb.ListJobsRequest(state=pb.Job.SUCCEEDED)).jobs]
print(json.dumps({'last': states[-1], 'listed': listed}))
`;

it.skipIf(!isThere)('a client in Python, generated from the protocol buffers, queues work', async () => {
  const { port } = await server({ jobs: {} });
  const folder = await generated();
  await writeFile(join(folder, 'client.py'), SCRIPT);
  const out = join(folder, 'out.jpg');
  const { stdout } = await execa(python, ['client.py', `${port}`, photo, out], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual({ last: 'SUCCEEDED', listed: ['photo.jpg'] });
  expect((await bytesOf(out)).equals(await direct(await bytesOf(photo), THUMB))).toBe(true);
});
