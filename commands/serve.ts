import { Flags } from '@oclif/core';
import { ImgtoolCommand } from './command.js';
import { duration } from './flags/duration.js';

const LIMITS = 'LIMITS';
const IMAGE = '/IMAGE';
const JOBS = 'JOBS';
const COMPAT = 'APIs of other services';

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
    'tls-cert': Flags.string({
      description: 'speak TLS on all ports, with this certificate (PEM; read anew on SIGHUP)',
      helpValue: 'FILE',
      env: 'IMGTOOL_TLS_CERT',
    }),
    'tls-key': Flags.string({
      description: 'private key of that certificate (PEM, without a password)',
      helpValue: 'FILE',
      env: 'IMGTOOL_TLS_KEY',
    }),
    'public-url': Flags.string({
      description: 'address that clients know the server by, for links in answers',
      helpValue: 'URL',
      env: 'IMGTOOL_PUBLIC_URL',
    }),
    'trust-proxy': Flags.string({
      description:
        'believe X-Forwarded-For, -Proto and -Host from these proxies: loopback, linklocal, uniquelocal, addresses, ranges',
      helpValue: 'ADDRESS,...',
      env: 'IMGTOOL_TRUST_PROXY',
    }),
    root: Flags.string({
      description: 'let requests name files inside this folder, called NAME by them; repeatable',
      helpValue: 'DIR|NAME=DIR',
      multiple: true,
      multipleNonGreedy: true,
      env: 'IMGTOOL_ROOT',
    }),
    'allow-url': Flags.string({
      description:
        'let requests name URLs of this pattern, such as https://*.example.com/images/; repeatable',
      helpValue: 'PATTERN',
      multiple: true,
      multipleNonGreedy: true,
      env: 'IMGTOOL_ALLOW_URL',
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
      description: 'tell gRPC clients what services there are [default: on]',
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
    'data-dir': Flags.string({
      description:
        'folder for queued jobs and their results; one for each port in the user’s data folder by default',
      helpValue: 'DIR',
      helpGroup: JOBS,
      env: 'IMGTOOL_DATA_DIR',
    }),
    jobs: Flags.boolean({
      description: 'take work into the queue; without it no data folder is needed [default: on]',
      default: true,
      allowNo: true,
      helpGroup: JOBS,
      env: 'IMGTOOL_JOBS',
    }),
    'job-ttl': duration({
      description: 'how long a job and its results are kept after its end; 24h by default',
      helpGroup: JOBS,
      env: 'IMGTOOL_JOB_TTL',
    }),
    compat: Flags.string({
      description: 'which to answer: all, none, or a list of imageapi, thumbnails, upload-poll',
      default: 'all',
      helpValue: 'all|none|LIST',
      helpGroup: COMPAT,
      env: 'IMGTOOL_COMPAT',
    }),
    'imageapi-ttl': duration({
      description: 'how long /result tells of a job after its end; 500s by default',
      helpGroup: COMPAT,
      env: 'IMGTOOL_IMAGEAPI_TTL',
    }),
    'thumbnail-ttl': duration({
      description: 'how long /v1/thumbnails keeps a thumbnail; 30d by default',
      helpGroup: COMPAT,
      env: 'IMGTOOL_THUMBNAIL_TTL',
    }),
    'bucket-parent': Flags.string({
      description: 'folder in which /create keeps its bucket; the data folder by default',
      helpValue: 'DIR',
      helpGroup: COMPAT,
      env: 'IMGTOOL_BUCKET_PARENT',
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
    'limit-job-ms': limit(
      'time for one try of a queued job, in milliseconds; 300000 by default',
      'LIMIT_JOB_MS',
    ),
    'limit-jobs': limit('jobs that may wait in the queue; 100,000 by default', 'LIMIT_JOBS'),
    'limit-job-bytes': limit(
      'bytes of all inputs and results of jobs together; 10 GiB by default',
      'LIMIT_JOB_BYTES',
    ),
    'limit-time-ms': limit('time for a whole request, in milliseconds; 15000 by default', 'LIMIT_TIME_MS'),
  };
  static override examples = [
    '<%= config.bin %> serve --port 50051',
    '<%= config.bin %> serve --upstream localhost:50051 --scale 640x480 --grayscale',
    '<%= config.bin %> serve --root ./images --allow-url https://images.example.com/',
  ];

  async run(): Promise<void> {
    const { filled, serveSettings, withoutEnvironment } = await import('./serve-settings.js');
    const { currentPlace } = await import('./flags/configured.js');
    const parsed = await this.parse({ flags: withoutEnvironment(ServeCommand.flags) });
    const { settings } = await serveSettings(ServeCommand.flags, currentPlace());
    const { flags, origins } = await filled(this, ServeCommand.flags, parsed, settings, process.getuid?.());
    const { serve } = await import('./serve-run.js');
    await serve(flags, origins);
  }
}
