import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader';

/** The protocol buffers of imgtool's own service and of NLImageService. */
export const DEFINITIONS: PackageDefinition = loaded('imgtool.proto', 'nlimage.proto');

/** `imgtool.v1.ImageService`. */
export const IMAGE_SERVICE = serviceOf('imgtool.v1.ImageService');

/** `NLImageService`, which has no package. */
export const NLIMAGE_SERVICE = serviceOf('NLImageService');

const RICH = loaded('rich-errors.proto');

/** Writes a message of the package google.rpc. */
export function richBytes(
  name: 'Status' | 'ErrorInfo' | 'BadRequest' | 'RetryInfo',
  message: object,
): Buffer {
  const definition = RICH[`google.rpc.${name}`] as MessageTypeDefinition<object, object>;
  return definition.serialize(message);
}

/** What an error's details say. */
export interface RichFacts {
  /** A code of the project's table, when one of its servers answered. */
  readonly reason?: string;
  /** Where it arose, as far as the server tells: `stage`, `field`. */
  readonly context: Readonly<Record<string, string>>;
  /** Milliseconds to wait before another try. */
  readonly waitMs?: number;
}

/** Reads `grpc-status-details-bin`: ErrorInfo and RetryInfo. Nothing of what is missing or of another make. */
export function richFacts(details: unknown): RichFacts {
  if (!Buffer.isBuffer(details)) return { context: {} };
  const { details: parts } = readRich<{ details: readonly { type_url: string; value: Buffer }[] }>(
    'Status',
    details,
  );
  const part = (name: string) => parts.find(({ type_url: type }) => type.endsWith(`/google.rpc.${name}`));
  const info = part('ErrorInfo');
  const retry = part('RetryInfo');
  const told = info && readRich<ErrorInfo>('ErrorInfo', info.value);
  const delay = retry && readRich<RetryInfo>('RetryInfo', retry.value).retryDelay;
  return {
    context: told?.metadata ?? {},
    ...(told && { reason: told.reason }),
    ...(delay && { waitMs: delay.seconds * 1000 + delay.nanos / 1e6 }),
  };
}

interface ErrorInfo {
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
}

interface RetryInfo {
  readonly retryDelay: { readonly seconds: number; readonly nanos: number } | null;
}

function readRich<M>(name: string, bytes: Buffer): M {
  return (RICH[`google.rpc.${name}`] as MessageTypeDefinition<object, M>).deserialize(bytes);
}

// the files lie beside this one, in the library and in the bundle
function loaded(...names: readonly string[]): PackageDefinition {
  const files = names.map((name) => fileURLToPath(new URL(`./${name}`, import.meta.url)));
  return loadSync(files, { longs: Number, enums: String, defaults: true, oneofs: true });
}

function serviceOf(name: string): ServiceDefinition {
  return DEFINITIONS[name] as ServiceDefinition;
}
