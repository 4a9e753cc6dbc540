/* Publishes numbered publications, and keeps a ledger of those that Redis has accepted. All times are milliseconds of
 * one clock, which is also that of the gateways' logs. */
import { setTimeout as delay } from 'node:timers/promises';

export const now = () => performance.timeOrigin + performance.now();

const payloadOf = (channel, number) => `${channel} ${number}`;

/* What a payload says: { channel, number }. */
export function read(payload) {
  const [channel, number] = payload.split(' ');
  return { channel, number: Number(number) };
}

export class Ledger {
  #over = false;
  #running = null;
  publications = new Map(); // by channel: { sent, accepted } by number; accepted is null if Redis has not said so
  clients = []; // of Redis; the publications of a channel are made by one at a time

  constructor(channels, client) {
    this.channels = channels;
    this.client = client;
    for (const channel of channels) this.publications.set(channel, []);
  }

  /* Publishes one, and resolves when Redis has answered. */
  async publish(channel) {
    const list = this.publications.get(channel);
    const entry = { sent: now(), accepted: null };
    const number = list.push(entry) - 1;
    try {
      await this.send(channel, payloadOf(channel, number));
      entry.accepted = now();
    } catch {
      // whether Redis has taken it, nobody knows
    }
    return number;
  }

  send(channel, payload) {
    return this.client.publish(channel, payload);
  }

  /* Publishes on each channel in turn, `rate` times a second in all, until stop(). */
  run(rate) {
    this.#over = false;
    this.#running = this.#go(rate);
  }

  async #go(rate) {
    const began = performance.now();
    for (let n = 0; !this.#over; n++) {
      this.publish(this.channels[n % this.channels.length]);
      await delay(Math.max(0, began + ((n + 1) * 1000) / rate - performance.now()));
    }
  }

  async stop() {
    this.#over = true;
    await this.#running;
  }

  get accepted() {
    return [...this.publications.values()].flat().filter(({ accepted }) => accepted !== null).length;
  }
}
