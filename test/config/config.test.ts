import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { imgtool, userEnvironment } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';

async function project(config?: string, name = 'imgtool.config.yaml') {
  const cwd = await tempDir();
  await mkdir(join(cwd, 'deep/in'), { recursive: true });
  await copyFile(photos().find((path) => path.endsWith('rocket.jpg')) ?? '', join(cwd, 'deep/in/x.jpg'));
  if (config !== undefined) await writeFile(join(cwd, name), config);
  const home = await tempDir();
  const env = {
    ...userEnvironment(),
    HOME: home,
    XDG_CONFIG_HOME: undefined,
    XDG_CONFIG_DIRS: join(home, 'none'),
  };
  const run = (args: string[], more: Record<string, string> = {}) =>
    imgtool(args, { cwd: join(cwd, 'deep'), env: { ...env, ...more } });
  return { cwd, home, run, at: (path: string) => join(cwd, 'deep', path) };
}

describe('the project file', () => {
  test('is found upwards and fills in flags that were not typed', async () => {
    const { run, at } = await project('settings:\n  format: webp\n  out: made\n');
    expect((await run(['thumbnail', 'in'])).exitCode).toBe(0);
    expect((await sharp(at('made/x.webp')).metadata()).format).toBe('webp');
    await run(['thumbnail', 'in', '--format', 'png']);
    expect((await sharp(at('made/x.png')).metadata()).format).toBe('png');
  });

  test('may be JSON', async () => {
    const { run, at } = await project('{"settings":{"out":"made"}}', 'imgtool.config.json');
    await run(['thumbnail', 'in']);
    expect(await readFile(at('made/x.jpg'))).toBeTruthy();
  });

  test.each([
    ['settings:\n  qualiti: 3\n', 'settings.qualiti', 'did you mean quality?'],
    ['setings: {}\n', 'setings', 'did you mean settings?'],
    ['settings:\n  quality: 300\n', 'settings.quality', 'at most 100'],
    ['presets:\n  a:\n    step: []\n', 'presets.a.step', 'did you mean steps?'],
    ['a: [', 'YAML or JSON', ''],
  ])('says what is wrong and the nearest right key: %j', async (text, field, hint) => {
    const { run } = await project(text);
    const { exitCode, stderr } = await run(['thumbnail', 'in']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('E_CONFIG');
    expect(stderr).toContain(field);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain('    at ');
  });
});

describe('layers', () => {
  test('the user file is weaker than the project, the environment stronger, a flag strongest', async () => {
    const { run, home } = await project('settings:\n  quality: 50\n');
    await mkdir(join(home, '.config/imgtool'), { recursive: true });
    await writeFile(join(home, '.config/imgtool/config.yaml'), 'settings:\n  quality: 40\n  effort: 2\n');
    const shown = async (env = {}) =>
      JSON.parse(String((await run(['config', 'show', '--json'], env)).stdout)).settings;
    expect((await shown()).quality).toMatchObject({
      value: 50,
      from: expect.stringContaining('imgtool.config.yaml'),
    });
    expect((await shown()).effort).toMatchObject({
      value: 2,
      from: expect.stringContaining('.config/imgtool'),
    });
    expect((await shown({ IMGTOOL_QUALITY: '60' })).quality).toEqual({ value: 60, from: 'IMGTOOL_QUALITY' });
    const { stdout } = await run(['thumbnail', 'in', '--quality', '70', '--json'], { IMGTOOL_QUALITY: '60' });
    expect(JSON.parse(String(stdout)).recipe.outputs[0].quality).toBe(70);
  });

  test('a file undoes nothing that it does not name', async () => {
    const { run, home, at } = await project('settings:\n  quality: 70\n');
    const text = 'settings:\n  metadata: all\n  progressive: true\n  frames: first\n';
    await mkdir(join(home, 'xdg/imgtool'), { recursive: true });
    await writeFile(join(home, 'xdg/imgtool/config.yaml'), text);
    const camera = { IFD0: { Model: 'a camera' } };
    await sharp(at('in/x.jpg')).withExif(camera).toFile(at('photo.jpg'));
    const env = { XDG_CONFIG_HOME: join(home, 'xdg') };
    await run(['run', 'photo.jpg', '--format', 'jpeg', '--out', 'made'], env);
    const { exif, isProgressive } = await sharp(at('made/photo.jpg')).metadata();
    expect(String(exif)).toContain('a camera');
    expect(isProgressive).toBe(true);
    const { settings } = JSON.parse(String((await run(['config', 'show', '--json'], env)).stdout));
    expect(Object.keys(settings).sort()).toEqual(['frames', 'metadata', 'progressive', 'quality']);
    expect(settings.metadata.from).toContain(join('xdg', 'imgtool', 'config.yaml'));
  });

  test('a wrong variable is named', async () => {
    const { run } = await project();
    const { exitCode, stderr } = await run(['thumbnail', 'in'], { IMGTOOL_QUALITY: 'best' });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('IMGTOOL_QUALITY');
  });
});

describe('presets', () => {
  test.each([
    ['thumb', ['x.jpg']],
    ['web', ['x.webp', 'x.jpg']],
    ['email', ['x.jpg']],
    ['ml-1024x768-gray', ['x.png']],
  ])('%s is built in and names its folder', async (name, files) => {
    const { run, at } = await project();
    expect((await run(['run', 'in', '--preset', name])).exitCode).toBe(0);
    for (const file of files)
      expect((await sharp(at(`imgtool-out/${name}/${file}`)).metadata()).width).toBeGreaterThan(0);
  });

  test('of ml-1024x768-gray is a gray picture of exactly that size', async () => {
    const { run, at } = await project();
    await run(['run', 'in', '--preset', 'ml-1024x768-gray']);
    expect(await sharp(at('imgtool-out/ml-1024x768-gray/x.png')).metadata()).toMatchObject({
      width: 1024,
      height: 768,
      channels: 1,
    });
  });

  test('come from the config file too, and keep what they say themselves', async () => {
    const { run, at } = await project(
      'settings:\n  format: png\npresets:\n  small:\n    steps: [{op: thumbnail, size: 50}]\n    outputs: [{format: webp}]\n',
    );
    await run(['run', 'in', '--preset', 'small']);
    expect(await sharp(at('imgtool-out/small/x.webp')).metadata()).toMatchObject({ width: 50 });
  });

  test('from a config file leave to the settings what they do not name, as recipe files do', async () => {
    const small = 'steps: [{op: thumbnail, size: 50}]\noutputs: [{format: webp}]\n';
    const settings = 'metadata: all, progressive: true, frames: first, autoOrient: false';
    const { run, at } = await project(
      `settings: {${settings}}\npresets:\n  small:\n    ${small.replace('\n', '\n    ')}`,
    );
    await writeFile(at('small.yaml'), small);
    for (const source of [
      ['--preset', 'small'],
      ['--recipe', 'small.yaml'],
    ]) {
      const { recipe } = JSON.parse(String((await run(['run', 'in', ...source, '--json'])).stdout));
      expect(recipe).toMatchObject({ name: 'small', frames: 'first', autoOrient: false });
      expect(recipe.outputs[0]).toMatchObject({ format: 'webp', metadata: 'all', progressive: true });
    }
  });

  test('an unknown one names the nearest', async () => {
    const { run } = await project();
    const { exitCode, stderr } = await run(['run', 'in', '--preset', 'webb']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('did you mean web?');
  });
});
