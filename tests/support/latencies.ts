/** How many latencies fell in each class, by its number: so that those of several periods can be added. */
export interface Counts {
  [step: string]: number;
}

/** Each class is one percent wider than the one before: as exact as a latency needs to be. */
const STEP = Math.log(1.01);

export function count(counts: Counts, ms: number): void {
  const step = Math.round(Math.log(Math.max(ms, 0.001)) / STEP);
  counts[step] = (counts[step] ?? 0) + 1;
}

export function added(all: Counts[]): Counts {
  const sums: Counts = {};
  for (const counts of all)
    for (const [step, n] of Object.entries(counts)) sums[step] = (sums[step] ?? 0) + n;
  return sums;
}

/** In ms: what this share of all was not above. */
export function percentile(counts: Counts, share: number): number {
  const steps = Object.keys(counts).sort((a, b) => Number(a) - Number(b));
  let left = share * steps.reduce((sum, step) => sum + counts[step], 0);
  for (const step of steps) if ((left -= counts[step]) <= 0) return Math.exp(Number(step) * STEP);
  return 0;
}
