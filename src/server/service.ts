import { randomUUID } from 'node:crypto';
import { readFile, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Format } from '../codecs/extensions.js';
import { expected, ImgtoolError } from '../errors.js';
import type { Facts } from '../facts.js';
import { type Recipe, type RecipeInput, recipeJson } from '../recipe.js';
import { coalescer } from './coalesce.js';
import type { Deadline } from './deadline.js';
import { type ProcessWork, type Reply, resultPath, type SentImage } from './isolation/messages.js';
import { type DecoderPool, decoderPool } from './isolation/pool.js';
import { type LaneState, type Lanes, lanes } from './lanes.js';
import { type ServerLimits, serverLimits } from './limits.js';
import { openSpool, type Spool, type SpooledInput } from './spool.js';
import { type Visits, visits } from './visits.js';

/** How a service is set up. */
export interface ServiceOptions {
  readonly limits?: Partial<ServerLimits>;
  /** Read SVG too; off by default, since it can be made to cost a lot. */
  readonly svg?: boolean;
  /** Where uploads are spooled; the system's folder for temporary files by default. */
  readonly spoolIn?: string;
  /** The environment of the decoder processes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Told what decoder processes say and how they die. */
  log?(event: { readonly pid: number | undefined; readonly message: string }): void;
}

/** One result. Sides are those of one frame, in pixels. */
export interface ServedImage {
  readonly format: Format;
  /** Without the dot. */
  readonly extension: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Shared by all who asked for the same: not to be changed. */
  readonly bytes: Uint8Array;
}

/** What became of one picture. */
export interface Served {
  /** In the order of the recipe's outputs. */
  readonly images: readonly [ServedImage, ...ServedImage[]];
  readonly notes: readonly string[];
}

/** How a run waits. */
export interface Patience {
  /** Waits in a full queue too, where others are refused: a job has been accepted already. Jobs bound their own number. */
  readonly patient?: boolean;
}

/** What a service is at, for metrics and readiness. */
export interface ServiceState extends LaneState {
  readonly draining: boolean;
  readonly workersIdle: readonly number[];
  readonly workersBusy: readonly number[];
  /** Pixels decoded since the start. */
  readonly pixelsDecoded: number;
}

/**
 * The one pipeline behind every door of a server. It knows no transport: each door spools what it is sent, asks with a
 * signal that bounds the request, and tells the answer or the ImgtoolError in its own terms.
 */
export interface ImageService {
  readonly limits: ServerLimits;
  readonly spool: Spool;
  /**
   * Begins a request: its clock runs from here, and a drain waits for its release. Throws E_DRAINING once the server
   * is going down; what has begun before is finished.
   */
  enter(): Deadline;
  /** Throws E_QUEUE_FULL when `process` would, so that nothing is taken in or looked up for a request that is refused. */
  checkRoom(): void;
  /**
   * Runs a recipe over an input; equal requests share one run. Throws the pipeline's errors, E_QUEUE_FULL, E_WORKER,
   * and the signal's reason. Aborting frees the place in the queue or the decoder at once.
   */
  process(input: SpooledInput, recipe: Recipe, signal: AbortSignal, patience?: Patience): Promise<Served>;
  /** Reads the facts of a picture from its header. Throws as `process` does. */
  size(input: SpooledInput, signal: AbortSignal, patience?: Patience): Promise<Facts>;
  /** Seconds after which a refused caller may try again. */
  retryAfter(): number;
  state(): ServiceState;
  /** Lets no new request enter; resolves once those that have entered are done. */
  drain(): Promise<void>;
  /** Stops everything at once and removes the spool. */
  close(): Promise<void>;
}

/** Starts a service with its decoder processes. */
export function imageService(options: ServiceOptions = {}): ImageService {
  const limits = serverLimits(options.limits);
  const pool = decoderPool(limits.workers, {
    svg: options.svg ?? false,
    env: options.env ?? {},
    ...(options.log && { log: options.log }),
  });
  return new Service(limits, pool, openSpool(options.spoolIn ?? tmpdir()));
}

class Service implements ImageService {
  readonly limits: ServerLimits;
  readonly spool: Spool;
  private readonly pool: DecoderPool;
  private readonly lanes: Lanes;
  private readonly runs = coalescer<Served>();
  private readonly visits: Visits;
  private pixelsDecoded = 0;
  private averageMs = 50;

  constructor(limits: ServerLimits, pool: DecoderPool, spool: Spool) {
    this.limits = limits;
    this.pool = pool;
    this.spool = spool;
    this.lanes = lanes(limits);
    this.visits = visits(limits.totalMs);
  }

  enter(): Deadline {
    return this.visits.enter();
  }

  checkRoom(): void {
    this.lanes.checkRoom();
  }

