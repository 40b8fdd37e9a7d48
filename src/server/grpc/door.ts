import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { ImgtoolError } from '../../errors.js';
import { DEFINITIONS, IMAGE_SERVICE, NLIMAGE_SERVICE } from './definitions.js';
import { type JobDoors, jobMethods } from './jobs.js';
import { nlimageMethods } from './nlimage.js';
import { pictureMethods } from './pictures.js';
import { addReflection } from './reflection.js';
import { withSmallRecipes } from './small-recipes.js';
import { endStandstill } from './standstill.js';
import { streamMethods } from './streams.js';
import { uploads } from './uploads.js';
import { WINDOW } from './window.js';

/** How the gRPC door is set up. */
export interface GrpcOptions extends JobDoors {
  /** Most bytes of one message, decompressed. */
  readonly messageBytes: number;
  /** Tell clients what services there are. */
  readonly reflection: boolean;
}

/** The gRPC services, over connections that come from elsewhere. */
export interface GrpcDoor {
  take(socket: Socket): void;
  /** Health says NOT_SERVING from now on. */
  notServing(): void;
  /** Asks clients to let go of their connections. */
  letGo(): void;
  close(): Promise<void>;
}

const SERVED = ['', 'imgtool.v1.ImageService', 'NLImageService'];

/** Broken uploads are kept this long, in milliseconds, and so many of them. */
const KEEP = { keepMs: 600_000, count: 32 };

/** Sets up the gRPC services. */
export function grpcDoor(options: GrpcOptions): GrpcDoor {
  const { service } = options;
  const server = new Server({
    'grpc.max_receive_message_length': options.messageBytes,
    'grpc.max_concurrent_streams': 256,
    'grpc.max_connection_idle_ms': IDLE * service.limits.totalMs,
  });
  const pieces = uploads(service.spool, { ...KEEP, most: service.limits.bytes });
  server.addService(withSmallRecipes(IMAGE_SERVICE), {
    ...pictureMethods(options),
    ...streamMethods(options, pieces),
    ...jobMethods(options),
  });
  server.addService(NLIMAGE_SERVICE, nlimageMethods(options));
  const health = new HealthImplementation(Object.fromEntries(SERVED.map((name) => [name, 'SERVING'])));
  health.addToServer(server);
  if (options.reflection) addReflection(server, DEFINITIONS);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const http2 = http2Of(server);
  widenWindows(http2);
  endStandstill(http2, service.limits.totalMs);
  return {
    take: (socket) => injector.injectConnection(socket),
    notServing: () => SERVED.forEach((name) => void health.setStatus(name, 'NOT_SERVING')),
    letGo: () => injector.drain(LETTING_GO_MS),
    async close() {
      await pieces.close();
      server.forceShutdown();
    },
  };
}

const LETTING_GO_MS = 1500;

/**
 * Connections without a call are let go after so many times the limit of a call: one that broke the protocol is told
 * so by Node.js, and then left open for as long as its other side likes.
 */
const IDLE = 2;

/** grpc-js does not show the HTTP/2 server it makes, and has no options for its windows and streams; tests guard this. */
function http2Of(server: Server): Http2Server {
  const made: unknown = Reflect.get(server, 'http2Servers');
  const [http2] = made instanceof Map ? (made.keys() as Iterator<Http2Server> & Iterable<Http2Server>) : [];
  if (http2 === undefined)
    throw new ImgtoolError('E_INTERNAL', 'grpc-js keeps its HTTP/2 servers elsewhere now');
  return http2;
}

function widenWindows(http2: Http2Server): void {
  http2.updateSettings({ initialWindowSize: WINDOW, maxConcurrentStreams: 256 });
  http2.on('session', (session: ServerHttp2Session) => session.setLocalWindowSize(WINDOW));
}
