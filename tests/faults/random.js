/* Random numbers from a seed, so that a run can be repeated. */

/* An integer that the seed and the name of a fault make; FNV-1a. */
export function seedOf(text) {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return hash;
}

export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /* From 0 up to 1, without 1: a Weyl sequence, mixed. */
  next() {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }

  /* An integer from `least` to `most`. */
  between(least, most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }
}