  async process(
    input: SpooledInput,
    recipe: Recipe,
    signal: AbortSignal,
    { patient = false }: Patience = {},
  ): Promise<Served> {
    checkOutputs(recipe);
    const json = recipeJson(recipe);
    // a run that is refused for a full queue must not take one with it that would have waited
    const key = `${patient} ${input.identity} ${JSON.stringify(json)}`;
    return held(input, () => this.runs.run(key, signal, (shared) => this.made(input, json, shared, patient)));
  }

  async size(input: SpooledInput, signal: AbortSignal, { patient = false }: Patience = {}): Promise<Facts> {
    const work = { kind: 'size', path: input.path } as const;
    const run = () => this.pool.run(work, signal);
    const reply = await held(input, () => this.lanes.run({ pixels: 0, patient }, signal, run));
    return reply.kind === 'sized' ? reply.facts : failed(reply);
  }

  retryAfter(): number {
    const { waiting, running } = this.lanes.state();
    const seconds = ((waiting + running) * this.averageMs) / this.limits.workers / 1000;
    return Math.min(30, Math.max(1, Math.ceil(seconds)));
  }

  state(): ServiceState {
    return {
      ...this.lanes.state(),
      draining: this.visits.draining(),
      workersIdle: this.pool.idle(),
      workersBusy: this.pool.busy(),
      pixelsDecoded: this.pixelsDecoded,
    };
  }

  drain(): Promise<void> {
    return this.visits.drain();
  }

  async close(): Promise<void> {
    // nothing enters any more; what is still inside ends with the decoders
    void this.visits.drain();
    await this.pool.close();
    this.spool.close();
  }

  /** A run that callers share outlives the one that began it, so it keeps the input for itself. */
  private made(
    input: SpooledInput,
    recipe: RecipeInput,
    signal: AbortSignal,
    patient: boolean,
  ): Promise<Served> {
    return held(input, async () => {
      const started = performance.now();
      const results = join(this.spool.folder, `result-${randomUUID()}`);
      const { path } = input;
      const work = { kind: 'process', path, recipe, limits: this.limits, results, allowance: 0 } as const;
      try {
        const reply = await this.decoded(work, signal, patient);
        if (reply.kind !== 'made') return failed(reply);
        this.pixelsDecoded += reply.pixels;
        const [first, ...rest] = await Promise.all(reply.images.map(received));
        if (first === undefined) throw new ImgtoolError('E_INTERNAL', expected('a result', 'none'));
        this.averageMs += (performance.now() - started - this.averageMs) / 20;
        return { images: [first, ...rest], notes: reply.notes };
      } catch (thrown) {
        // one that was refused never came to a decoder
        const refused = thrown instanceof ImgtoolError && thrown.code === 'E_QUEUE_FULL';
        if (!refused) await removeResults(results, recipe.outputs?.length ?? 1);
        throw thrown;
      }
    });
  }

  /** Most pictures are small and go straight through; the decoder hands a bulky one back, to wait in its own lane. */
  private async decoded(work: ProcessWork, signal: AbortSignal, patient: boolean): Promise<Reply> {
    const small = { ...work, allowance: this.limits.bulkyPixels };
    const reply = await this.lanes.run({ pixels: 0, patient }, signal, () => this.pool.run(small, signal));
    if (reply.kind !== 'bulky') return reply;
    const large = { ...work, allowance: Number.POSITIVE_INFINITY };
    const { pixels } = reply;
    return this.lanes.run({ pixels, patient }, signal, () => this.pool.run(large, signal));
  }
}

/** Keeps the input while the work lasts. */
async function held<T>(input: SpooledInput, work: () => Promise<T>): Promise<T> {
  const release = input.hold();
  try {
    return await work();
  } finally {
    release();
  }
}

async function received({ content, index: _, ...image }: SentImage): Promise<ServedImage> {
  if ('bytes' in content) return { ...image, bytes: content.bytes };
  const bytes = await readFile(content.path);
  await unlink(content.path);
  return { ...image, bytes };
}

/** A killed decoder may have written some of its results. */
async function removeResults(results: string, count: number): Promise<void> {
  const paths = Array.from({ length: count }, (_, index) => resultPath(results, index));
  await Promise.all(paths.map((path) => unlink(path).catch(() => undefined)));
}

function failed(reply: Reply): never {
  if (reply.kind !== 'failed')
    throw new ImgtoolError('E_INTERNAL', expected('an answer to the question', reply.kind));
  const { code, message, stage, field } = reply.error;
  throw new ImgtoolError(code, message, { ...(stage && { stage }), ...(field !== undefined && { field }) });
}

/** A request may ask for this many results of one picture. */
const MOST_OUTPUTS = 16;

/** Throws E_LIMIT_OUTPUT for a recipe of more results than a request may ask for. */
export function checkOutputs({ outputs }: Recipe): void {
  if (outputs.length <= MOST_OUTPUTS) return;
  const message = expected(`at most ${MOST_OUTPUTS} outputs`, `${outputs.length}`);
  throw new ImgtoolError('E_LIMIT_OUTPUT', message, { stage: 'plan', field: 'outputs' });
}
