/* What the gateway uses: its resident memory, looked at again and again, its CPU time, its descriptors,
 * and what it says itself. */
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd } from '../support/ending.js';
import { memoryOf } from '../support/program.js';

const EVERY = 50;
const TICKS_A_SECOND = 100; // USER_HZ, which Linux tells the same to everybody

/* Seconds, of its own and of the kernel in its name. */
export function cpuOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number);
  return (user + system) / TICKS_A_SECOND;
}

export function descriptorsOf(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

export class Watch {
  #timer;
  #cpuBefore;

  constructor(t, pid) {
    this.pid = pid;
    this.memoryBefore = this.memoryPeak = memoryOf(pid);
    this.#cpuBefore = cpuOf(pid);
    this.#timer = setInterval(() => this.#look(), EVERY);
    atEnd(t, () => clearInterval(this.#timer));
  }

  #look() {
    this.memoryPeak = Math.max(this.memoryPeak, memoryOf(this.pid));
  }

  /* Bytes at the worst, above what it had; and seconds of CPU. */
  end() {
    clearInterval(this.#timer);
    this.#look();
    return { growth: this.memoryPeak - this.memoryBefore, cpu: cpuOf(this.pid) - this.#cpuBefore };
  }
}

/* The largest value of a series while `promise` is under way. */
export async function largest(sluice, series, promise) {
  let worst = 0, over = false;
  const done = promise.finally(() => (over = true));
  while (!over) {
    worst = Math.max(worst, await sluice.metric(series));
    await delay(20);
  }
  return { worst, result: await done };
}
