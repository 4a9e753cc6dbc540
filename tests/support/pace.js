/* Doing things at a rate. */
import { setTimeout as delay } from 'node:timers/promises';

const STEP = 10;

/* Calls `act` with each number below `count`, `rate` times a second. It waits for what `act` returns, and
 * makes up for what was late. */
export async function paced(count, rate, act) {
  const began = performance.now();
  for (let n = 0; n < count;) {
    const due = Math.min(count, Math.ceil(((performance.now() - began) / 1000) * rate));
    for (; n < due; n++) await act(n);
    await delay(STEP);
  }
}
