import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { SECRET } from '../../fixtures/hostile-svg.js';
import { FIXTURES } from '../../fixtures/manifest.js';
import { fixture } from '../support/fixtures.js';
import { type OutcomeRow, picture, workplace } from '../support/workplace.js';

const HOSTILE = FIXTURES.filter(({ kind }) => kind === 'hostile');

/** What may go wrong with a file, and nothing else. */
const REFUSALS = /^E_(DECODE|UNSUPPORTED|EMPTY|LIMIT_PIXELS|LIMIT_FRAMES|LIMIT_OUTPUT)$/;

describe.each([
  ['thumbnail', []],
  ['resize', ['--width', '50', '--format', 'webp']],
  ['rotate', ['--angle', '180']],
  ['mean', []],
])('%s over every hostile file', async (operation, flags) => {
  it('ends each as it must, with code, stage and file, without a crash or litter', async () => {
    const work = await workplace();
    await work.put({ list: HOSTILE.map(({ file }) => fixture(file)).join('\n') });
    const args = [
      operation,
      ...flags,
      '--files-from',
      'list',
      '--out',
      'o',
      '--name',
      '{name}-{index}.{ext}',
    ];
    const { code, report, err } = await work.json(args);
    expect(code).toBe(1);
    expect(report.error).toBeUndefined();
    expect(err).not.toMatch(/\n\s+at |E_INTERNAL/);
    const outcomes = new Map(report.outcomes.map((outcome) => [outcome.source, outcome]));
    const wrong = HOSTILE.flatMap(({ file, format, expect: known }) => {
      const found = verdictOn(outcomes.get(fixture(file)));
      // a build that does not read documents refuses them as such, whatever they claim
      const wanted = format === 'pdf' && found === 'fail' ? 'either' : known;
      return found === wanted || (wanted === 'either' && found !== 'lost')
        ? []
        : [`${file}: ${wanted}, ${found}`];
    });
    expect(wrong).toEqual([]);
    expect(await work.files('o')).toHaveLength(report.summary.done);
  });
});

function verdictOn(outcome: OutcomeRow | undefined): 'ok' | 'fail' | 'limit' | 'lost' {
  if (outcome === undefined || outcome.status === 'skipped') return 'lost';
  if (outcome.status === 'done') return 'ok';
  const { code = '', stage, file } = outcome.error ?? {};
  if (!REFUSALS.test(code) || stage !== 'decode' || file !== outcome.source) return 'lost';
  return code.startsWith('E_LIMIT') ? 'limit' : 'fail';
}

it('takes what decodes of the damaged ones with --lenient, and never crashes', async () => {
  const work = await workplace();
  await work.put({ list: HOSTILE.map(({ file }) => fixture(file)).join('\n') });
  const args = ['thumbnail', '--lenient', '--files-from', 'list', '--out', 'o', '--name', '{index}.{ext}'];
  const { report, err } = await work.json(args);
  expect(report.summary.total).toBe(HOSTILE.length);
  expect(err).not.toMatch(/\n\s+at |E_INTERNAL/);
  const half = report.outcomes.find(({ source }) => source === fixture('hostile/jpeg-cut-half.jpg'));
  expect(half?.notes?.join()).toContain('damaged');
});

it('tells the facts of every hostile file or why there are none', async () => {
  const work = await workplace();
  await work.put({ list: HOSTILE.map(({ file }) => fixture(file)).join('\n') });
  const { code, out, err } = await work.run(['size', '--files-from', 'list', '--ndjson']);
  expect(code).toBe(1);
  expect(out.trimEnd().split('\n')).toHaveLength(HOSTILE.length);
  expect(err).not.toMatch(/\n\s+at |E_INTERNAL/);
});

describe('an SVG', () => {
  const NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"';

  it('reads no file beside it or elsewhere', async () => {
    const work = await workplace();
    await work.put({ 'red.png': await picture('png', 40, 40, 'red'), 'secret.txt': SECRET });
    const links = ['red.png', `file://${work.at('red.png')}`, work.at('red.png')];
    const images = links.map((href) => `<image width="40" height="40" href="${href}" xlink:href="${href}"/>`);
    await writeFile(work.at('x.svg'), `<svg ${NAMESPACES} width="40" height="40">${images.join('')}</svg>`);
    await work.run(['resize', 'x.svg', '--width', '40', '--out', 'o']);
    const { channels } = await sharp(work.at('o/x.png')).stats();
    expect(channels.map(({ max }) => max)).toEqual([0, 0, 0, 0]);
  });

  it('makes no request', async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.end();
    });
    await new Promise<void>((ready) => void server.listen(0, '127.0.0.1', ready));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const work = await workplace();
    const content = `<style>@import url("${url}/a.css");</style><image width="9" height="9" xlink:href="${url}/b.png"/>`;
    const entity = `<!DOCTYPE svg [<!ENTITY leak SYSTEM "${url}/c">]>`;
    await work.put({
      'x.svg': `<svg ${NAMESPACES} width="9" height="9">${content}</svg>`,
      'y.svg': `${entity}<svg ${NAMESPACES} width="9" height="9"><text>&leak;</text></svg>`,
    });
    await work.run(['thumbnail', '.', '--out', 'o']);
    await new Promise((closed) => server.close(closed));
    expect(requests).toBe(0);
    expect(await work.files('o')).toContain('x.png');
  });

  it('tells no local file in a result or an error', async () => {
    const work = await workplace();
    const names = ['svg-external-entity.svg', 'svg-external-image.svg'].map((name) =>
      fixture(`hostile/${name}`),
    );
    const { out, err } = await work.json(['thumbnail', ...names, '--out', 'o', '--metadata', 'all']);
    expect(out + err).not.toContain(SECRET);
  });
});
