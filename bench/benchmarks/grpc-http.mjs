import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { distant } from '../distance.mjs';
import { grpcClient } from '../grpc.mjs';
import { quantile } from '../load.mjs';
import { made } from '../pictures.mjs';
import { imgtoolServe } from '../servers.mjs';

const RECIPE = { steps: [{ op: 'resize', width: 800 }] };
const SIZES = { '0.5 MP': { width: 800, height: 600 }, '12 MP': { width: 4000, height: 3000 } };

/** The same picture over gRPC and over HTTP: bytes on the way and time to the answer, next door and 20 ms away. */
export async function run({ rounds = 30 }) {
  const imgtool = await imgtoolServe();
  const rows = [];
  try {
    for (const [size, sides] of Object.entries(SIZES)) {
      const folder = await made('grpc-http', 1, sides);
      const [name] = readdirSync(folder);
      const picture = readFileSync(join(folder, name));
      for (const delay of [0, 20]) rows.push(...(await compared(imgtool, { size, picture, delay, rounds })));
    }
  } finally {
    await imgtool.stop();
  }
  return { rows, bars: [] };
}

async function compared(imgtool, { size, picture, delay, rounds }) {
  const way = await distant(imgtool.port, delay);
  const client = grpcClient(way.port);
  const doors = {
    gRPC: (image) => client.process(image, RECIPE),
    HTTP: async (body) => {
      const response = await fetch(`http://127.0.0.1:${way.port}/v1/process?width=800`, {
        method: 'POST',
        body,
      });
      return Buffer.from(await response.arrayBuffer());
    },
  };
  const times = { gRPC: [], HTTP: [] };
  const carried = {};
  for (let round = -3; round < rounds; round += 1) {
    for (const [door, ask] of Object.entries(doors)) {
      const image = Buffer.concat([picture, Buffer.from(`${door} ${round}`)]);
      const before = way.bytes();
      const began = performance.now();
      const answer = await ask(image);
      if (round >= 0) times[door].push(performance.now() - began);
      if (answer.length === 0) throw new Error(`expected a picture over ${door}, received none`);
      carried[door] = (way.bytes() - before - image.length - answer.length) / 1000;
    }
  }
  client.close();
  way.close();
  return Object.entries(times).map(([door, all]) => {
    const sorted = all.sort((a, b) => a - b);
    return {
      picture: `${size}, ${delay} ms away, ${door}`,
      MB: picture.length / 1e6,
      'p50 ms': quantile(sorted, 0.5),
      'p99 ms': quantile(sorted, 0.99),
      'kB beside pictures': carried[door],
    };
  });
}
