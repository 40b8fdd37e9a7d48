import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { photos } from '../support/fixtures.js';
import { grpcClient } from './grpc-client.js';
import { bytesOf, server } from './workshop.js';

const [photo = ''] = photos();
const SERVICE = 'imgtool.v1.ImageService';
const SOON = { timeout: 30_000 };

/** A metric as a server tells of it. */
interface Family {
  readonly type: string;
  readonly help: string;
}

function file(name: string): Promise<string> {
  return readFile(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');
}

async function metrics(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

function families(text: string): Map<string, Family> {
  const helps = new Map(Array.from(text.matchAll(/^# HELP (\S+) (.*)$/gm), ([, name, help]) => [name, help]));
  const types = text.matchAll(/^# TYPE (\S+) (\S+)$/gm);
  return new Map(
    Array.from(types, ([, name = '', type = '']) => [name, { type, help: helps.get(name) ?? '' }]),
  );
}

/** The names under which samples of these metrics go. */
function sampleNames(known: ReadonlyMap<string, Family>): Set<string> {
  return new Set(
    Array.from(known, ([name, { type }]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ).flat(),
  );
}

/** The metrics that expressions speak of, with the labels that they choose by. */
function mentioned(expressions: readonly string[]): Set<string> {
  const names = expressions.flatMap((text) => text.match(/\b(?:imgtool|process|nodejs)_\w+/g) ?? []);
  return new Set(names);
}

function value(text: string, sample: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${sample} `));
  return Number(line?.slice(sample.length + 1) ?? Number.NaN);
}

/** Every string below a value under one of the names. */
function stringsUnder(tree: unknown, names: readonly string[]): string[] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([name, child]) =>
    typeof child === 'string' ? (names.includes(name) ? [child] : []) : stringsUnder(child, names),
  );
}

describe('/metrics', () => {
  it('tells how the queue stands and how long jobs took', async () => {
    const { url, port } = await server({ jobs: {}, limits: { workers: 1 } });
    const client = grpcClient(port, SERVICE);
    const image = await bytesOf(photo);
    const endless = { json: JSON.stringify({ outputs: [{ format: 'avif', effort: 9, quality: 90 }] }) };
    const running = await client.unary<{ id: string }>('SubmitJob', { recipe: endless, image });
    await vi.waitFor(async () => expect(await metrics(url)).toMatch('imgtool_queue_running 1'), SOON);
    const ids: string[] = [];
    for (const priority of [0, 0, -1])
      ids.push((await client.unary<{ id: string }>('SubmitJob', { image, priority })).id);
    const during = await metrics(url);
    expect(value(during, 'imgtool_jobs{state="queued",priority="normal"}')).toBe(2);
    expect(value(during, 'imgtool_jobs{state="queued",priority="batch"}')).toBe(1);
    expect(value(during, 'imgtool_jobs{state="running",priority="normal"}')).toBe(1);
    expect(value(during, 'imgtool_jobs_accepted_total')).toBe(4);
    expect(value(during, 'imgtool_jobs_finished_total')).toBe(0);
    expect(value(during, 'imgtool_jobs_oldest_seconds')).toBeGreaterThan(0);
    expect(value(during, 'imgtool_jobs_blob_bytes')).toBe(4 * image.length);
    await client.unary('CancelJob', running);
    const after = await vi.waitFor(async () => {
      const text = await metrics(url);
      expect(value(text, 'imgtool_jobs_finished_total')).toBe(4);
      return text;
    }, SOON);
    expect(value(after, 'imgtool_job_run_seconds_count{kind="process",state="succeeded"}')).toBe(3);
    expect(value(after, 'imgtool_job_run_seconds_count{kind="process",state="cancelled"}')).toBe(1);
    expect(value(after, 'imgtool_job_wait_seconds_count{priority="batch"}')).toBe(1);
    expect(value(after, 'imgtool_jobs_oldest_seconds')).toBe(0);
    expect(value(after, 'imgtool_jobs{state="succeeded",priority="normal"}')).toBe(2);
  });

  it('is what docs/metrics.md says, name by name', async () => {
    const { url } = await server({ jobs: {} });
    const told = Array.from(families(await metrics(url)), ([name, { type, help }]) => [name, type, help]);
    const rows = (await file('docs/metrics.md')).matchAll(
      /^\| `(\w+)` \| (\w+) \|(?: [\w, ]+)? \| (.+) \|$/gm,
    );
    expect(Array.from(rows, ([, ...cells]) => cells)).toEqual(
      told.filter(([name]) => name?.startsWith('imgtool_')),
    );
  });

  it('has no figures of jobs without a queue', async () => {
    const { url } = await server();
    expect(await metrics(url)).not.toMatch('imgtool_job');
  });
});

describe('what deploy/ holds', () => {
  it('watches metrics that there are, in alerts and in the dashboard', async () => {
    const { url } = await server({ jobs: {} });
    const known = sampleNames(families(await metrics(url)));
    const alerts: unknown = parse(await file('deploy/prometheus-alerts.yml'));
    const dashboard: unknown = JSON.parse(await file('deploy/grafana-dashboard.json'));
    for (const expressions of [stringsUnder(alerts, ['expr']), stringsUnder(dashboard, ['expr', 'query'])]) {
      expect(expressions.length).toBeGreaterThan(5);
      expect([...mentioned(expressions)].filter((name) => !known.has(name))).toEqual([]);
    }
  });

  it('shows every metric of ours somewhere on the dashboard', async () => {
    const { url } = await server({ jobs: {} });
    const dashboard = await file('deploy/grafana-dashboard.json');
    const ours = [...families(await metrics(url)).keys()].filter((name) => name.startsWith('imgtool_'));
    expect(ours.filter((name) => !dashboard.includes(name))).toEqual([]);
  });
});
