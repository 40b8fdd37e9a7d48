import { address, wantsToken } from './api.js';
import type { RecipeData, Value, Values } from './contract.js';
import { copyButton } from './copy.js';
import { el, radios } from './dom.js';
import { fileWord, shellWord } from './shell.js';
import { visible } from './text.js';

/** What is copied: the picture, if one was chosen, and the recipe. */
export interface Copied {
  readonly file: File | undefined;
  readonly recipe: RecipeData;
}

type Way = 'cli' | 'curl' | 'grpc' | 'json';

const WAYS = [
  ['cli', 'Command line'],
  ['curl', 'curl'],
  ['grpc', 'gRPC JSON'],
  ['json', 'Recipe'],
] as const;

/** The place where the same work is copied as a text; call `update` when it changes. */
export function copyAs(): { readonly element: HTMLElement; update(copied: Copied | undefined): void } {
  let way: Way = 'cli';
  let now: Copied | undefined;
  const shown = el('code');
  const place = el(
    'pre',
    { class: 'code', tabindex: 0, role: 'region', 'aria-label': 'The text to copy' },
    shown,
  );
  const copy = copyButton(() => (now === undefined ? '' : fullText(way, now)));
  const update = (): void => {
    shown.textContent = now === undefined ? '' : visible(textOf(way, now)).replaceAll('‹U+000A›', '\n');
  };
  const ways = radios('Copy as', WAYS, way, (chosen) => {
    way = chosen;
    update();
  });
  return {
    element: el('div', { class: 'copy-as' }, el('div', { class: 'bar' }, ways, copy), place),
    update(copied) {
      now = copied;
      update();
    },
  };
}

function textOf(way: Way, copied: Copied): string {
  if (way === 'cli') return commandLine(copied);
  if (way === 'curl') return curlLine(copied);
  if (way === 'grpc') return grpcJson(copied, '…');
  return JSON.stringify(copied.recipe, null, 2);
}

/** The text that is copied: that which is shown, but for gRPC's message, which holds the picture. */
async function fullText(way: Way, copied: Copied): Promise<string> {
  if (way !== 'grpc' || copied.file === undefined) return textOf(way, copied);
  return grpcJson(copied, await base64(copied.file));
}

/** Parameters of an output that the command line calls by another name. */
const FLAGS: Readonly<Record<string, string>> = { within: 'sizes' };

function commandLine(copied: Copied): string {
  const { steps, outputs, ...other } = copied.recipe;
  const output = outputs[0] ?? {};
  const flags = Object.entries({ ...output, ...other }).map(([name, value]) => flag(name, value as Value));
  const ops = steps.map((step) => `--op ${shellWord(stepText(step))}`);
  // without a step, a format is what says that there is something to do
  const format = ops.length === 0 && output.format === undefined ? ['--format keep'] : [];
  const out = `--out ${fileWord(resultName(copied))}`;
  return ['imgtool run', fileWord(nameOf(copied)), ...ops, ...format, ...flags, out].join(' ');
}

function flag(name: string, value: Value): string {
  const kebab = FLAGS[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (typeof value === 'boolean') return value ? `--${kebab}` : `--no-${kebab}`;
  return `--${kebab} ${shellWord(String(value))}`;
}

/** A step as `imgtool run --op` and a query's `op=` take it. */
function stepText({ op, ...params }: RecipeData['steps'][number]): string {
  const pairs = Object.entries(params).map(([key, value]) => `${key}=${escaped(String(value))}`);
  return pairs.length === 0 ? op : `${op}:${pairs.join(',')}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\,:]/g, '\\$&');
}

function curlLine(copied: Copied): string {
  const { steps, outputs, ...other } = copied.recipe;
  const pairs = [
    ...steps.map((step) => ['op', stepText(step)] as const),
    ...Object.entries({ ...outputs[0], ...other } as Values),
  ];
  const query = pairs.map(([key, value]) => `${key}=${queryText(String(value))}`).join('&');
  const url = `${address('v1/process')}${query === '' ? '' : `?${query}`}`;
  return [
    'curl --fail-with-body',
    ...(wantsToken() ? ['--header "Authorization: Bearer $IMGTOOL_TOKEN"'] : []),
    `--data-binary ${shellWord(`@${nameOf(copied)}`)}`,
    `--output ${fileWord(resultName(copied))}`,
    `'${url}'`,
  ].join(' ');
}

/** Percent-encoded, but for what may stand in a query and is better read as it is. */
function queryText(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/%(3A|3D|2C)/g, decodeURIComponent)
    .replaceAll("'", '%27');
}

/** A message of imgtool.v1.ImageService/Process, as protocol buffers are written in JSON. */
function grpcJson({ recipe }: Copied, image: string): string {
  const { steps, outputs, ...other } = recipe;
  const texts = (values: Values) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  const message =
    Object.keys(other).length > 0
      ? { json: JSON.stringify(recipe) }
      : {
          steps: steps.map(({ op, ...params }) => ({ op, params: texts(params) })),
          outputs: outputs.map((params) => ({ params: texts(params) })),
        };
  return JSON.stringify({ recipe: message, image }, null, 2);
}

function nameOf({ file }: Copied): string {
  return file?.name || 'photo.jpg';
}

/** A name for the result that says its format; a folder where that cannot be known before. */
function resultName(copied: Copied): string {
  const format = copied.recipe.outputs[0]?.format;
  const [, own] = /\.(jpe?g|png|webp|avif|gif|tiff?)$/i.exec(nameOf(copied)) ?? [];
  const isOwn = format === undefined || format === 'auto';
  const extension = isOwn ? own?.toLowerCase() : (EXTENSIONS[String(format)] ?? String(format));
  return extension === undefined ? 'imgtool-out' : `result.${extension}`;
}

const EXTENSIONS: Readonly<Record<string, string>> = { jpeg: 'jpg' };

async function base64(file: Blob): Promise<string> {
  const reader = new FileReader();
  const read = new Promise((resolve, reject) => {
    reader.onload = resolve;
    reader.onerror = () => reject(reader.error);
  });
  reader.readAsDataURL(file);
  await read;
  return String(reader.result).replace(/^[^,]*,/, '');
}
