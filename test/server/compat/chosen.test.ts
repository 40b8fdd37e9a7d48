import { describe, expect, it } from 'vitest';
import { imgtool } from '../../support/cli.js';
import { server } from '../workshop.js';
import { ask, compatServer } from './ground.js';

const PATHS = ['/result', '/v1/thumbnails', '/status/x'];

describe('--compat', () => {
  it('switches off what is not named', async () => {
    const one = await compatServer({ compat: { names: ['imageapi'] } });
    const answers = await Promise.all(PATHS.map((path) => ask(`${one.url}${path}`)));
    expect(answers.map(({ status }) => status)).toEqual([400, 404, 404]);
    expect(answers[1]?.headers.get('content-type')).toMatch('application/problem+json');
    const none = await server({ jobs: {} });
    for (const path of PATHS)
      expect((await ask(`${none.url}${path}`)).headers.get('content-type')).toMatch(
        'application/problem+json',
      );
  });

  it('names the right names for a wrong one', async () => {
    const { exitCode, stderr } = await imgtool(['serve', '--port', '0', '--compat', 'imageapi,thumbnail']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      'expected all, none, or a list of imageapi, thumbnails, upload-poll, received thumbnail',
    );
    expect(stderr).toMatch('did you mean thumbnails?');
  });

  it('leaves our own API beside them as it is', async () => {
    const { url } = await compatServer();
    const said = await ask(`${url}/v1/jobs/none`);
    expect(said.headers.get('content-type')).toMatch('application/problem+json');
    expect((await ask(`${url}/v1/thumbnails`)).text).toBe(
      '{"status":404,"message":"Thumbnail ID not found"}',
    );
  });

  it('keeps pages of other sites from starting anything', async () => {
    const { url } = await compatServer();
    const headers = { origin: 'https://elsewhere.example.com', 'sec-fetch-site': 'cross-site' };
    for (const path of ['/imageapi?imagePath=/a.jpg', '/v1/thumbnails', '/create']) {
      const said = await ask(`${url}${path}`, { method: 'POST', headers });
      expect([path, said.status]).toEqual([path, 403]);
      expect(said.headers.get('content-type')).toMatch(/^application\/json/);
    }
  });
});
