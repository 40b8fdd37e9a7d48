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

/** The reason that the ErrorInfo of an error's details gives, or undefined. */
export function reasonOf(details: unknown): string | undefined {
  if (!Buffer.isBuffer(details)) return undefined;
  const { details: parts } = readRich<{ details: readonly { type_url: string; value: Buffer }[] }>(
    'Status',
    details,
  );
  const info = parts.find(({ type_url: type }) => type.endsWith('/google.rpc.ErrorInfo'));
  return info && readRich<{ reason: string }>('ErrorInfo', info.value).reason;
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
