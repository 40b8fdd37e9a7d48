// `npm run check`: everything that must hold of the tree beside its tests. Steps run side by side, as many as there
// are processors; a step is silent unless it fails.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

// the longest first, so that the lanes end together
const STEPS = ['package', 'types', 'layers', 'code', 'lint', 'docs', 'lockfile'].map(
  (name) => `check:${name}`,
);

const started = performance.now();
const built = await step('build');
const passed = built && (await sideBySide(STEPS));
console.log(`${passed ? 'all checks passed' : 'check failed'} in ${seconds(started)}`);
process.exitCode = passed ? 0 : 1;

async function sideBySide(steps) {
  const waiting = [...steps];
  const results = [];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      results.push(await step(next));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return results.every((ok) => ok);
}

function step(name) {
  const from = performance.now();
  const child = spawn('npm', ['run', '--silent', name], {
    cwd: root,
    // Windows starts npm through its .cmd file, which needs a shell
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => output.push(Buffer.from(`${error.message}\n`)));
    child.on('close', (code) => {
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds(from)})`);
      if (code !== 0) process.stdout.write(Buffer.concat(output));
      resolve(code === 0);
    });
  });
}

function seconds(from) {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`;
}
