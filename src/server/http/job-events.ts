import type { FastifyReply, FastifyRequest } from 'fastify';
import { expected, ImgtoolError } from '../../errors.js';
import type { JobId } from '../../jobs/job.js';
import type { JobDesk } from '../jobs/desk.js';
import { EventStream } from './event-stream.js';
import { queryOf } from './exchange.js';

/** Streams open at a time; each costs a connection and little else. */
const MOST_STREAMS = 10_000;

const HEARTBEAT_MS = 15_000;

/** Answers requests for the events of jobs. */
export interface JobWatch {
  /** Streams the changes of a job until its end, or of all jobs. Throws E_NOT_FOUND, E_EXPIRED, E_DRAINING, E_QUEUE_FULL. */
  watch(request: FastifyRequest, reply: FastifyReply, job?: JobId): Promise<FastifyReply>;
}

/** The streams of a server: one heart beats for all, and all end when it goes down. */
export function jobWatch(desk: JobDesk): JobWatch {
  const open = new Set<EventStream>();
  let heart: NodeJS.Timeout | undefined;
  desk.draining.addEventListener('abort', () => {
    for (const stream of open) stream.end();
  });
  const opened = (stream: EventStream): EventStream => {
    open.add(stream);
    heart ??= setInterval(() => {
      for (const each of open) each.beat();
    }, HEARTBEAT_MS).unref();
    return stream.once('close', () => {
      open.delete(stream);
      if (open.size > 0) return;
      clearInterval(heart);
      heart = undefined;
    });
  };
  return {
    async watch(request, reply, job) {
      if (desk.draining.aborted)
        throw new ImgtoolError('E_DRAINING', 'the server is going down: ask another one');
      if (open.size >= MOST_STREAMS)
        throw new ImgtoolError('E_QUEUE_FULL', expected(`at most ${MOST_STREAMS} watchers`, 'one more'));
      // subscribed before the job is looked at, so that no change falls in between
      const stream = opened(new EventStream(desk.queue, { ...(job && { job }), last: lastEvent(request) }));
      reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no');
      try {
        const hasNews = job === undefined || stream.begin(await desk.find(job));
        if (hasNews && request.method === 'GET') return reply.type('text/event-stream').send(stream);
        if (hasNews) reply.type('text/event-stream');
        // 204 tells an EventSource that has seen the end to come back no more
        else reply.code(204);
      } catch (thrown) {
        stream.destroy();
        throw thrown;
      }
      stream.destroy();
      return reply.send();
    },
  };
}

/** The last event that a client has, in the header that browsers send, or in the query for those that cannot. */
function lastEvent(request: FastifyRequest): number | undefined {
  const id = request.headers['last-event-id'] ?? queryOf(request).get('last_event_id');
  return typeof id === 'string' && /^\d{1,16}$/.test(id)
    ? Math.min(Number(id), Number.MAX_SAFE_INTEGER)
    : undefined;
}
