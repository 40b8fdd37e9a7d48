import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { OPERATIONS } from '../../operations/index.js';
import { parametersOf } from '../../surface/parameters.js';
import { openApi } from './openapi.js';
import { flatKey } from './recipe-query.js';

/** `/openapi.json`, and `/docs` for people: one page that asks nothing of other servers. */
export function docsRoutes(app: FastifyInstance, version: string, publicUrl?: string): void {
  const description = JSON.stringify(openApi(version, publicUrl));
  const html = page(version);
  const style = createHash('sha256').update(STYLE).digest('base64');
  app.get('/openapi.json', async (_request, reply) => reply.type('application/json').send(description));
  app.get('/docs', async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header(
        'content-security-policy',
        `default-src 'none'; style-src 'sha256-${style}'; frame-ancestors 'none'`,
      )
      .send(html),
  );
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}' +
  'pre{overflow:auto;padding:.75rem;border:1px solid #8886}table{border-collapse:collapse;width:100%}' +
  'td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884}';

/** A picture in, a thumbnail out, in the three languages most clients are written in. */
const EXAMPLES: readonly (readonly [string, string])[] = [
  ['curl', `curl --data-binary @photo.jpg -o small.jpg 'http://localhost:50051/v1/process?thumb=100'`],
  [
    'JavaScript',
    [
      `const body = await readFile('photo.jpg');`,
      `const response = await fetch('http://localhost:50051/v1/process?thumb=100', { method: 'POST', body });`,
      `await writeFile('small.jpg', Buffer.from(await response.arrayBuffer()));`,
    ].join('\n'),
  ],
  [
    'Python',
    [
      'from urllib.request import Request, urlopen',
      '',
      `body = open('photo.jpg', 'rb').read()`,
      `request = Request('http://localhost:50051/v1/process?thumb=100', data=body, method='POST')`,
      `open('small.jpg', 'wb').write(urlopen(request).read())`,
    ].join('\n'),
  ],
];

/** Every request that is answered, as the description has it. */
function routes(version: string): string {
  const paths = openApi(version).paths as Readonly<
    Record<string, Readonly<Record<string, { summary?: string }>>>
  >;
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { summary }]) =>
      summary === undefined
        ? []
        : [`<tr><td><code>${method.toUpperCase()} ${path}</code><td>${escaped(summary)}`],
    ),
  );
  return `<table><tr><th>request<th>what it does\n${rows.join('\n')}</table>`;
}

function page(version: string): string {
  const examples = EXAMPLES.map(([name, code]) => `<h3>${name}</h3>\n<pre>${escaped(code)}</pre>`).join('\n');
  const operations = OPERATIONS.map((operation) => {
    const rows = parametersOf(operation.params).map(
      ({ name, description, default: fallback, choices }) =>
        `<tr><td><code>${name}</code><td>${escaped(description)}${
          choices.length > 0 ? ` (${escaped(choices.join(', '))})` : ''
        }<td>${fallback === undefined ? '' : `<code>${escaped(String(fallback))}</code>`}`,
    );
    return (
      `<h3><code>${flatKey(operation)}</code></h3>\n<p>${escaped(operation.summary)}.\n` +
      `<table><tr><th>parameter<th>meaning<th>default\n${rows.join('\n')}</table>`
    );
  }).join('\n');
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>imgtool ${escaped(version)}</title>
<style>${STYLE}</style>
<h1>imgtool ${escaped(version)}</h1>
<p>Send a picture to <code>/v1/process</code> with a recipe in the query; <code>/v1/size</code> tells its size;
<code>/v1/image?src=</code> takes a picture that the server fetches, where sources are allowed.
The full description is <a href="openapi.json">/openapi.json</a>.
<h2>Examples</h2>
${examples}
<h2>Requests</h2>
${routes(version)}
<p>With <code>Prefer: respond-async</code> work is queued, and the answer is a job.
<h2>Operations</h2>
<p>Flat, in one fixed order: <code>?thumb=100&amp;grayscale</code>; a parameter beside the main one is written
<code>mean=5&amp;mean.rounding=floor</code>. As a chain, run as written: <code>?op=rotate:angle=90&amp;op=thumbnail:size=100</code>.
${operations}
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
