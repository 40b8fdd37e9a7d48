import { announce } from './announce.js';
import { hasJobs, Refusal, wordsFor } from './api.js';
import type { Job } from './contract.js';
import { el, show } from './dom.js';
import { JobStream } from './events.js';
import { Figures } from './figures.js';
import { admitted } from './gate.js';
import { Studio } from './studio.js';
import { TaskDialog } from './task-dialog.js';
import { TaskList } from './tasks.js';

const main = document.getElementById('main') ?? document.body;
const registry = await admitted(main);

let queued: (job: Job) => void = () => undefined;
const studio = new Studio(registry, (job) => queued(job));
main.append(section('recipe', 'Try a recipe', studio.element));
main.append(section('tasks', 'Tasks', ...(hasJobs() ? tasks() : [off()])));

/** The tasks, their details and figures, followed live. */
function tasks(): HTMLElement[] {
  const details = new TaskDialog((recipe) => {
    studio.load(recipe);
    document.getElementById('recipe')?.scrollIntoView();
    announce('The recipe was taken over');
  });
  const numbers = new Figures((counts) => list.count(counts));
  const list = new TaskList(
    (job) => details.open(job),
    (job) => numbers.finished(job),
  );
  queued = (job) => list.accepted(job);
  let known = true;
  new JobStream({
    changed(job) {
      list.changed(job);
      details.changed(job);
    },
    joined() {
      if (!known) announce('Connected again');
      known = true;
      connection('live', 'Live');
      list.reload();
      numbers.refresh();
    },
    lost(why) {
      if (known) announce('Connection lost');
      known = false;
      connection('lost', why instanceof Refusal ? wordsFor(why) : 'Connection lost; trying again');
    },
  });
  return [numbers.element, list.element, details.element];
}

function off(): HTMLElement {
  return el(
    'p',
    { class: 'card hint' },
    'Jobs are off: this server was started with ',
    el('code', {}, '--no-jobs'),
    '.',
  );
}

function connection(state: 'live' | 'lost', text: string): void {
  const sign = document.getElementById('connection');
  if (sign === null) return;
  sign.dataset.state = state;
  sign.textContent = text;
  show(sign, true);
}

function section(id: string, title: string, ...content: readonly HTMLElement[]): HTMLElement {
  const heading = `${id}-title`;
  return el('section', { id, 'aria-labelledby': heading }, el('h2', { id: heading }, title), ...content);
}
