import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SECRET } from '../../../fixtures/hostile-svg.js';
import { fixture, tempDir } from '../../support/fixtures.js';
import { bytesOf, server } from '../workshop.js';
import { commandLine, DOORS, type Door, grpcDoor, httpDoor, unharmed } from './doors.js';

/** What an SVG could reach: a listener that must see nobody, and files that must not be read. */
interface Outside {
  readonly url: string;
  readonly picture: string;
  readonly secret: string;
  connections(): number;
}

async function outside(): Promise<Outside> {
  let connections = 0;
  const listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const folder = await tempDir();
  const [picture, secret] = [join(folder, 'red.png'), join(folder, 'secret.txt')];
  await sharp({ create: { width: 40, height: 40, channels: 3, background: 'red' } }).toFile(picture);
  await writeFile(secret, SECRET);
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return { url, picture, secret, connections: () => connections };
}

const NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"';

function svg(content: string, prolog = '', sides = 'width="40" height="40"'): string {
  return `${prolog}<svg ${NAMESPACES} ${sides}>${content}</svg>`;
}

function image(href: string): string {
  return `<image width="40" height="40" href="${href}" xlink:href="${href}"/>`;
}

function declared(entity: string): string {
  return `<!DOCTYPE svg [${entity}]>`;
}

const LEAK = '<text y="20" font-size="20">&leak;</text>';

