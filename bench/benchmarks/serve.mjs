import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { distant } from '../distance.mjs';
import { grpcClient } from '../grpc.mjs';
import { closedLoop, openLoop } from '../load.mjs';
import { median } from '../measure.mjs';
import { made } from '../pictures.mjs';
import { imgtoolServe, ipxServe } from '../servers.mjs';

const CLIENTS = 8;
const UPLOAD_MB = 24;
const LARGE_MB = 20;
const THUMB = { steps: [{ op: 'thumbnail', size: 100 }] };

/**
 * Thumbnails of distinct photographs beside ipx, uploads over a distance, large pictures side by side, and ten times
 * more requests than can be answered. `files` is the number of photographs in one round.
 */
export async function run({ rounds = 3, files = 300 }) {
  const folder = await made('serve', files, { width: 1600, height: 1200 });
  const sides = await thumbnails(folder, rounds);
  const [own, peer] = sides;
  const uploads = await uploadRates(folder, rounds);
  const large = await largeOnes();
  const overload = await overloaded(folder, own.rate);
  return {
    rows: [
      ...sides.map(({ side, rate, p50, p99 }) => ({
        figure: `${side}: thumbnails a second, p50 ms, p99 ms`,
        value: rate,
        p50,
        p99,
      })),
      ...uploads.map(({ delay, rate }) => ({ figure: `gRPC upload over ${delay} ms, MB/s`, value: rate })),
      { figure: `8 pictures of ${LARGE_MB} MB at once, s`, value: large.seconds },
      { figure: 'the same, peak memory of the server and its decoders, MB', value: large.peak },
      {
        figure: 'ten times the capacity: answers a second, p50 ms, p99 ms',
        value: overload.rate,
        p50: overload.p50,
        p99: overload.p99,
      },
      { figure: 'the same, refused with 503', value: overload.refused },
      { figure: 'the same, failed otherwise', value: overload.failed },
    ],
    bars: [
      ...(peer === undefined
        ? []
        : [{ text: 'thumbnails a second / ipx', value: own.rate / peer.rate, least: 1.3 }]),
      { text: 'upload over 20 ms, MB/s', value: uploads[1].rate, least: 70 },
      { text: 'answers under overload / at capacity', value: overload.rate / own.rate, least: 0.9 },
      { text: 'failures other than 503 under overload', value: overload.failed, most: 0 },
    ],
    raw: { sides, uploads, large, overload },
  };
}

/** Both read the photographs from the same folder, and are asked by the same clients in turn. */
async function thumbnails(folder, rounds) {
  const names = readdirSync(folder);
  const imgtool = await imgtoolServe(['--root', folder]);
  const ipx = await ipxServe(folder);
  const own = (name) => `${imgtool.url}/v1/image?src=${name}&thumb=100`;
  const theirs = (name) => `${ipx?.url}/s_100x100,fit_inside/${name}`;
  try {
    const sides = { imgtool: [], ipx: [] };
    // the first round warms both up
    for (let round = -1; round < rounds; round += 1) {
      const first = await closedLoop(names, CLIENTS, (name) => fetched(own(name)));
      const second = ipx && (await closedLoop(names, CLIENTS, (name) => fetched(theirs(name))));
      if (round < 0) continue;
      sides.imgtool.push(first);
      if (second !== undefined) sides.ipx.push(second);
    }
    return Object.entries(sides).flatMap(([side, all]) =>
      all.length === 0 ? [] : [{ side, ...typical(all) }],
    );
  } finally {
    await Promise.all([imgtool.stop(), ipx?.stop()]);
  }
}

function typical(all) {
  const of = (field) => median(all.map((met) => met[field]));
  const failed = all.reduce((sum, met) => sum + met.failed + met.refused, 0);
  if (failed > 0) throw new Error(`expected every thumbnail, ${failed} were not made`);
  return { rate: of('rate'), p50: of('p50'), p99: of('p99') };
}

/** The way in alone: a photograph with much after its end, which decoders do not read. */
async function uploadRates(folder, rounds) {
  const imgtool = await imgtoolServe();
  const [name] = readdirSync(folder);
  const photograph = readFileSync(join(folder, name));
  const image = Buffer.concat([photograph, Buffer.alloc(UPLOAD_MB * 1e6 - photograph.length)]);
  const rates = [];
  for (const delay of [0, 20]) {
    const way = await distant(imgtool.port, delay);
    const client = grpcClient(way.port);
    const taken = [];
    for (let round = -1; round < rounds; round += 1) {
      // another picture each time, or the server would know it
      image.writeInt32LE(round, image.length - 4);
      const began = performance.now();
      await client.process(image, THUMB);
      if (round >= 0) taken.push(UPLOAD_MB / ((performance.now() - began) / 1000));
    }
    rates.push({ delay, rate: median(taken) });
    client.close();
    way.close();
  }
  await imgtool.stop();
  return rates;
}

/** Peak memory while eight pictures of 20 MB, 24 megapixels each, come at once. */
async function largeOnes() {
  const imgtool = await imgtoolServe(['--queue', '16']);
  const large = await made('large', 1, { width: 6000, height: 4000 });
  const [name] = readdirSync(large);
  const photograph = readFileSync(join(large, name));
  const pictures = Array.from({ length: 8 }, (_, index) => {
    const rest = Buffer.alloc(Math.max(4, LARGE_MB * 1e6 - photograph.length), index);
    return Buffer.concat([photograph, rest]);
  });
  const url = `${imgtool.url}/v1/process?width=800`;
  const began = performance.now();
  const met = await closedLoop(pictures, 8, (body) => fetched(url, { method: 'POST', body }));
  const seconds = (performance.now() - began) / 1000;
  const peak = imgtool.peak();
  await imgtool.stop();
  if (met.answered !== 8) throw new Error(`expected 8 answers, received ${met.answered}`);
  return { seconds, peak };
}

async function overloaded(folder, capacity) {
  const imgtool = await imgtoolServe(['--root', folder]);
  const names = readdirSync(folder);
  // no two requests alike, or they would share a run
  let asked = 0;
  const ask = (name) => {
    asked += 1;
    return fetched(`${imgtool.url}/v1/image?src=${name}&thumb=${90 + (asked % 20)}`);
  };
  await closedLoop(names.slice(0, 50), CLIENTS, ask);
  const met = await openLoop(names, { rate: capacity * 10, seconds: 5 }, ask);
  await imgtool.stop();
  return met;
}

/** As many connections as a proxy in front would hold: both servers close what is beyond their own bound. */
const dispatcher = new Agent({ connections: 256 });

async function fetched(url, options) {
  try {
    const { statusCode, body } = await request(url, { ...options, dispatcher });
    const bytes = await body.arrayBuffer();
    if (statusCode === 503) return 'refused';
    return statusCode === 200 && bytes.byteLength > 0 ? 'answered' : 'failed';
  } catch {
    return 'failed';
  }
}
