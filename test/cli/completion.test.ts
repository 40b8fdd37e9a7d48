import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { OPERATIONS } from '../../src/operations/index.js';
import { CLI, imgtool } from '../support/cli.js';
import { photos, tempDir } from '../support/fixtures.js';

const scripts = new Map<string, string>();

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'powershell'])
    scripts.set(shell, String((await imgtool(['completion', shell])).stdout));
});

/** bash splits a line at = and : before it asks for completions, as these words are. */
const BASH: readonly (readonly [string[], string[]])[] = [
  [['re'], ['resize']],
  [['inf'], ['info']],
  [
    ['resize', '--fi'],
    ['--fit', '--files-from'],
  ],
  [
    ['resize', '--fit', 'co'],
    ['cover', 'contain'],
  ],
  [
    ['resize', '--fit', '=', 'co'],
    ['cover', 'contain'],
  ],
  [
    ['resize', '--position', 'ri'],
    ['right\\ top', 'right', 'right\\ bottom'],
  ],
  [['resize', '-f', 'w'], ['webp']],
  [['resize', 'a.jpg', '--no-r'], ['--no-recursive']],
  [
    ['thumbnail', '--frames', ''],
    ['all', 'first'],
  ],
  [['run', '--op', ''], OPERATIONS.map(({ name }) => name)],
  [['run', '--op', 'gray'], ['grayscale']],
  [['run', '--op', 'resize', ':', 'wi'], ['width=']],
  [['run', '--op', 'resize', ':', 'width', '=', '8,fi'], ['8,fit=']],
  [
    ['run', '--op', 'resize', ':', 'width', '=', '8,fit', '=', 'co'],
    ['cover', 'contain'],
  ],
  [['run', '--op', 'resize', ':', 'width', '=', '8', '--op', 'me'], ['mean']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'powershell'],
  ],
  [['config', ''], ['show']],
  [['config', 'show', '--j'], ['--json']],
  // file names are bash's own affair: no word of ours
  [['resize', ''], []],
  [['resize', 'ima'], []],
  [['resize', '--out', 'im'], []],
  [['resize', '--out', '=', 'im'], []],
  [['run', '--recipe', 'we'], []],
];

test.each(BASH)('bash completes %j', async (words, replies) => {
  const { reply } = await inBash(
    'COMP_WORDS=(imgtool "$@"); COMP_CWORD=$#; COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}',
    words,
  );
  expect([...reply].sort()).toEqual([...replies].sort());
});

test('bash keeps its own completion of file names', async () => {
  const { output } = await inBash('complete -p imgtool; COMP_WORDS=(imgtool ""); COMP_CWORD=1', []);
  expect(output).toContain('complete -o bashdefault -o default -F _imgtool imgtool');
});

test('the bash script leaves no other name behind, and takes strict shells', async () => {
  const { output } = await inBash(
    'set -u; declare -F; COMP_WORDS=(imgtool resize --fit ""); COMP_CWORD=3',
    [],
  );
  const functions = output.match(/^declare -f \S+/gm) ?? [];
  expect(functions.length).toBeGreaterThan(3);
  for (const name of functions) expect(name).toMatch(/^declare -f _imgtool/);
});

const zshIsMissing = spawnSync('zsh', ['--version']).error !== undefined && process.env.CI === undefined;

/** What is typed, a tab included, and what the line must then be. */
const ZSH: readonly (readonly [string, string])[] = [
  ['imgtool grays\t', 'imgtool grayscale'],
  ['imgtool resize my\t', 'imgtool resize my\\ pictures'],
  ['imgtool resize x --fit cov\t', 'imgtool resize x --fit cover'],
  ['imgtool resize x --fit=cov\t', 'imgtool resize x --fit=cover'],
  ['imgtool run --op resi\t:wid\t8,fit=cov\t', 'imgtool run --op resize:width=8,fit=cover'],
  ['imgtool run --recipe my\t', 'imgtool run --recipe my\\ pictures'],
  ['imgtool config sh\t--js\t', 'imgtool config show --json'],
];

test.skipIf(zshIsMissing).each(ZSH)('zsh completes %j', async (typed, line) => {
  const folder = await shellFolder();
  await writeFile(join(folder, 'script.zsh'), scripts.get('zsh') ?? '');
  // a line is typed into a real zsh, and ended so that echo tells what became of it
  await writeFile(
    join(folder, 'type.zsh'),
    [
      'zmodload zsh/zpty',
      'zpty shell zsh -f -i',
      'zpty -w shell \'bindkey -e; PS1=; stty -echo; setopt no_list_beep; source ./script.zsh; echo rea""dy\'',
      "zpty -r -m shell answer $'*ready*'",
      'zpty -w -n shell "$1"',
      // beginning of the line, quoted as it stands
      'zpty -w -n shell $\'\\C-aprint -r -- "<\\C-e>"\\n\'',
      "zpty -r -m shell answer $'*>*\\n*'",
      'print -r -- "$answer"',
    ].join('\n'),
  );
  const { stdout } = await promisify(execFile)('zsh', ['-f', 'type.zsh', typed], {
    cwd: folder,
    timeout: 50_000,
  });
  expect(stdout).toContain(line);
});

test('the PowerShell script holds every command, closes what it opens, and quotes what it says', () => {
  const script = scripts.get('powershell') ?? '';
  expect(script).toContain('Register-ArgumentCompleter -Native -CommandName imgtool');
  for (const { name } of OPERATIONS) expect(script).toContain(`'${name}' = @('`);
  expect(script).toContain("'resize --fit' = @('inside', 'cover', 'contain', 'fill', 'outside')");
  expect(script).toContain("'resize:fit' = @('inside'");
  expect(script).toContain("'resize --out' = @()");
  const bare = script
    .replaceAll(/'(?:[^'\n]|'')*'/g, '')
    .replaceAll(/"[^"\n]*"/g, '')
    .replaceAll(/#.*$/gm, '');
  expect(bare).not.toMatch(/['"]/);
  for (const [open, close] of ['{}', '()', '[]'] as const)
    expect(bare.split(open ?? '').length).toBe(bare.split(close ?? '').length);
});

test('a completion script is complete without the commands being started', async () => {
  const bash = scripts.get('bash') ?? '';
  expect(bash).not.toMatch(/\bnode\b|\bnpx\b|imgtool completion(?! bash)/);
  await inBash('COMP_WORDS=(imgtool ""); COMP_CWORD=1; PATH=', []);
});

/** Runs bash with the script sourced, and gives what it would offer. */
async function inBash(
  setting: string,
  words: readonly string[],
): Promise<{ reply: string[]; output: string }> {
  const folder = await shellFolder();
  await writeFile(join(folder, 'script.bash'), scripts.get('bash') ?? '');
  const line = `source ./script.bash; ${setting}; _imgtool 2>/dev/null; echo REPLY; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', line, 'bash', ...words], {
    cwd: folder,
  });
  const [output = '', reply = ''] = stdout.split('REPLY\n');
  return { output, reply: reply.split('\n').filter((word) => word !== '') };
}

async function shellFolder(): Promise<string> {
  const folder = await tempDir();
  await mkdir(join(folder, 'my pictures'));
  await cp(photos()[0] ?? '', join(folder, 'my pictures/a b.jpg'));
  await symlink(CLI, join(folder, 'imgtool'));
  return folder;
}
