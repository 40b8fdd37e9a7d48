import { Flags } from '@oclif/core';
import { ImgtoolCommand } from './command.js';

const LIMITS = 'LIMITS';
const IMAGE = '/IMAGE';

/** A whole number as a flag; the server's own default holds when it is left out. */
function limit(description: string, name: string) {
  return Flags.integer({ description, min: 1, helpValue: 'N', helpGroup: LIMITS, env: `IMGTOOL_${name}` });
}

/** The pipeline as a server. */
export class ServeCommand extends ImgtoolCommand {
  static override summary = 'Serve the same pipeline over HTTP and gRPC';
  static override flags = {
    port: Flags.integer({
      description: 'port to listen on; 50051 by default, 0 for any free one; repeat it for several',
      min: 0,
      max: 65_535,
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'N',
      env: 'IMGTOOL_PORT',
    }),
    host: Flags.string({
      description: 'address to listen on',
      default: '127.0.0.1',
      helpValue: 'ADDRESS',
      env: 'IMGTOOL_HOST',
    }),
    token: Flags.string({
      description: 'let in only requests with Authorization: Bearer TOKEN',
      helpValue: 'TOKEN',
      env: 'IMGTOOL_TOKEN',
    }),
    root: Flags.string({
      description: 'let requests name files inside this folder, called NAME by them; repeatable',
      helpValue: 'DIR|NAME=DIR',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'allow-url': Flags.string({
      description:
        'let requests name URLs of this pattern, such as https://*.example.com/images/; repeatable',
      helpValue: 'PATTERN',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'allow-private': Flags.boolean({
      description: 'fetch from private addresses too: an intranet, a test',
      env: 'IMGTOOL_ALLOW_PRIVATE',
    }),
    svg: Flags.boolean({ description: 'read SVG too', env: 'IMGTOOL_SVG' }),
    upstream: Flags.string({
      description:
        'be the small HTTP API, /image alone, in front of this processing service; port 8080 by default',
      helpValue: 'HOST:PORT',
      helpGroup: IMAGE,
      env: 'IMGTOOL_UPSTREAM',
    }),
    'upstream-token': Flags.string({
      description: 'token that the processing service wants',
      helpValue: 'TOKEN',
      helpGroup: IMAGE,
      env: 'IMGTOOL_UPSTREAM_TOKEN',
    }),
    scale: Flags.string({
      description: 'size that /image brings pictures to',
      default: '1024x768',
      helpValue: 'WxH',
      helpGroup: IMAGE,
      env: 'IMGTOOL_SCALE',
    }),
    'scale-fit': Flags.string({
      description: 'how pictures meet that size',
      default: 'fill',
      options: ['fill', 'inside', 'cover', 'contain'],
      helpGroup: IMAGE,
      env: 'IMGTOOL_SCALE_FIT',
    }),
    'no-scale': Flags.boolean({ description: 'leave sizes alone in /image', helpGroup: IMAGE }),
    grayscale: Flags.boolean({
      description: 'make grays of colours in /image',
      helpGroup: IMAGE,
      env: 'IMGTOOL_GRAYSCALE',
    }),
    reflection: Flags.boolean({
      description: 'tell gRPC clients what services there are',
      default: true,
      allowNo: true,
      env: 'IMGTOOL_REFLECTION',
    }),
    'log-dir': Flags.string({
      description: 'write access.log, error.log and worker.log there instead of to standard output',
      helpValue: 'DIR',
      env: 'IMGTOOL_LOG_DIR',
    }),
    'spool-dir': Flags.string({
      description: 'folder for uploads while they are worked on; the system’s temporary folder by default',
      helpValue: 'DIR',
      env: 'IMGTOOL_SPOOL_DIR',
    }),
    verbose: Flags.boolean({ char: 'v', description: 'print the whole configuration at the start' }),
    workers: limit('pictures worked on at once; as many as processors by default', 'WORKERS'),
    queue: limit('requests that may wait; four for each worker by default', 'QUEUE'),
    connections: limit('connections at once; 1000 by default', 'CONNECTIONS'),
    'limit-bytes': limit('most bytes of one input; 32 MiB by default', 'LIMIT_BYTES'),
    'limit-message-bytes': limit(
      'most bytes of one gRPC message, decompressed; 32 MiB by default',
      'LIMIT_MESSAGE_BYTES',
    ),
    'limit-pixels': limit(
      'most pixels of one input, all frames together; 50,000,000 by default',
      'LIMIT_PIXELS',
    ),
    'limit-frames': limit('most frames of one input; 256 by default', 'LIMIT_FRAMES'),
    'limit-output-pixels': limit('most pixels of a result; 50,000,000 by default', 'LIMIT_OUTPUT_PIXELS'),
    'limit-output-side': limit('most pixels a side of a result; 8192 by default', 'LIMIT_OUTPUT_SIDE'),
    'limit-redirects': Flags.integer({
      description: 'redirects followed for a URL; 3 by default',
      min: 0,
      helpValue: 'N',
      helpGroup: LIMITS,
      env: 'IMGTOOL_LIMIT_REDIRECTS',
    }),
    'limit-connect-ms': limit(
      'time to connect to a URL, in milliseconds; 3000 by default',
      'LIMIT_CONNECT_MS',
    ),
    'limit-fetch-ms': limit('time to fetch a URL, in milliseconds; 5000 by default', 'LIMIT_FETCH_MS'),
    'limit-time-ms': limit('time for a whole request, in milliseconds; 15000 by default', 'LIMIT_TIME_MS'),
  };
  static override examples = [
    '<%= config.bin %> serve --port 50051',
    '<%= config.bin %> serve --upstream localhost:50051 --scale 640x480 --grayscale',
    '<%= config.bin %> serve --root ./images --allow-url https://images.example.com/',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ServeCommand);
    const { serve } = await import('./serve-run.js');
    await serve(flags);
  }
}
