import { chown, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Config } from '@oclif/core';
import { describe, expect, it, vi } from 'vitest';
import { ServeCommand } from '../../commands/serve.js';
import { filled, serveSettings } from '../../commands/serve-settings.js';
import { imgtool, userEnvironment } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';
import { serveFrom } from './serving.js';
import { bytesOf } from './workshop.js';

const [photo = ''] = photos();
const SOON = { timeout: 30_000 };

/** A project whose file holds a `serve` section, a folder inside it, and a home. */
async function project(serve?: object, user?: object) {
  const cwd = await tempDir();
  const home = await tempDir();
  await mkdir(join(cwd, 'deep'));
  await mkdir(join(home, 'imgtool'));
  const file = join(cwd, 'imgtool.config.json');
  if (serve !== undefined) await writeFile(file, JSON.stringify({ serve }));
  if (user !== undefined) await writeFile(join(home, 'imgtool/config.json'), JSON.stringify({ serve: user }));
  const env = { XDG_CONFIG_HOME: home, XDG_CONFIG_DIRS: join(home, 'none') };
  return { cwd, deep: join(cwd, 'deep'), home, file, env };
}

describe('the serve section of a config file', () => {
  it('fills in flags that were not typed, and the server says so', async () => {
    const { cwd, deep, file, env } = await project({
      token: 'opensesame',
      root: ['pictures=images'],
      limitBytes: 1000,
      jobTtl: '1h',
    });
    await mkdir(join(cwd, 'images'));
    await writeFile(join(cwd, 'images/x.jpg'), await bytesOf(photo));
    const { url, said } = await serveFrom({ cwd: deep, env });
    await vi.waitFor(() => expect(said()).toMatch(`config ${file} (token, root, limitBytes, jobTtl)`), SOON);
    expect(said()).not.toMatch('opensesame');
    expect(said().trimEnd().split('\n').length).toBeLessThanOrEqual(6);
    expect((await fetch(`${url}/v1/size?src=pictures/x.jpg`)).status).toBe(401);
    const headers = { authorization: 'Bearer opensesame' };
    expect((await fetch(`${url}/v1/size?src=pictures/x.jpg`, { headers })).status).toBe(413);
  });

  it('is weaker than a flag and the environment; the user’s file is weaker still', async () => {
    const { deep, env } = await project(
      { limitBytes: 1, limitPixels: 1, queue: 1 },
      { queue: 2, connections: 2 },
    );
    const more = { ...env, IMGTOOL_LIMIT_BYTES: '30000000', IMGTOOL_LIMIT_PIXELS: '2' };
    const { url } = await serveFrom({ cwd: deep, env: more }, '--limit-pixels', '50000000');
    const body = new Uint8Array(await bytesOf(photo));
    expect((await fetch(`${url}/v1/process?thumb=100`, { method: 'POST', body })).status).toBe(200);
    const { settings } = await serveSettings(ServeCommand.flags, { cwd: deep, env: more });
    expect(settings).toMatchObject({
      'limit-bytes': { value: 30_000_000, from: 'IMGTOOL_LIMIT_BYTES' },
      queue: { value: 1, from: expect.stringContaining('imgtool.config.json') },
      connections: { value: 2, from: expect.stringContaining('imgtool/config.json') },
    });
  });

  it('is shown with where each value came from, but never a token', async () => {
    const { deep, file, env } = await project({ token: 'opensesame', svg: true });
    const show = (...args: string[]) =>
      imgtool(['config', 'show', ...args], {
        cwd: deep,
        env: { ...userEnvironment(), ...env, IMGTOOL_UPSTREAM_TOKEN: 'otherword', IMGTOOL_PORT: '1,2' },
      });
    const { stdout } = await show('--json');
    expect(JSON.parse(String(stdout)).serve).toEqual({
      token: { value: '(set)', from: file },
      svg: { value: true, from: file },
      upstreamToken: { value: '(set)', from: 'IMGTOOL_UPSTREAM_TOKEN' },
      port: { value: [1, 2], from: 'IMGTOOL_PORT' },
    });
    const table = String((await show()).stdout);
    expect(table).toMatch(/serve\.svg +true +\S+imgtool\.config\.json/);
    expect(`${stdout}${table}`).not.toMatch(/opensesame|otherword/);
  });

  it.each([
    [{ prot: 1 }, 'serve.prot', 'did you mean port?'],
    [{ 'limit-bytes': 1 }, 'serve.limit-bytes', 'did you mean limitBytes?'],
    [{ port: 70_000 }, 'serve.port', 'at most 65535'],
    [{ svg: 'yes' }, 'serve.svg', 'a boolean'],
    [{ scaleFit: 'stretch' }, 'serve.scaleFit', 'one of fill'],
    [{ jobTtl: 'soon' }, 'job-ttl', 'a duration'],
  ])('says what is wrong, and the nearest right key: %j', async (serve, field, hint) => {
    const { deep, file, env } = await project(serve);
    const { exitCode, stderr } = await imgtool(['serve', '--port', '0'], {
      cwd: deep,
      env: { ...userEnvironment(), ...env },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(file);
    expect(stderr).toMatch(field);
    expect(stderr).toMatch(hint);
  });

  it('does not trouble commands that start no server', async () => {
    const { deep, env } = await project({ prot: 1 });
    const { exitCode } = await imgtool(['thumbnail', photo, '--dry-run'], {
      cwd: deep,
      env: { ...userEnvironment(), ...env },
    });
    expect(exitCode).toBe(0);
  });

  it('does not count in a folder above when someone else put it there', async () => {
    const { deep, cwd, file, env } = await project({ queue: 5 });
    const me = process.getuid?.() ?? 0;
    // what root owns is trusted, but root can give files away
    if (me === 0) await chown(file, OTHER, OTHER);
    const { settings } = await serveSettings(ServeCommand.flags, { cwd: deep, env });
    const started = (user: number) =>
      filled(command(), ServeCommand.flags, { flags: {}, metadata: { flags: {} } }, settings, user);
    await expect(started(OTHER + 1)).rejects.toMatchObject({ code: 'E_CONFIG', file });
    expect((await started(me === 0 ? OTHER : me)).flags).toEqual({ queue: 5 });
    const { said } = await serveFrom({ cwd, env });
    await vi.waitFor(() => expect(said()).toMatch(`config ${file} (queue)`), SOON);
  });
});

const OTHER = 12_345;

function command(): ServeCommand {
  return new ServeCommand([], new Config({ root: '.' }));
}

describe('variables of the environment', () => {
  const place = (env: Readonly<Record<string, string>>) => ({
    cwd: '/',
    env: { XDG_CONFIG_HOME: '/nowhere', XDG_CONFIG_DIRS: '/nowhere', ...env },
  });
  const settingsOf = async (env: Readonly<Record<string, string>>) =>
    (await serveSettings(ServeCommand.flags, place(env))).settings;

  it('may hold several values: folders parted as in PATH, the rest by commas', async () => {
    const roots = [`/a,b`, 'name=/c'];
    const settings = await settingsOf({
      IMGTOOL_ROOT: roots.join(delimiter),
      IMGTOOL_ALLOW_URL: 'https://a.example/, https://b.example/',
      IMGTOOL_PORT: '8080',
      IMGTOOL_SVG: 'yes',
      IMGTOOL_REFLECTION: '0',
    });
    expect(settings).toMatchObject({
      root: { value: roots },
      'allow-url': { value: ['https://a.example/', 'https://b.example/'] },
      port: { value: [8080] },
      svg: { value: true },
      reflection: { value: false },
    });
  });

  it.each([
    { IMGTOOL_PORT: 'http' },
    { IMGTOOL_SVG: 'maybe' },
    { IMGTOOL_QUEUE: '0' },
    { IMGTOOL_SCALE_FIT: 'x' },
  ])('are named when they are wrong: %j', async (env) => {
    const [name] = Object.keys(env);
    await expect(settingsOf(env)).rejects.toMatchObject({ code: 'E_CONFIG', file: name });
  });

  it('are known to every flag under its own name', () => {
    for (const [name, { env }] of Object.entries(ServeCommand.flags))
      if (env !== undefined) expect(env).toBe(`IMGTOOL_${name.replaceAll('-', '_').toUpperCase()}`);
  });

  it('give way to what is typed', async () => {
    const settings = await settingsOf({ IMGTOOL_QUEUE: '5', IMGTOOL_HOST: '::1', IMGTOOL_PORT: '1,2' });
    const parsed = {
      flags: { host: '127.0.0.1', port: [3] },
      metadata: { flags: { host: { setFromDefault: true } } },
    };
    const { flags } = await filled(command(), ServeCommand.flags, parsed, settings, undefined);
    expect(flags).toEqual({ host: '::1', port: [3], queue: 5 });
  });
});
