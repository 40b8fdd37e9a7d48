import { Flags, type Interfaces } from '@oclif/core';

/** Flags of processing at servers. */
export const remoteFlags = {
  server: Flags.string({
    description:
      'process at this server of imgtool, or at several, instead of here; https:// in front for TLS',
    helpValue: 'HOST:PORT,...',
    helpGroup: 'REMOTE',
    env: 'IMGTOOL_SERVER',
  }),
  token: Flags.string({
    description: 'token that the servers want',
    helpValue: 'TOKEN',
    helpGroup: 'REMOTE',
    env: 'IMGTOOL_TOKEN',
  }),
  ca: Flags.string({
    description: 'trust servers with a certificate of these authorities, in PEM, and no others',
    helpValue: 'FILE',
    helpGroup: 'REMOTE',
    env: 'IMGTOOL_CA',
  }),
  'server-protocol': Flags.string({
    description: 'what the servers speak; nlimage turns by 90 degrees and has a mean of 3x3, no more',
    options: ['imgtool', 'nlimage'],
    default: 'imgtool',
    helpGroup: 'REMOTE',
  }),
} as const;

/** Flags of leaving pictures at servers. */
export const queueFlags = {
  async: Flags.boolean({
    description: 'leave the pictures at the server as jobs, print their ids and end; see imgtool jobs',
    helpGroup: 'REMOTE',
  }),
} as const;

/** What the parser makes of {@link remoteFlags}. */
export type RemoteFlags = Interfaces.InferredFlags<typeof remoteFlags>;
