import { Flags, type Interfaces } from '@oclif/core';

/** Flags of commands that ask a server for its jobs. */
export const jobServerFlags = {
  server: Flags.string({
    description: 'address of the server; https:// in front for TLS',
    default: 'http://127.0.0.1:50051',
    helpValue: 'URL',
    env: 'IMGTOOL_SERVER',
  }),
  token: Flags.string({
    description: 'token that the server wants',
    helpValue: 'TOKEN',
    env: 'IMGTOOL_TOKEN',
  }),
  ca: Flags.string({
    description: 'trust a server with a certificate of these authorities, in PEM, and no other',
    helpValue: 'FILE',
    env: 'IMGTOOL_CA',
  }),
  json: Flags.boolean({ description: 'print one JSON document' }),
} as const;

/** What the parser makes of {@link jobServerFlags}. */
export type JobServerFlags = Interfaces.InferredFlags<typeof jobServerFlags>;
