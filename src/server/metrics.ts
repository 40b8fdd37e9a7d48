import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type CountedQueue, jobMetrics } from './jobs/metrics.js';
import type { ImageService } from './service.js';

/** One answered request, as metrics count it. */
export interface Answered {
  readonly door: 'http' | 'grpc';
  /** The route's pattern or the method's name, never what a client wrote. */
  readonly route: string;
  /** `OK`, or the error's code. */
  readonly code: string;
  readonly seconds: number;
  /** Bytes of the body that came in, and that went out. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What Prometheus reads. */
export interface Metrics {
  count(answered: Answered): void;
  /** The text format, and its content type. */
  text(): Promise<{ readonly type: string; readonly body: string }>;
}

/** Metrics of one server: its requests, its service's queue and workers, its jobs, and the process itself. */
export function serverMetrics(service: ImageService | undefined, jobs?: CountedQueue): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const labelNames = ['door', 'route', 'code'] as const;
  const requests = new Counter({
    name: 'imgtool_requests_total',
    help: 'Requests answered',
    labelNames,
    registers,
  });
  const bytes = new Counter({
    name: 'imgtool_bytes_total',
    help: 'Bytes of request and response bodies',
    labelNames: ['direction'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'imgtool_request_seconds',
    help: 'Time from a request to its answer',
    labelNames: ['door', 'route'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15],
    registers,
  });
  if (service !== undefined) serviceGauges(service, registers);
  if (jobs !== undefined) jobMetrics(jobs, registers);
  return {
    count({ door, route, code, seconds: taken, bytesIn, bytesOut }) {
      requests.inc({ door, route, code });
      seconds.observe({ door, route }, taken);
      bytes.inc({ direction: 'in' }, bytesIn);
      bytes.inc({ direction: 'out' }, bytesOut);
    },
    text: async () => ({ type: registry.contentType, body: await registry.metrics() }),
  };
}

function serviceGauges(service: ImageService, registers: Registry[]): void {
  const gauges: readonly [string, string, () => number][] = [
    ['imgtool_queue_waiting', 'Requests that wait for a worker', () => service.state().waiting],
    ['imgtool_queue_running', 'Requests that a worker is at', () => service.state().running],
    ['imgtool_bulky_pixels', 'Pixels held by bulky pictures', () => service.state().pixels],
    [
      'imgtool_workers_idle',
      'Decoder processes that wait for work',
      () => service.state().workersIdle.length,
    ],
    ['imgtool_pixels_decoded', 'Pixels decoded since the start', () => service.state().pixelsDecoded],
  ];
  for (const [name, help, value] of gauges) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }
}
