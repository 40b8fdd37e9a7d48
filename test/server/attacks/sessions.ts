import { type ClientHttp2Session, connect as connectHttp2, type Settings } from 'node:http2';
import { onTestFinished } from 'vitest';

const SERVICE = 'imgtool.v1.ImageService';

/** An HTTP/2 connection that is ended with the running test. */
export function session(url: string, settings: Settings = {}): ClientHttp2Session {
  const made = connectHttp2(url, { settings });
  made.on('error', () => undefined);
  onTestFinished(() => made.destroy());
  return made;
}

/** A call whose messages are written by hand. */
export function call(at: ClientHttp2Session, method: string, headers: object = {}) {
  const stream = at.request({
    ':method': 'POST',
    ':path': `/${SERVICE}/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  return stream;
}
