/* Plays one fault on the stage: listeners of all kinds at every gateway, newcomers, some who come and go on their
 * channels, some whose session ends in the middle; and afterwards the judgement. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/wait.js';
import { HEALED_MS, judge, outages } from './judge.js';
import { Ledger, now } from './ledger.js';
import { createListener, tryToOpen } from './listeners.js';
import { CHANNELS } from './stage.js';

const RATE = 100; // publications a second
const EACH = 3; // listeners of a kind at a gateway
const COME_EVERY = 200; // ms between newcomers
const WATCH_EVERY = 100; // ms
const SETTLE = 15000;
const SHOWN = 10; // faults in a message

class Play {
  listeners = [];
  newcomers = [];
  samples = new Map(); // by place
  #isOver = false;
  #errands = [];

  constructor(stage, fault) {
    this.stage = stage;
    this.fault = fault;
    this.ledger = new Ledger(CHANNELS, stage.publisher);
  }

  #create(place, kind, name) {
    const listener = createListener(place, kind, CHANNELS, `${name} ${kind} on_gap=${place.onGap}`);
    this.listeners.push(listener);
    return listener;
  }

  async #openAll(name, { cookie }, count) {
    const all = this.stage.places.flatMap(place => ['plain', 'v1'].flatMap(kind =>
      Array.from({ length: count }, (_, n) => this.#create(place, kind, `${name} ${n}`))));
    await Promise.all(all.map(one => one.open(cookie)));
    return all;
  }

  async begin() {
    this.stage.each(proxy => proxy.behave());
    await Promise.all(this.stage.places.map(({ sluice }) => sluice.ready()));
    this.good = await this.stage.logIn();
    this.leaver = await this.stage.logIn();
    this.stayers = await this.#openAll('stayer', this.good, EACH);
    this.leavers = await this.#openAll('leaver', this.leaver, 1);
    this.flippers = await this.#openAll('flipper', this.good, 1);
    this.ledger.run(RATE);
    this.#errands = [
      this.#keepComing(), ...this.stage.places.map(place => this.#watch(place)),
      ...this.flippers.filter(({ kind }) => kind === 'v1').map(one => this.#flip(one))];
    await this.#allHear(now(), 'publications arrive before the fault');
  }

  /* Each leaves and joins a channel again and again. */
  async #flip(listener) {
    for (let n = 0; !this.#isOver && listener.isOpen; n++) {
      const channel = CHANNELS[n % CHANNELS.length];
      for (const type of ['unsubscribe', 'subscribe']) await listener.ask(type, channel).catch(() => {});
      await delay(20);
    }
  }

  async #keepComing() {
    const stays = [];
    for (let n = 0; !this.#isOver; n++) {
      const place = this.stage.places[n % this.stage.places.length];
      const listener = createListener(place, n % 4 < 2 ? 'plain' : 'v1', CHANNELS, `newcomer ${n}`);
      stays.push(this.#visit(listener));
      await delay(COME_EVERY);
    }
    await Promise.all(stays);
  }

  async #visit(listener) {
    const began = now();
    const opened = await tryToOpen(listener, this.good.cookie);
    this.newcomers.push({ began, opened: opened ? now() : null });
    if (!opened) return;
    this.listeners.push(listener);
  }

  /* Looks at the gateways as an operator's monitoring would. */
  async #watch(place) {
    const samples = [];
    this.samples.set(place, samples);
    while (!this.#isOver) {
      samples.push(await place.look());
      await delay(WATCH_EVERY);
    }
    samples.push(await place.look());
  }

  get open() {
    return this.listeners.filter(listener => listener.isOpen && !listener.isEnding && !this.flippers.includes(listener));
  }

  /* Waits until each open listener has a publication on each channel that was made after `time`. */
  async #allHear(time, what, within = SETTLE) {
    const first = channel => this.ledger.publications.get(channel).findIndex(
      ({ sent, accepted }) => accepted !== null && sent > time);
    await until(() => CHANNELS.every(channel => {
      const number = first(channel);
      return number >= 0 && this.open.every(listener => listener.has(channel, number));
    }), { what, within });
  }

  /* After the fault: everything works again. Returns after how many milliseconds. */
  async recover(healed) {
    await this.#allHear(healed, 'publications arrive again');
    await until(async () => {
      const answers = await Promise.all(this.stage.places.map(({ sluice }) => sluice.admin('/readyz')));
      return answers.every(({ status }) => status === 200);
    }, { what: 'the gateways are ready', within: SETTLE });
    await until(() => this.newcomers.some(({ began, opened }) => began > healed && opened), {
      what: 'newcomers are let in', within: SETTLE });
    await until(() => this.leavers.every(one => one.isClosed), {
      what: 'connections end whose session was deleted', within: SETTLE });
    return now() - healed;
  }

  /* Publishes nothing more, and gives the judgement when there is nothing to object to, or when it is too late for
   * what is still missing. */
  async judgement(began, healed) {
    await this.ledger.stop();
    const times = { began, healed, end: now() };
    const isFair = () => this.verdict(times).faults.length === 0;
    await until(isFair, { within: Math.max(0, healed + HEALED_MS - now()) }).catch(() => {});
    return this.verdict(times);
  }

  async end() {
    await this.ledger.stop();
    this.#isOver = true;
    await Promise.all(this.#errands);
    for (const listener of this.listeners) listener.end();
  }

  /* Connections on a channel of large publications, which nobody judges. */
  openBulk() {
    return Promise.all(this.stage.places.map(place =>
      createListener(place, 'plain', ['bulk'], 'bulk').open(this.good.cookie)));
  }

  verdict(times) {
    const down = new Map(this.stage.places.map(place => [place, outages(this.samples.get(place))]));
    const sum = { received: 0, covered: 0, faults: [] };
    for (const listener of this.listeners) {
      const events = listener.events.filter(event => !this.fault.hides?.(event));
      const one = judge({ ...listener, events, outages: down.get(listener.place) },
        this.ledger.publications, times);
      sum.received += one.received;
      sum.covered += one.covered;
      sum.faults.push(...one.faults);
    }
    return sum;
  }
}

/* By the end of its session; or before that by a gap, if its gateway closes for that. */
function assertEnded({ kind, onGap, closedWith, name }) {
  if (kind === 'plain' && onGap === 'close' && closedWith === 1012) return;
  assert.equal(closedWith, 4401, name);
}

/* Plays a fault, and returns what happened: times in milliseconds, and counts. */
export async function play(stage, fault, random) {
  const one = new Play(stage, fault);
  try {
    await one.begin();
    const began = now();
    await fault.run({ stage, random, play: one, wait: delay, halfway: () => stage.logOut(one.leaver) });
    const healed = now();
    if (!one.leaver.isGone) await stage.logOut(one.leaver).catch(() => {});
    const recovered = await one.recover(healed);
    const { received, covered, faults } = await one.judgement(began, healed);
    assert.deepEqual(faults.slice(0, SHOWN), [], `${faults.length} faults after ${Math.round(healed - began)} ms of it`);
    assert.ok(received > 0);
    assert.ok(recovered <= HEALED_MS, `healed after ${Math.round(recovered)} ms`);
    for (const leaver of one.leavers) assertEnded(leaver);
    return {
      lasted: healed - began, recovered, accepted: one.ledger.accepted, received, covered,
      closed: one.stayers.filter(stayer => stayer.isClosed).length, stayers: one.stayers.length,
      unready: [...one.samples.values()].flat().some(({ ready }) => !ready) };
  } finally {
    await one.end();
  }
}
