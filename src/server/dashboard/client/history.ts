import type { Job } from './contract.js';
import { el } from './dom.js';
import { bars } from './plot.js';
import { spanText } from './text.js';

/** What the plot of throughput covers: so many bars of so many milliseconds. */
const [BARS, BAR_MS] = [60, 5000];

/** Tasks whose times are drawn. */
const DRAWN = 60;

/** Between two drawings while many tasks end, in milliseconds. */
const DRAW_MS = 250;

interface Ended {
  readonly at: number;
  /** From the start of the last try to the end, in milliseconds. */
  readonly ran: number;
}

/** How many tasks ended lately, and how long they ran, as two plots. */
export class History {
  readonly #ended = new Map<string, Ended>();
  readonly #throughput = new PlotCard('Finished');
  readonly #times = new PlotCard(`Run times of the last ${DRAWN}`);
  #drawing = false;

  get elements(): readonly HTMLElement[] {
    return [this.#throughput.element, this.#times.element];
  }

  /** Takes in a task that has ended; one that was cancelled tells nothing of speed. */
  add(job: Job): void {
    const at = Date.parse(job.finished_at ?? '');
    if (Number.isNaN(at) || job.state === 'cancelled') return;
    this.#ended.set(job.id, { at, ran: at - Date.parse(job.started_at ?? job.created_at) });
    this.#forget();
    if (this.#drawing) return;
    this.#drawing = true;
    setTimeout(() => this.draw(), DRAW_MS);
  }

  /** Draws what there is, up to now. */
  draw(): void {
    this.#drawing = false;
    const ended = [...this.#ended.values()].sort((a, b) => a.at - b.at);
    drawThroughput(this.#throughput, ended);
    drawTimes(
      this.#times,
      ended.slice(-DRAWN).map(({ ran }) => ran),
    );
  }

  #forget(): void {
    for (const [id, { at }] of this.#ended) {
      if (this.#ended.size <= DRAWN || at > Date.now() - BARS * BAR_MS) return;
      this.#ended.delete(id);
    }
  }
}

/** A plot with its title and the figures that it shows. */
class PlotCard {
  readonly element: HTMLElement;
  readonly #value = el('span', { class: 'value' });
  readonly #place = el('div', { class: 'plot' });

  constructor(title: string) {
    this.element = el(
      'div',
      { class: 'card wide' },
      el('p', { class: 'label' }, title, this.#value),
      this.#place,
    );
  }

  draw(values: readonly number[], shown: string, said: string): void {
    this.#value.textContent = shown;
    this.#place.replaceChildren(bars(values, said));
  }
}

function drawThroughput(card: PlotCard, ended: readonly Ended[]): void {
  const counts = Array.from({ length: BARS }, () => 0);
  for (const { at } of ended) {
    // a server's clock may be a little ahead of this one
    const index = Math.min(BARS - 1, BARS - 1 - Math.floor((Date.now() - at) / BAR_MS));
    if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  const minutes = (BARS * BAR_MS) / 60_000;
  const most = `at most ${Math.max(...counts)} in ${BAR_MS / 1000} s`;
  card.draw(
    counts,
    `${total} in ${minutes} min`,
    `${total} finished in the last ${minutes} minutes, ${most}`,
  );
}

function drawTimes(card: PlotCard, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const within = (share: number): string => {
    const at = Math.ceil(sorted.length * share) - 1;
    return `within ${spanText(sorted[at] ?? 0)}`;
  };
  const shown = sorted.length === 0 ? 'none yet' : `half ${within(0.5)}, 95 % ${within(0.95)}`;
  // the newest right, as in the other plot
  const slots = [...Array.from({ length: DRAWN - times.length }, () => 0), ...times];
  card.draw(slots, shown, `Run times of the last ${times.length} tasks: ${shown}`);
}
