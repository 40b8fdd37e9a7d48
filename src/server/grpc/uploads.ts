import { timingSafeEqual } from 'node:crypto';
import { expected, ImgtoolError } from '../../errors.js';
import { type Draft, type Spool, tooManyBytes, type Upload } from '../spool.js';
import type { Chunk, Spec } from './messages.js';

/** How broken uploads are kept. */
export interface KeepOptions {
  /** Most bytes of one upload. */
  readonly most: number;
  /** Time that a broken upload is kept, in milliseconds. */
  readonly keepMs: number;
  /** Broken uploads kept at once; the oldest goes first. */
  readonly count: number;
}

/** Uploads in pieces, which can be taken up again after they broke off. */
export interface Uploads {
  /** Begins an upload, or takes a broken one up again. Throws E_USAGE for a bad spec, E_LIMIT_BYTES for a declared size. */
  begin(spec: Spec): UploadInPieces;
  /** Bytes kept of a broken upload. Throws E_NOT_FOUND. */
  committed(id: string): number;
  /** Forgets all broken uploads. */
  close(): Promise<void>;
}

/** One upload while its stream lasts. */
export interface UploadInPieces {
  /** Throws E_USAGE for a piece that does not follow the last, E_LIMIT_BYTES for one too many. */
  append(chunk: Chunk): Promise<void>;
  /** Whether less has come than was declared. */
  isShort(): boolean;
  /** The whole. Throws E_USAGE when it is not of the declared size or hash, E_EMPTY when there is nothing. */
  finish(): Promise<Upload>;
  /** The stream broke: keeps what came, when it can be taken up again. */
  break(): Promise<void>;
  /** What came is of no use. */
  abandon(): Promise<void>;
}

interface Broken {
  readonly draft: Draft;
  readonly totalSize: number;
  readonly timer: NodeJS.Timeout;
}

/** Uploads into a spool. */
export function uploads(spool: Spool, options: KeepOptions): Uploads {
  const broken = new Map<string, Broken>();
  const forget = async (id: string): Promise<void> => {
    const kept = broken.get(id);
    if (kept === undefined) return;
    broken.delete(id);
    clearTimeout(kept.timer);
    await kept.draft.abandon();
  };
  const keep = async (draft: Draft, { uploadId, totalSize }: Spec): Promise<void> => {
    await forget(uploadId);
    const timer = setTimeout(() => void forget(uploadId), options.keepMs).unref();
    broken.set(uploadId, { draft, totalSize, timer });
    const [oldest] = broken.keys();
    if (broken.size > options.count && oldest !== undefined) await forget(oldest);
  };
  /** A draft is taken out while a stream writes to it, so that two streams never write to one. */
  const taken = ({ uploadId, totalSize }: Spec): Draft => {
    const kept = broken.get(uploadId);
    if (kept === undefined || kept.totalSize !== totalSize) return spool.draft(options.most);
    broken.delete(uploadId);
    clearTimeout(kept.timer);
    return kept.draft;
  };
  return {
    begin(spec) {
      checkSpec(spec, options.most);
      return inPieces(spec, taken(spec), keep);
    },
    committed(id) {
      const kept = broken.get(id);
      if (kept === undefined)
        throw new ImgtoolError('E_NOT_FOUND', expected('the id of a broken upload', 'another'));
      return kept.draft.size;
    },
    close: async () => void (await Promise.all([...broken.keys()].map(forget))),
  };
}

function checkSpec({ uploadId, totalSize, sha256 }: Spec, most: number): void {
  if (totalSize > most) throw tooManyBytes(most);
  const wrong =
    (uploadId !== '' && !/^[\w-]{16,64}$/.test(uploadId) && 'upload_id') ||
    (sha256 !== '' && !/^[0-9a-f]{64}$/i.test(sha256) && 'sha256') ||
    (totalSize < 0 && 'total_size') ||
    (uploadId !== '' && totalSize === 0 && 'total_size');
  if (wrong === false) return;
  const wanted =
    'an upload_id of 16 to 64 letters, digits and dashes with its total_size, a sha256 in hexadecimal';
  throw new ImgtoolError('E_USAGE', expected(wanted, `something else in ${wrong}`), {
    field: `spec.${wrong}`,
  });
}

function inPieces(
  spec: Spec,
  draft: Draft,
  keep: (draft: Draft, spec: Spec) => Promise<void>,
): UploadInPieces {
  const { totalSize, sha256, uploadId } = spec;
  return {
    async append({ offset, data }) {
      if (offset !== draft.size) throw usage(`a chunk at ${draft.size}`, `one at ${offset}`, 'chunk.offset');
      if (totalSize > 0 && offset + data.length > totalSize)
        throw usage(`${totalSize} bytes`, 'more', 'spec.total_size');
      await draft.append(data);
    },
    isShort: () => draft.size < totalSize,
    async finish() {
      if (totalSize > 0 && draft.size !== totalSize)
        throw usage(`${totalSize} bytes`, `${draft.size}`, 'spec.total_size');
      const upload = await draft.finish();
      if (sha256 === '' || timingSafeEqual(Buffer.from(sha256, 'hex'), Buffer.from(upload.identity, 'hex')))
        return upload;
      upload.release();
      throw usage(`bytes with the sha256 ${sha256}`, 'others', 'spec.sha256');
    },
    break: () => (uploadId === '' || draft.size === 0 ? draft.abandon() : keep(draft, spec)),
    abandon: () => draft.abandon(),
  };
}

function usage(wanted: string, received: string, field: string): ImgtoolError {
  return new ImgtoolError('E_USAGE', expected(wanted, received), { stage: 'read', field });
}
