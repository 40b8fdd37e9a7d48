import { cp, link, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import * as z from 'zod';
import {
  eventSchema,
  plannedSchema,
  planSchema,
  reportJsonSchema,
  reportSchema,
  sizesSchema,
} from '../../src/report/schema.js';
import { imgtool } from '../support/cli.js';
import { fixture, photos, tempDir } from '../support/fixtures.js';

const SCHEMA_FILE = fileURLToPath(new URL('../../docs/report.schema.json', import.meta.url));

test('the published schema is the one that the code declares', async () => {
  expect(await published()).toEqual(reportJsonSchema());
});

test('a report holds every outcome, the source first, and the summary', async () => {
  const folder = await pictures();
  const { stdout, stderr, exitCode } = await imgtool(['resize', 'images', '--thumb', '50', '--json'], {
    cwd: folder,
  });
  const report = await conforming(String(stdout), reportSchema);
  expect(exitCode).toBe(1);
  expect(report.outcomes.map((outcome) => Object.keys(outcome))).toEqual(
    report.outcomes.map(({ status }) =>
      status === 'failed'
        ? ['source', 'status', 'error']
        : ['source', 'status', 'outputs', 'bytes', 'ms', 'passes', 'notes'],
    ),
  );
  expect(report.summary).toMatchObject({ total: 3, done: 2, failed: 1, unreadable: { heic: 1 } });
  for (const outcome of report.outcomes)
    if (outcome.status === 'done') expect(Math.round(outcome.ms * 10) / 10).toBe(outcome.ms);
  expect(String(stderr).split('\n')).toEqual([
    expect.stringMatching(/^ {2}failed images\/broken\.jpg: decode, E_DECODE: expected /),
    '  2 done, 1 failed',
    '  not read by this build: 1 HEIC',
    '',
  ]);
  const again = await imgtool(['resize', 'images', '--thumb', '50', '--json'], { cwd: folder });
  const second = await conforming(String(again.stdout), reportSchema);
  expect(second.outcomes.map(({ status }) => status).sort()).toEqual(['failed', 'skipped', 'skipped']);
  // the recipe of a report is a recipe
  await writeFile(join(folder, 'again.json'), JSON.stringify(report.recipe));
  const rerun = await imgtool(['run', 'images/a.jpg', '--recipe', 'again.json', '--json'], { cwd: folder });
  const { recipe } = await conforming(String(rerun.stdout), reportSchema);
  expect(recipe).toEqual({ ...report.recipe, name: 'again' });
});

test('--ndjson writes an event for each file and the summary last', async () => {
  const folder = await pictures();
  const { stdout } = await imgtool(['resize', 'images', '--thumb', '50', '--ndjson'], { cwd: folder });
  const events = await conformingLines(String(stdout), eventSchema);
  expect(events.map(({ type }) => type)).toEqual(['outcome', 'outcome', 'outcome', 'summary']);
});

test('a plan is a document, or a line for each file', async () => {
  const folder = await pictures();
  await writeFile(join(folder, 'images/broken.jpg'), 'no picture');
  const args = ['resize', 'images', '--thumb', '50', '--dry-run'];
  const { plan } = await conforming(
    String((await imgtool([...args, '--json'], { cwd: folder })).stdout),
    planSchema,
  );
  expect(plan.map(({ action }) => action).sort()).toEqual(['fail', 'make', 'make']);
  const lines = await imgtool([...args, '--ndjson'], { cwd: folder });
  expect(await conformingLines(String(lines.stdout), plannedSchema)).toEqual(plan);
});

test('sizes are a document, or a line for each file, with the errors of the others', async () => {
  const folder = await pictures();
  await writeFile(join(folder, 'images/text.jpg'), 'no picture');
  const { stdout, exitCode } = await imgtool(['size', 'images', '--json'], { cwd: folder });
  const { sizes, errors } = await conforming(String(stdout), sizesSchema);
  expect(exitCode).toBe(1);
  expect(sizes.map(({ source }) => source)).toEqual(['images/a.jpg', 'images/b.png', 'images/broken.jpg']);
  expect(errors?.map(({ file }) => file)).toEqual(['images/text.jpg']);
  const lines = await imgtool(['size', 'images', '--ndjson'], { cwd: folder });
  const events = await conformingLines(String(lines.stdout), eventSchema);
  expect(events.map(({ type }) => type)).toEqual(['facts', 'facts', 'facts', 'failed']);
});

test.each([
  ['nothing matches', ['resize', 'empty', '--thumb', '9'], 3, 'E_NOTHING_MATCHED'],
  ['nothing matches size', ['size', 'empty'], 3, 'E_NOTHING_MATCHED'],
  ['nothing matches a plan', ['resize', 'empty', '--thumb', '9', '-n'], 3, 'E_NOTHING_MATCHED'],
  [
    'two inputs have one output',
    ['resize', 'images', 'twin', '--thumb', '9', '--name', 'x.{ext}'],
    2,
    'E_COLLISION',
  ],
  ['the folder is a file', ['resize', 'images', '--thumb', '9', '--out', 'images/a.jpg'], 2, 'E_USAGE'],
])('when %s there is one document with the error in it, and an event', async (_, args, code, error) => {
  const folder = await pictures();
  const { stdout, exitCode } = await imgtool([...args, '--json'], { cwd: folder });
  expect(exitCode).toBe(code);
  expect(JSON.parse(String(stdout))).toMatchObject({ schema: 'imgtool.report/1', error: { code: error } });
  await conforming(String(stdout), z.looseObject({}));
  const lines = await imgtool([...args, '--ndjson'], { cwd: folder });
  expect(lines.exitCode).toBe(code);
  const last = String(lines.stdout).trimEnd().split('\n').at(-1) ?? '';
  expect(JSON.parse(last)).toMatchObject({ type: 'error', error: { code: error } });
});

test('an error in the middle of a run closes the document that was begun', async () => {
  const folder = await pictures();
  // the second one's name is only known to clash when its bytes are read
  await mkdir(join(folder, 'late'));
  await cp(fixture('png/interlaced.png'), join(folder, 'late/a.png'));
  await cp(fixture('png/interlaced.png'), join(folder, 'late/b.jpg'));
  await cp(fixture('png/interlaced.png'), join(folder, 'late/b.png'));
  const { stdout, exitCode } = await imgtool(['resize', 'late', '--thumb', '9', '--json', '-j', '1'], {
    cwd: folder,
  });
  const report = await conforming(String(stdout), reportSchema);
  expect({ exitCode, code: report.error?.code }).toEqual({ exitCode: 2, code: 'E_COLLISION' });
  expect(report.outcomes.map(({ source }) => source)).toContain('late/a.png');
});

test.each(['json', 'ndjson'])('an interrupted run ends its --%s whole', async (style) => {
  const folder = await tempDir();
  await mkdir(join(folder, 'many'));
  const photo = photos().find((path) => path.endsWith('mountain.jpg')) ?? '';
  await cp(photo, join(folder, 'one.jpg'));
  // so many that the signal comes long before the last
  await Promise.all(
    Array.from({ length: 400 }, (_, index) =>
      link(join(folder, 'one.jpg'), join(folder, `many/${index}.jpg`)),
    ),
  );
  const run = imgtool(['resize', 'many', '--width', '1500', '-j', '1', `--${style}`], { cwd: folder });
  run.stdout?.once('data', () => run.kill('SIGINT'));
  const { stdout, stderr, exitCode } = await run;
  expect(exitCode).toBe(130);
  expect(stderr).toContain('interrupted');
  if (style === 'ndjson') {
    const events = await conformingLines(String(stdout), eventSchema);
    expect(events.at(-1)).toMatchObject({ type: 'summary', interrupted: true });
    return;
  }
  const { interrupted, summary, outcomes } = await conforming(String(stdout), reportSchema);
  expect({ interrupted, total: summary?.total }).toEqual({ interrupted: true, total: outcomes.length });
  expect(outcomes.length).toBeLessThan(400);
});

async function pictures(): Promise<string> {
  const folder = await tempDir();
  const photo = photos().find((path) => path.endsWith('rocket.jpg')) ?? '';
  for (const name of ['images', 'empty', 'twin']) await mkdir(join(folder, name));
  await cp(photo, join(folder, 'images/a.jpg'));
  await cp(photo, join(folder, 'twin/a.jpg'));
  await cp(fixture('png/interlaced.png'), join(folder, 'images/b.png'));
  await writeFile(join(folder, 'images/broken.jpg'), (await readFile(photo)).subarray(0, 30_000));
  await writeFile(join(folder, 'images/phone.heic'), 'x');
  return folder;
}

/** A document that the published schema allows and in which nothing is undocumented: parsing drops unknown fields. */
async function conforming<S extends z.ZodType>(text: string, schema: S): Promise<z.output<S>> {
  const document: unknown = JSON.parse(text);
  z.fromJSONSchema(await published()).parse(document);
  const parsed = schema.parse(document);
  expect(parsed).toEqual(document);
  return parsed;
}

async function conformingLines<S extends z.ZodType>(text: string, schema: S): Promise<z.output<S>[]> {
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  const parsed = rows.map((row) => schema.parse(row));
  expect(parsed).toEqual(rows);
  return parsed;
}

async function published(): Promise<Parameters<typeof z.fromJSONSchema>[0] & object> {
  return JSON.parse(await readFile(SCHEMA_FILE, 'utf8'));
}
