import { constants, type Http2Server, type ServerHttp2Stream } from 'node:http2';

/** Calls that run out of time have this much more, in milliseconds, so that their own words reach their callers first. */
const GRACE_MS = 1000;

/**
 * Ends streams that stand still: a request that is not whole in time, since a unary one is handed to nobody before,
 * and an answer that nobody takes. Streams that only have nothing to say are left alone.
 */
export function endStandstill(http2: Http2Server, totalMs: number): void {
  const ms = totalMs + GRACE_MS;
  http2.on('stream', (stream: ServerHttp2Stream) => {
    const incomplete = setTimeout(() => {
      if (!stream.readableEnded) stream.close(constants.NGHTTP2_CANCEL);
    }, ms).unref();
    stream.setTimeout(ms, () => {
      if (stream.writableLength > 0) stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.once('close', () => clearTimeout(incomplete));
  });
}
