import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { photos } from '../support/fixtures.js';
import { generated, isThere, python } from './python.js';
import { bytesOf, direct, server } from './workshop.js';

const [photo = ''] = photos();

const SCRIPT = `
import json, sys, grpc
import imgtool_pb2 as pb, imgtool_pb2_grpc as rpc, nlimage_pb2 as nl, nlimage_pb2_grpc as nlrpc
port, photo, out = sys.argv[1:4]
data = open(photo, 'rb').read()
channel = grpc.insecure_channel('127.0.0.1:' + port, options=[('grpc.max_receive_message_length', -1)])
stub = rpc.ImageServiceStub(channel)
recipe = pb.Recipe(steps=[pb.Step(op='thumbnail', params={'size': '100'})])
made = stub.Process(pb.ProcessRequest(recipe=recipe, image=data), compression=grpc.Compression.Gzip)
open(out, 'wb').write(made.images[0].data)

def upload():
    yield pb.ProcessStreamRequest(spec=pb.Spec(recipe=recipe, total_size=len(data)))
    for at in range(0, len(data), 131072):
        yield pb.ProcessStreamRequest(chunk=pb.Chunk(offset=at, data=data[at:at + 131072]))

streamed = b''.join(m.chunk.data for m in stub.ProcessStream(upload()) if m.HasField('chunk'))
assert streamed == made.images[0].data
size = stub.Size(pb.SizeRequest(image=data))
old = nlrpc.NLImageServiceStub(channel)
mean = old.MeanFilter(nl.NLImage(color=False, width=3, height=4, data=bytes(range(12))))
code = None
try:
    stub.Process(pb.ProcessRequest(image=b'no picture'))
except grpc.RpcError as error:
    code = error.code().name
print(json.dumps({'width': size.width, 'mean': list(mean.data), 'code': code}))
`;

describe('a client in Python, generated from the protocol buffers', () => {
  it.skipIf(!isThere)(
    'speaks to every service (skipped without python3-grpcio and python3-grpc-tools)',
    async () => {
      const { port } = await server();
      const folder = await generated();
      await writeFile(join(folder, 'client.py'), SCRIPT);
      const out = join(folder, 'out.jpg');
      const { stdout } = await execa(python, ['client.py', `${port}`, photo, out], {
        cwd: folder,
      });
      expect(JSON.parse(stdout)).toEqual({
        width: expect.any(Number),
        mean: [2, 2, 3, 3, 4, 4, 6, 7, 7, 8, 8, 9],
        code: 'FAILED_PRECONDITION',
      });
      const wanted = await direct(await bytesOf(photo), { steps: [{ op: 'thumbnail', size: 100 }] });
      expect((await bytesOf(out)).equals(wanted)).toBe(true);
    },
  );
});
