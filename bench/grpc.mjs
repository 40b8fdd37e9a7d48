import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('../src/server/grpc/imgtool.proto', import.meta.url));
const WINDOW = 4 * 1024 * 1024;
const PIECE = 128 * 1024;

/** A client as one generates it from the .proto, with a window as wide as the server's. */
export function grpcClient(port) {
  const { imgtool } = loadPackageDefinition(
    loadSync(PROTO, { longs: Number, enums: String, defaults: true, oneofs: true }),
  );
  const options = { 'grpc-node.flow_control_window': WINDOW, 'grpc.max_receive_message_length': -1 };
  const client = new imgtool.v1.ImageService(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  return {
    process: (image, recipe) => processed(client, image, recipe),
    close: () => client.close(),
  };
}

/** Streams a picture there and gives the results' bytes. */
function processed(client, image, recipe) {
  return new Promise((resolve, reject) => {
    const call = client.processStream();
    const parts = [];
    call.on('data', ({ chunk }) => chunk && parts.push(chunk.data));
    call.on('error', reject);
    call.on('end', () => resolve(Buffer.concat(parts)));
    call.write({ spec: { recipe: { json: JSON.stringify(recipe) }, total_size: image.length } });
    void send(call, image);
  });
}

async function send(call, image) {
  const ended = once(call, 'close');
  for (let offset = 0; offset < image.length; offset += PIECE) {
    if (call.destroyed) return;
    const full = !call.write({ chunk: { offset, data: image.subarray(offset, offset + PIECE) } });
    if (full) await Promise.race([once(call, 'drain'), ended]);
  }
  call.end();
}
