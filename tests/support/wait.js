/* Waiting: every wait has a condition and a deadline, and its error says what it waited for. */
import { setTimeout as delay } from 'node:timers/promises';

/* Calls `condition` until it returns a true value, and returns that value. An exception counts as "not yet";
 * after the deadline, the last one is part of the error. */
export async function until(condition, { what = condition.toString(), within = 5000 } = {}) {
  const deadline = performance.now() + within;
  let trouble = '';
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      trouble = '';
    } catch (error) {
      trouble = `: ${error.message}`;
    }
    if (performance.now() > deadline)
      throw new Error(`not within ${within} ms: ${what}${trouble}`);
    await delay(10);
  }
}

/* Returns what the promise gives, or throws after `within` milliseconds. */
export async function soon(promise, { what = 'the promise', within = 5000 } = {}) {
  const stop = new AbortController();
  const late = delay(within, null, { signal: stop.signal }).then(() => {
    throw new Error(`not within ${within} ms: ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
    late.catch(() => {});
  }
}

/* A queue of things that arrive one by one and are asked for one by one. */
export class Inbox {
  #waiting = [];
  #there = [];
  #end = null;
  count = 0;

  put(thing) {
    this.count += 1;
    const taker = this.#waiting.shift();
    if (taker) taker.resolve(thing);
    else this.#there.push(thing);
  }

  /* No more will arrive: every wait ends with the error. */
  end(error) {
    this.#end ??= error;
    for (const taker of this.#waiting.splice(0)) taker.reject(this.#end);
  }

  next({ what = 'the next one', within = 5000 } = {}) {
    if (this.#there.length > 0) return Promise.resolve(this.#there.shift());
    if (this.#end) return Promise.reject(this.#end);
    const { promise, resolve, reject } = withResolvers();
    const taker = { resolve, reject };
    this.#waiting.push(taker);
    return soon(promise, { what, within }).catch(error => {
      this.#waiting = this.#waiting.filter(other => other !== taker);
      throw error;
    });
  }

  get isEmpty() {
    return this.#there.length === 0;
  }

  /* Takes all that have arrived. */
  takeAll() {
    return this.#there.splice(0);
  }
}

/* Promise.withResolvers, which Node has only from 22 on. */
export function withResolvers() {
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
}
