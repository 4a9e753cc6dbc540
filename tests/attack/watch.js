/* What the gateway uses: its resident memory, sampled, its CPU time, its descriptors, and its metrics. */
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd } from '../support/ending.js';
import { memoryOf, processorSecondsOf } from '../support/program.js';

const EVERY = 50;

export function descriptorsOf(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

export class Watch {
  #timer;
  #cpuBefore;

  constructor(t, pid) {
    this.pid = pid;
    this.memoryBefore = this.memoryPeak = memoryOf(pid);
    this.#cpuBefore = processorSecondsOf(pid);
    this.#timer = setInterval(() => this.#look(), EVERY);
    atEnd(t, () => clearInterval(this.#timer));
  }

  #look() {
    this.memoryPeak = Math.max(this.memoryPeak, memoryOf(this.pid));
  }

  /* { growth: the peak in bytes above the start, cpu: seconds }. */
  end() {
    clearInterval(this.#timer);
    this.#look();
    return { growth: this.memoryPeak - this.memoryBefore, cpu: processorSecondsOf(this.pid) - this.#cpuBefore };
  }
}

/* The largest value of a series until `promise` resolves: { worst, result }. */
export async function largest(sluice, series, promise) {
  let worst = 0, over = false;
  const done = promise.finally(() => (over = true));
  while (!over) {
    worst = Math.max(worst, await sluice.metric(series));
    await delay(20);
  }
  return { worst, result: await done };
}