/** SVGs that draw nothing of their own: what is seen in a result came from elsewhere. */
const REACHING: readonly (readonly [string, (to: Outside) => string])[] = [
  ['a script', () => svg('<script>document.write("x")</script><g onload="x()"/>')],
  [
    'a foreignObject',
    ({ url }) =>
      svg(
        `<foreignObject width="40" height="40"><body xmlns="http://www.w3.org/1999/xhtml" style="background:red">x<img src="${url}/a"/></body></foreignObject>`,
      ),
  ],
  ['a picture by file://', ({ picture }) => svg(image(`file://${picture}`))],
  ['a picture by path', ({ picture }) => svg(image(picture))],
  ['a picture by a way up', ({ picture }) => svg(image(`../../../../../../..${picture}`))],
  ['a picture by http://', ({ url }) => svg(image(`${url}/a.png`))],
  [
    'a picture inside an inner SVG',
    ({ picture }) =>
      svg(
        image(`data:image/svg+xml;base64,${Buffer.from(svg(image(`file://${picture}`))).toString('base64')}`),
      ),
  ],
  [
    'a picture in a filter',
    ({ picture, url }) =>
      svg(
        `<filter id="f"><feImage href="file://${picture}"/><feImage href="${url}/f"/></filter><rect width="40" height="40" fill="none" filter="url(#f)"/>`,
      ),
  ],
  [
    'a use of another file',
    ({ url }) => svg(`<use href="${url}/a.svg#x"/><use xlink:href="file:///etc/passwd#x"/>`),
  ],
  [
    'a style that is imported',
    ({ url }) =>
      svg(
        `<style>@import url("${url}/a.css"); @import "file:///etc/passwd"; @font-face{font-family:x;src:url(${url}/f)}</style>`,
      ),
  ],
  ['a style sheet beside', ({ url }) => svg('', `<?xml-stylesheet type="text/css" href="${url}/a.css"?>`)],
  ['an external entity', ({ secret }) => svg(LEAK, declared(`<!ENTITY leak SYSTEM "file://${secret}">`))],
  ['an external entity of the web', ({ url }) => svg(LEAK, declared(`<!ENTITY leak SYSTEM "${url}/e">`))],
  ['an entity of parameters', ({ url }) => svg('', declared(`<!ENTITY % all SYSTEM "${url}/p"> %all;`))],
  ['an external document type', ({ url }) => svg('', `<!DOCTYPE svg SYSTEM "${url}/svg.dtd">`)],
  [
    'an inclusion',
    ({ secret }) =>
      svg(`<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://${secret}" parse="text"/>`),
  ],
];

const HUGE = 'width="2000000" height="2000000"';

/** SVGs that grow: a code of these, and soon. */
const GROWING: readonly (readonly [string, () => Buffer | Promise<Buffer>, RegExp])[] = [
  ['entities in entities', () => bytesOf(fixture('hostile/svg-entities.svg')), /^E_DECODE$/],
  ['a huge size', () => Buffer.from(svg('', '', HUGE)), /^E_LIMIT_PIXELS$/],
  [
    'a huge size in UTF-16',
    () => Buffer.from(`\uFEFF${svg('', '', HUGE)}`, 'utf16le'),
    /^E_(LIMIT_PIXELS|DECODE)$/,
  ],
  [
    'a size of 1e300',
    () => Buffer.from(svg('', '', 'width="1e300" height="1e300"')),
    /^E_(LIMIT_PIXELS|DECODE)$/,
  ],
  ['a size below nothing', () => Buffer.from(svg('', '', 'width="-5" height="-5"')), /^E_DECODE$/],
  ['a huge view', () => Buffer.from(svg('', '', 'viewBox="0 0 100000 100000"')), /^E_LIMIT_PIXELS$/],
  ['groups in groups', () => bytesOf(fixture('hostile/svg-deep.svg')), /^(OK|E_DECODE)$/],
  ['groups that use each other', () => bytesOf(fixture('hostile/svg-use-loop.svg')), /^(OK|E_DECODE)$/],
  ['uses that double', () => Buffer.from(svg(doubling(30))), /^(OK|E_DECODE)$/],
  [
    'a blur of 1e9',
    () =>
      Buffer.from(
        svg(
          '<filter id="f"><feGaussianBlur stdDeviation="1e9"/></filter><rect width="9" height="9" filter="url(#f)"/>',
        ),
      ),
    /^(OK|E_DECODE)$/,
  ],
];

/** Each group draws the one before twice. */
function doubling(levels: number): string {
  const groups = Array.from(
    { length: levels },
    (_, level) => `<g id="g${level + 1}"><use href="#g${level}"/><use href="#g${level}"/></g>`,
  );
  return `<defs><rect id="g0" width="1" height="1"/>${groups.join('')}</defs><use href="#g${levels}"/>`;
}

const ON: readonly (readonly [string, () => Promise<Door>])[] = [
  ['HTTP', async () => httpDoor(await server({ svg: true }))],
  ['gRPC', async () => grpcDoor(await server({ svg: true }))],
  ['the command line', async () => commandLine()],
];

describe.each(ON)('SVG over %s, where it is on', (_, opened) => {
  it('reaches nothing outside itself', async () => {
    const door = await opened();
    const to = await outside();
    for (const [what, make] of REACHING) {
      const { code, said } = await door.ask(Buffer.from(make(to)), { outputs: [{ format: 'png' }] });
      expect(code, what).toMatch(/^(OK|E_DECODE)$/);
      expect(said, what).not.toContain(SECRET);
    }
    expect(to.connections()).toBe(0);
    await door.unharmed();
  });

  it('grows to nothing that is not bounded', async () => {
    const door = await opened();
    for (const [what, bytes, code] of GROWING)
      expect((await door.ask(await bytes(), { outputs: [{ format: 'png' }] })).code, what).toMatch(code);
    await door.unharmed();
  });
});

it('shows nothing of a file or of the web', async () => {
  const at = await server({ svg: true });
  const to = await outside();
  for (const [what, make] of REACHING) {
    const response = await fetch(`${at.url}/v1/process?format=png`, { method: 'POST', body: make(to) });
    if (response.status !== 200) continue;
    const { channels } = await sharp(Buffer.from(await response.arrayBuffer())).stats();
    expect(
      channels.map(({ max }) => max),
      what,
    ).toEqual([0, 0, 0, 0]);
  }
  await unharmed(at);
});

describe.each(DOORS.slice(0, 2))('SVG over %s, where it is off', (_, opened) => {
  it('is refused as a type that is not read, in every form', async () => {
    const door = await opened();
    const to = await outside();
    for (const [what, make] of REACHING)
      expect((await door.ask(Buffer.from(make(to)), {})).code, what).toBe('E_UNSUPPORTED');
    for (const [what, bytes] of GROWING)
      expect((await door.ask(await bytes(), {})).code, what).toBe('E_UNSUPPORTED');
    const wide = Buffer.from(`\uFEFF${svg('<script/>')}`, 'utf16le');
    expect((await door.ask(wide, {})).code).toBe('E_UNSUPPORTED');
    expect(to.connections()).toBe(0);
    await door.unharmed();
  });
});
