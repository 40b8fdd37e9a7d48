import { expected, ImgtoolError, type Stage, toImgtoolError } from '../errors.js';
import { isCutShort } from './cut-short.js';
import { FORMATS, formats } from './extensions.js';
import { bytesOf, type Input } from './input.js';
import { type PictureFormat, sniff } from './magic.js';

/** What sharp or libvips said, as an error of ours that says what the bytes really are. */
export async function explainFailure(thrown: unknown, input: Input, stage: Stage): Promise<ImgtoolError> {
  if (thrown instanceof ImgtoolError) return thrown;
  let bytes: Uint8Array;
  try {
    bytes = await bytesOf(input);
  } catch (unreadable) {
    return toImgtoolError(unreadable, 'E_READ', { stage: 'read' });
  }
  if (bytes.length === 0)
    return new ImgtoolError('E_EMPTY', expected('a picture', 'a file of 0 bytes'), { stage: 'decode' });
  const type = sniff(bytes);
  if (!isReadable(type)) return unsupported(type, thrown);
  const saying = sayingOf(thrown);
  if (saying !== undefined && ENCODING.test(saying))
    return new ImgtoolError('E_ENCODE', saying, { stage: 'encode', cause: thrown });
  return damaged(type, stage, { bytes, saying, cause: thrown });
}

/** Why a file that sharp might open after all is refused: a camera's raw file wears a TIFF's magic, and shows its preview. */
export function refusalOf(head: Uint8Array): ImgtoolError | undefined {
  const type = sniff(head);
  const decided = type === undefined || isReadable(type) || TEXTS.has(type);
  return decided ? undefined : unsupported(type, undefined);
}

/** Types found by their first letters, which an unusual SVG shares. */
const TEXTS: ReadonlySet<string> = new Set(['html', 'xml', 'text', 'gzip']);

/** The error of a picture of that type that decodes in part or not at all. */
export function damaged(
  type: PictureFormat,
  stage: Stage,
  {
    bytes,
    saying,
    cause,
  }: { readonly bytes: Uint8Array; readonly saying?: string | undefined; readonly cause?: unknown },
): ImgtoolError {
  // the container decides first: what libvips says can be lost or mixed up when pictures fail at the same time
  const cut = isCutShort(bytes, type) || (saying !== undefined && CUT.test(saying));
  const received = cut ? `one cut short after ${bytes.length} bytes` : 'a damaged one';
  const reason = cut || saying === undefined ? '' : `: ${saying}`;
  return new ImgtoolError('E_DECODE', `${expected(`a whole ${type.toUpperCase()}`, received)}${reason}`, {
    stage,
    cause,
  });
}

function isReadable(type: string | undefined): type is PictureFormat {
  return type !== undefined && type in FORMATS && FORMATS[type as keyof typeof FORMATS].reads;
}

function unsupported(type: string | undefined, cause: unknown): ImgtoolError {
  const readable = formats().filter((format) => FORMATS[format].reads);
  const received = type === undefined ? 'bytes of no known picture format' : `${type} data`;
  return new ImgtoolError('E_UNSUPPORTED', expected(`a picture (${readable.join(', ')})`, received), {
    stage: 'decode',
    cause,
  });
}

/** What libvips' savers put before what they say; a reader's fault can end in a bare "unable to write" as well. */
const ENCODING = /^(vips2\w+|\w+save\w*|cgifsave)\b(?!: unable to write)/;

/** What decoders say when the bytes end too early. */
const CUT = /premature end|unexpected end|insufficient input|outside of file bounds|got \d+ bytes, expected/i;

/** The first line that says something a person can use, or undefined. */
function sayingOf(thrown: unknown): string | undefined {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const lines = message.split('\n').map((line) => line.replace(PREFIX, '').trim());
  return lines.find((line) => line.length > 0 && !SILENT.some((pattern) => pattern.test(line)));
}

/** The names of libvips' loaders, which say nothing to a person. */
const PREFIX =
  /^(Input (file|buffer) has corrupt header: ?)?((VipsJpeg|vipspng|pngload|tiff2vips|tiffload|webp|webpload|heif|gifload|glib|svgload)(_\w+)?: )*/;

/** Lines that tell of libvips' own doings, or name files by paths a caller may not see. */
const SILENT: readonly RegExp[] = [
  /^Input /,
  /^Warning treated as error/,
  /unable to write to target/,
  /: bad seek to \d+$/,
  /^\//,
  /^(libpng read|read|unable to parse image|out of order read)( error)?/,
  /^\(\d/,
];
