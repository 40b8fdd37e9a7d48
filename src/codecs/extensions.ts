import type { OtherType, PictureFormat } from './magic.js';

/** Every format of a file imgtool reads or writes; `npy` (a NumPy array) is only written. */
export type Format = PictureFormat | 'npy';

/** What a format can hold and what this build does with it. */
export interface FormatFacts {
  /** Lower case, without the dot; the first is the one given to new files. */
  readonly extensions: readonly [string, ...string[]];
  readonly mime: string;
  readonly reads: boolean;
  readonly writes: boolean;
  /** Whether a file can hold several frames or pages that this build reads. */
  readonly frames: boolean;
  readonly alpha: boolean;
  /** Whether samples can have 16 bits. */
  readonly depth16: boolean;
}

const NEITHER = { frames: false, alpha: false, depth16: false } as const;
const BOTH_WAYS = { reads: true, writes: true } as const;

/** The one table of formats; whatever asks about a format or an extension derives its answer from here. */
export const FORMATS: Readonly<Record<Format, FormatFacts>> = {
  jpeg: { extensions: ['jpg', 'jpeg', 'jpe', 'jfif'], mime: 'image/jpeg', ...BOTH_WAYS, ...NEITHER },
  png: {
    extensions: ['png', 'apng'],
    mime: 'image/png',
    ...BOTH_WAYS,
    frames: false,
    alpha: true,
    depth16: true,
  },
  gif: { extensions: ['gif'], mime: 'image/gif', ...BOTH_WAYS, frames: true, alpha: true, depth16: false },
  webp: { extensions: ['webp'], mime: 'image/webp', ...BOTH_WAYS, frames: true, alpha: true, depth16: false },
  tiff: {
    extensions: ['tiff', 'tif'],
    mime: 'image/tiff',
    ...BOTH_WAYS,
    frames: true,
    alpha: true,
    depth16: true,
  },
  avif: { extensions: ['avif'], mime: 'image/avif', ...BOTH_WAYS, ...NEITHER, alpha: true },
  svg: { extensions: ['svg'], mime: 'image/svg+xml', reads: true, writes: false, ...NEITHER, alpha: true },
  // reads stays false until the PDF renderer is part of the build: until then it is counted and named as unreadable
  pdf: {
    extensions: ['pdf'],
    mime: 'application/pdf',
    reads: false,
    writes: false,
    ...NEITHER,
    frames: true,
  },
  npy: {
    extensions: ['npy'],
    mime: 'application/x-npy',
    reads: false,
    writes: true,
    ...NEITHER,
    alpha: true,
  },
};

/** Extensions of pictures that are known but not read, by type: counted and named, never skipped in silence. */
export const UNREADABLE_EXTENSIONS = {
  heic: ['heic', 'heif', 'hif', 'heics', 'heifs'],
  bmp: ['bmp', 'dib'],
  jxl: ['jxl'],
  cr2: ['cr2'],
  cr3: ['cr3'],
  nef: ['nef', 'nrw'],
  arw: ['arw', 'sr2', 'srf'],
  dng: ['dng'],
  orf: ['orf'],
  rw2: ['rw2'],
  raf: ['raf'],
  raw: ['raw', 'crw', 'pef', 'srw', '3fr', 'iiq', 'x3f', 'erf', 'kdc', 'dcr', 'mrw', 'rwl'],
  jp2: ['jp2', 'j2k', 'jpx', 'jpf', 'j2c'],
  psd: ['psd', 'psb'],
  ico: ['ico', 'cur'],
  exr: ['exr'],
  hdr: ['hdr'],
  pnm: ['pnm', 'ppm', 'pgm', 'pbm', 'pam'],
  qoi: ['qoi'],
  dds: ['dds'],
} as const satisfies Partial<Record<OtherType, readonly string[]>>;

/** The format an extension (any case, with or without its dot) stands for, or undefined. */
export function formatOfExtension(extension: string): Format | undefined {
  return BY_EXTENSION.get(plain(extension));
}

/** The type of a picture that is known by its extension but not read by this build, or undefined. */
export function unreadableTypeOf(extension: string): string | undefined {
  const format = formatOfExtension(extension);
  if (format === undefined) return UNREADABLE_BY_EXTENSION.get(plain(extension));
  // an array that we ourselves wrote is no picture left out
  return FORMATS[format].reads || format === 'npy' ? undefined : format;
}

/** Whether files with this extension (any case, with or without its dot) are taken from a directory. */
export function readsExtension(extension: string): boolean {
  const format = formatOfExtension(extension);
  return format !== undefined && FORMATS[format].reads;
}

/** The extension, without its dot, that a new file of this format gets. */
export function extensionOf(format: Format): string {
  return FORMATS[format].extensions[0];
}

/** Whether a file with this extension (any case, with or without its dot) may hold this format. */
export function extensionFits(extension: string, format: Format): boolean {
  return formatOfExtension(extension) === format;
}

const BY_EXTENSION: ReadonlyMap<string, Format> = new Map(
  formats().flatMap((format) => FORMATS[format].extensions.map((extension) => [extension, format] as const)),
);

const UNREADABLE_BY_EXTENSION: ReadonlyMap<string, string> = new Map(
  Object.entries(UNREADABLE_EXTENSIONS).flatMap(([type, extensions]) =>
    extensions.map((extension) => [extension, type] as const),
  ),
);

/** Every format of {@link FORMATS}, in its order. */
export function formats(): readonly Format[] {
  return Object.keys(FORMATS).filter((key): key is Format => key in FORMATS);
}

function plain(extension: string): string {
  return extension.replace(/^\./, '').toLowerCase();
}
