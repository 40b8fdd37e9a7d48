import { Readable } from 'node:stream';
import type { EmbeddedQueue } from '../../jobs/embedded.js';
import { isFinished, type JobId, type JobState } from '../../jobs/job.js';
import type { JobEvent } from '../../jobs/queue.js';
import { jobText } from './job-json.js';

type Events = Pick<EmbeddedQueue, 'subscribe' | 'since' | 'latest'>;

/** What to watch. */
export interface Watched {
  /** One job, whose end is the stream's; all jobs when left out. */
  readonly job?: JobId;
  /** The id of the last event that the client has. */
  readonly last?: number | undefined;
}

/** Bytes made ready for a reader before it asks; what is in them is told as it was, and Node's own measure differs by version. */
const READY_BYTES = 16 * 1024;

/** How soon a client that lost its connection comes back, in milliseconds. */
const RETRY_MS = 2000;

/** Jobs whose changes are kept for a reader that does not take them; beyond that they are looked up again. */
const MOST_PENDING = 1000;

/** Jobs looked up at a time. */
const PAGE = 20;

/** A reader that takes nothing while so many heartbeats fall due is let go. */
const MOST_MISSED = 8;

/**
 * The changes of jobs as `text/event-stream` (WHATWG HTML, section 9.2). What counts is how a job stands now: while a
 * reader takes nothing, each job's newest state takes the place of the one before, so that it costs no memory but a
 * bounded number of them. Ids only grow, over restarts too, and none is missed between what is looked up and what is live.
 */
export class EventStream extends Readable {
  readonly #events: Events;
  readonly #job: JobId | undefined;
  readonly #leave: () => void;
  readonly #pending = new Map<JobId, JobEvent>();
  /** The id that the client began with. */
  readonly #had: number;
  #sent: number;
  /** Whether there are changes to look up after those that are pending; live ones are among them. */
  #behind: boolean;
  #looking = false;
  #wanted = false;
  #missed = 0;
  #over = false;

  constructor(events: Events, { job, last }: Watched) {
    super({ highWaterMark: READY_BYTES });
    this.#events = events;
    this.#job = job;
    const latest = events.latest();
    // an id from the future is of another queue, and would hide all changes of this one
    const known = last !== undefined && last <= latest ? last : undefined;
    this.#had = known ?? (job === undefined ? latest : 0);
    this.#sent = this.#had;
    this.#behind = job === undefined && known !== undefined;
    this.#leave = events.subscribe((event) => this.#take(event), job);
    this.push(`retry: ${RETRY_MS}\n${job === undefined ? `id: ${this.#sent}\n` : ''}\n`);
  }

  /** Begins with how the watched job stands; false when the client has seen its end already. */
  begin(job: JobState): boolean {
    this.#take({ id: job.changed, job });
    return job.changed > this.#had || !isFinished(job);
  }

  /** Keeps the connection alive, or gives it up when its reader has taken nothing for long. */
  beat(): void {
    if (this.#over) return;
    this.#missed = this.#wanted ? 0 : this.#missed + 1;
    if (this.#missed >= MOST_MISSED) this.destroy();
    else if (this.#wanted) this.#wanted = this.push(': heartbeat\n\n');
  }

  /** Ends the stream, which the client may take up again elsewhere. */
  end(): void {
    if (this.#over) return;
    this.#stop();
    this.push(null);
  }

  override _read(): void {
    this.#wanted = true;
    this.#flush();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stop();
    done(error);
  }

  #stop(): void {
    this.#over = true;
    this.#leave();
    this.#pending.clear();
  }

  #take(event: JobEvent): void {
    if (this.#behind || event.id <= (this.#idOf(event) ?? this.#sent)) return;
    this.#renew(event);
    if (this.#pending.size > MOST_PENDING) {
      this.#pending.clear();
      this.#behind = true;
    }
    this.#flush();
  }

  #renew(event: JobEvent): void {
    // taken out first, so that the order stays that of the ids
    this.#pending.delete(event.job.id);
    this.#pending.set(event.job.id, event);
  }

  #flush(): void {
    while (this.#wanted && !this.#looking && !this.#over) {
      const [next] = this.#pending.values();
      if (next !== undefined) {
        this.#pending.delete(next.job.id);
        this.#send(next);
      } else if (this.#behind) void this.#lookUp();
      else return;
    }
  }

  #send({ id, job }: JobEvent): void {
    if (id <= this.#sent) return;
    this.#sent = id;
    this.#wanted = this.push(`event: ${nameOf(job)}\nid: ${id}\ndata: ${jobText(job)}\n\n`);
    if (this.#job !== undefined && isFinished(job)) this.end();
  }

  /** Fetches what changed after the last sent; what comes in live meanwhile follows behind it. */
  async #lookUp(): Promise<void> {
    this.#looking = true;
    this.#behind = false;
    try {
      const { events, complete } = await this.#events.since(this.#sent, PAGE);
      const live = [...this.#pending.values()];
      this.#pending.clear();
      for (const event of events) this.#pending.set(event.job.id, event);
      if (!complete) this.#behind = true;
      if (!this.#behind)
        for (const event of live) if (event.id > (this.#idOf(event) ?? 0)) this.#renew(event);
    } catch (thrown) {
      this.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
    this.#looking = false;
    this.#flush();
  }

  #idOf({ job }: JobEvent): number | undefined {
    return this.#pending.get(job.id)?.id;
  }
}

/** The name of the event that tells of a job in this state. */
function nameOf({ state }: JobState): 'progress' | 'done' | 'error' {
  if (state === 'failed') return 'error';
  return isFinished({ state }) ? 'done' : 'progress';
}
