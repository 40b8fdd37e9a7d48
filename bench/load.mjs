/**
 * What a load met: answers a second, milliseconds to an answer, and how many were refused.
 * @typedef {{ rate: number, p50: number, p99: number, answered: number, refused: number, failed: number }} Met
 */

/**
 * So many clients, each asking again once it is answered, until all items are through.
 * @template T
 * @param {readonly T[]} items
 * @param {number} clients
 * @param {(item: T) => Promise<'answered' | 'refused' | 'failed'>} ask
 * @returns {Promise<Met>}
 */
export async function closedLoop(items, clients, ask) {
  const seen = tally();
  const queue = items.values();
  const began = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (const item of queue) await seen.timed(() => ask(item));
    }),
  );
  return seen.met((performance.now() - began) / 1000);
}

/**
 * So many requests a second, whether or not those before are answered.
 * @template T
 * @param {readonly T[]} items asked for in turn, over and over
 * @param {{ rate: number, seconds: number }} load
 * @param {(item: T) => Promise<'answered' | 'refused' | 'failed'>} ask
 * @returns {Promise<Met>}
 */
export async function openLoop(items, { rate, seconds }, ask) {
  const seen = tally();
  const asked = [];
  const began = performance.now();
  const total = Math.round(rate * seconds);
  while (asked.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * rate));
    while (asked.length < due) {
      const item = items[asked.length % items.length];
      asked.push(seen.timed(() => ask(item)));
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const taken = (performance.now() - began) / 1000;
  const met = seen.met(taken);
  await Promise.all(asked);
  const end = seen.met(taken);
  return { ...end, rate: met.rate };
}

function tally() {
  const times = [];
  const counts = { answered: 0, refused: 0, failed: 0 };
  return {
    async timed(ask) {
      const began = performance.now();
      const ended = await ask();
      counts[ended] += 1;
      if (ended === 'answered') times.push(performance.now() - began);
    },
    met(seconds) {
      const sorted = [...times].sort((a, b) => a - b);
      return {
        rate: counts.answered / seconds,
        p50: quantile(sorted, 0.5),
        p99: quantile(sorted, 0.99),
        ...counts,
      };
    },
  };
}

/** @param {readonly number[]} sorted */
export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
