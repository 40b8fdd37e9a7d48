import { sniffMarkup } from './magic-markup.js';
import { type RawType, sniffTiff } from './magic-tiff.js';

/** The picture formats imgtool knows how to read. */
export type PictureFormat = 'jpeg' | 'png' | 'gif' | 'webp' | 'tiff' | 'avif' | 'svg' | 'pdf';

/** What is recognised so that a refusal can name it, but is not a picture this build reads. */
export type OtherType =
  | RawType
  | 'cr3'
  | 'orf'
  | 'rw2'
  | 'raf'
  | 'heic'
  | 'bmp'
  | 'jxl'
  | 'jp2'
  | 'psd'
  | 'ico'
  | 'exr'
  | 'hdr'
  | 'pnm'
  | 'qoi'
  | 'dds'
  | 'npy'
  | 'video'
  | 'zip'
  | 'gzip'
  | 'html'
  | 'xml'
  | 'text';

/** How many bytes of a file's beginning {@link sniff} wants: enough for an SVG's long prolog or a TIFF's first directory. */
export const SNIFF_BYTES = 4096;

/** The format that the first bytes of a file (at best {@link SNIFF_BYTES}) show, or undefined; the name never counts. */
export function sniff(head: Uint8Array): PictureFormat | OtherType | undefined {
  for (const { type, at = 0, bytes } of SIGNATURES) if (holds(head, at, bytes)) return type;
  return sniffContainer(head) ?? sniffTiff(head) ?? sniffWindows(head) ?? sniffMarkup(head);
}

interface Signature {
  readonly type: PictureFormat | OtherType;
  readonly at?: number;
  readonly bytes: string;
}

/** Fixed bytes, one character each. More than one format's are never a prefix of one another. */
const SIGNATURES: readonly Signature[] = [
  { type: 'jpeg', bytes: '\xff\xd8\xff' },
  { type: 'png', bytes: '\x89PNG\r\n\x1a\n' },
  { type: 'gif', bytes: 'GIF87a' },
  { type: 'gif', bytes: 'GIF89a' },
  { type: 'pdf', bytes: '%PDF-' },
  { type: 'pdf', bytes: '\xef\xbb\xbf%PDF-' },
  { type: 'jxl', bytes: '\xff\x0a' },
  { type: 'jxl', bytes: '\0\0\0\x0cJXL \r\n\x87\n' },
  { type: 'jp2', bytes: '\0\0\0\x0cjP  \r\n\x87\n' },
  { type: 'jp2', bytes: '\xff\x4f\xff\x51' },
  { type: 'psd', bytes: '8BPS\0' },
  { type: 'exr', bytes: '\x76\x2f\x31\x01' },
  { type: 'hdr', bytes: '#?RADIANCE' },
  { type: 'hdr', bytes: '#?RGBE' },
  { type: 'qoi', bytes: 'qoif' },
  { type: 'dds', bytes: 'DDS |' },
  { type: 'npy', bytes: '\x93NUMPY' },
  { type: 'raf', bytes: 'FUJIFILMCCD-RAW' },
  { type: 'orf', bytes: 'IIRO' },
  { type: 'orf', bytes: 'IIRS' },
  { type: 'orf', bytes: 'MMOR' },
  { type: 'rw2', bytes: 'IIU\0' },
  { type: 'video', bytes: '\x1a\x45\xdf\xa3' },
  { type: 'zip', bytes: 'PK\x03\x04' },
  { type: 'zip', bytes: 'PK\x05\x06' },
  { type: 'gzip', bytes: '\x1f\x8b' },
];

function holds(head: Uint8Array, at: number, bytes: string): boolean {
  if (head.length < at + bytes.length) return false;
  for (let i = 0; i < bytes.length; i++) if (head[at + i] !== bytes.charCodeAt(i)) return false;
  return true;
}

/** RIFF and ISO base media files: the format is named inside the container. */
function sniffContainer(head: Uint8Array): PictureFormat | OtherType | undefined {
  if (holds(head, 0, 'RIFF')) {
    if (holds(head, 8, 'WEBP')) return 'webp';
    return holds(head, 8, 'AVI ') ? 'video' : undefined;
  }
  return holds(head, 4, 'ftyp') ? sniffBrands(head) : undefined;
}

/** The major brand decides; `mif1` and `msf1` say only "a HEIF container", so there the compatible brands do. */
function sniffBrands(head: Uint8Array): PictureFormat | OtherType {
  const major = brandAt(head, 8);
  if (AVIF_BRANDS.has(major)) return 'avif';
  if (major === 'crx ') return 'cr3';
  if (HEIC_BRANDS.has(major)) return 'heic';
  if (major !== 'mif1' && major !== 'msf1') return 'video';
  const size = new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(0);
  const end = Math.min(size, head.length);
  for (let at = 16; at + 4 <= end; at += 4) if (AVIF_BRANDS.has(brandAt(head, at))) return 'avif';
  return 'heic';
}

const AVIF_BRANDS: ReadonlySet<string> = new Set(['avif', 'avis']);
const HEIC_BRANDS: ReadonlySet<string> = new Set([
  'heic',
  'heix',
  'heim',
  'heis',
  'hevc',
  'hevx',
  'hevm',
  'hevs',
]);

function brandAt(head: Uint8Array, at: number): string {
  return String.fromCharCode(...head.subarray(at, at + 4));
}

/** BMP, ICO and PNM have magics of two to four common bytes, so the fields behind them must fit as well. */
function sniffWindows(head: Uint8Array): OtherType | undefined {
  if (holds(head, 0, 'BM') && BMP_HEADER_SIZES.has(head[14] ?? 0) && holds(head, 15, '\0\0\0')) return 'bmp';
  const icon = holds(head, 0, '\0\0\x01\0') || holds(head, 0, '\0\0\x02\0');
  if (icon && (head[4] ?? 0) > 0 && holds(head, 9, '\0')) return 'ico';
  const pnm = head[0] === 0x50 && (head[1] ?? 0) >= 0x31 && (head[1] ?? 0) <= 0x37;
  return pnm && (head[2] === 0x0a || head[2] === 0x0d || head[2] === 0x20) ? 'pnm' : undefined;
}

/** The first byte of a BMP's second header is its own size. */
const BMP_HEADER_SIZES: ReadonlySet<number> = new Set([12, 16, 40, 52, 56, 64, 108, 124]);
