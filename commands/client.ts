import { Flags } from '@oclif/core';
import { ImgtoolCommand } from './command.js';

/** The client of NLImageService. */
export class ClientCommand extends ImgtoolCommand {
  static override summary = 'Turn or smooth a picture at a server of NLImageService';
  static override flags = {
    host: Flags.string({ description: 'host of the server', default: 'localhost', helpValue: 'HOST' }),
    port: Flags.integer({
      description: 'port of the server',
      default: 50_051,
      min: 1,
      max: 65_535,
      helpValue: 'N',
    }),
    input: Flags.string({ description: 'picture to send', required: true, helpValue: 'FILE' }),
    output: Flags.string({
      description: 'folder for the result, processed_NAME',
      required: true,
      helpValue: 'DIR',
    }),
    rotate: Flags.string({
      description: 'turn counter-clockwise, before the mean',
      default: 'NONE',
      options: ['NONE', 'NINETY_DEG', 'ONE_EIGHTY_DEG', 'TWO_SEVENTY_DEG'],
    }),
    mean: Flags.boolean({ description: 'smooth with a mean filter of 3x3' }),
    encoded: Flags.boolean({ description: 'send the file as it is instead of its pixels' }),
    'timeout-ms': Flags.integer({
      description: 'time for each call, in milliseconds',
      default: 60_000,
      min: 1,
      helpValue: 'N',
    }),
  };
  static override examples = [
    '<%= config.bin %> client --input photo.jpg --output results --rotate NINETY_DEG --mean',
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ClientCommand);
    const { runClient } = await import('./client-run.js');
    await runClient(flags);
  }
}
