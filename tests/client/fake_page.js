/* A simulated page, controlled by the test: clock, random numbers, network, events, other tabs.
 *
 * Time passes only in pass(), and a socket does only what the test makes it do. The tabs of a test are
 * objects of one program, so a page event reaches all of them. */
import { setImmediate as turn } from 'node:timers/promises';
import { Sluice } from '../../src/client/sluice.js';
import { withResolvers } from '../support/wait.js';

class FakeSocket {
  readyState = 0;
  sent = [];
  isClosing = false;

  constructor(url, protocols) {
    Object.assign(this, { url: String(url), protocols });
    FakeSocket.made(this);
  }

  send(text) {
    if (this.readyState !== 1) throw new Error(`sent in state ${this.readyState}`);
    const command = JSON.parse(text);
    this.sent.push({ at: performance.now(), ...command });
    if (command.type === 'ping' && FakeSocket.pongs)
      queueMicrotask(() => this.say({ type: 'pong', id: command.id }));
  }

  close() {
    if (this.readyState < 2) this.readyState = 2;
    this.isClosing = true;
  }

  /* The gateway's side: */

  open(welcome = {}) {
    this.readyState = 1;
    this.say({ type: 'welcome', connection: 'c1', user: 'ada', channels: [], heartbeat: 0, ...welcome });
  }

  say(message) {
    this.sayText(JSON.stringify(message));
  }

  sayText(data) {
    this.onmessage?.({ data });
  }

  end(code = 1006, reason = '') {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /* Answers all commands that have no answer yet; `answer` may make the answer. */
  answer(answer = ({ type, id, channel }) => ({ type: `${type}d`, id, channel })) {
    const commands = this.sent.filter(one => one.type !== 'ping' && !one.isAnswered);
    for (const command of commands) {
      command.isAnswered = true;
      this.say(answer(command));
    }
    return commands.map(({ type, channel }) => `${type} ${channel}`);
  }
}

/* Timers, which run in the order of their times. */
class Clock {
  now = 1000;
  #timers = new Map();
  #last = 0;

  start(fn, ms, again) {
    this.#timers.set(++this.#last, { at: this.now + Math.max(0, ms), fn, ms, again });
    return this.#last;
  }

  stop(id) {
    this.#timers.delete(id);
  }

  get running() {
    return this.#timers.size;
  }

  async pass(ms) {
    const end = this.now + ms;
    for (;;) {
      await turn();
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at);
      if (!next) break;
      const [id, timer] = next;
      this.now = timer.at;
      if (timer.again) timer.at += timer.ms;
      else this.#timers.delete(id);
      timer.fn();
    }
    this.now = end;
    await turn();
  }
}

class FakeBus {
  static all = new Set();

  constructor(name) {
    this.name = name;
    FakeBus.all.add(this);
  }

  postMessage(message) {
    const data = structuredClone(message);
    if (this.isFrozen) return;
    for (const other of FakeBus.all)
      if (other !== this && other.name === this.name)
        queueMicrotask(() => FakeBus.all.has(other) && !other.isFrozen && other.onmessage({ data }));
  }

  close() {
    FakeBus.all.delete(this);
  }
}

/* The part of Web Locks that is used: for each name a holder, a queue, and stealing. */
class FakeLocks {
  static late = fn => fn(); // tells a tab that its lock was stolen
  #locks = new Map();

  request(name, ...args) {
    if (!this.#locks.has(name)) this.#locks.set(name, new FakeLock());
    return this.#locks.get(name).request(...args);
  }
}

class FakeLock {
  #holder = null;
  #queue = [];

  request({ signal, steal }, callback) {
    const { promise, resolve, reject } = withResolvers();
    const ask = { callback, resolve, reject };
    signal?.addEventListener('abort', () => {
      if (!this.#queue.includes(ask)) return;
      this.#queue = this.#queue.filter(other => other !== ask);
      reject(Object.assign(new Error('aborted'), { name: 'AbortError' }));
    });
    if (steal) {
      const { reject: tell } = this.#holder ?? {};
      FakeLocks.late(() => tell?.(Object.assign(new Error('stolen'), { name: 'AbortError' })));
      this.#hold(ask);
    } else {
      this.#queue.push(ask);
      queueMicrotask(() => this.#next());
    }
    return promise;
  }

  #next() {
    if (!this.#holder && this.#queue.length > 0) this.#hold(this.#queue.shift());
  }

  async #hold(ask) {
    this.#holder = ask;
    await null;
    ask.resolve(await ask.callback({}));
    if (this.#holder !== ask) return;
    this.#holder = null;
    this.#next();
  }
}

export class FakePage {
  sockets = [];
  fetched = [];
  chance = 0.5;      // the value of Math.random()
  checked = null;    // the status of /ws/check; null: the network is dead
  checkedType = 'text/plain; charset=utf-8';
  checkedBody = null; // null: as the gateway's
  #clock = new Clock();
  #window = new EventTarget();
  #kept = [];
  #tabs = 0;
  #late = [];

  /* A worker has no document. */
  constructor(t, { locks = true, isWorker = false } = {}) {
    FakeSocket.pongs = false; // whether the gateway answers a ping
    FakeSocket.made = socket => this.sockets.push(socket);
    const clock = this.#clock;
    this.#install({
      WebSocket: FakeSocket,
      performance: { now: () => clock.now },
      setTimeout: (fn, ms) => clock.start(fn, ms),
      clearTimeout: id => clock.stop(id),
      setInterval: (fn, ms) => clock.start(fn, ms, true),
      clearInterval: id => clock.stop(id),
      location: { href: 'https://app.example.com/some/page?x=1#top' },
      document: isWorker ? undefined : { hidden: false },
      addEventListener: (...args) => this.#window.addEventListener(...args),
      // Node takes `capture` only in an object
      removeEventListener: (type, fn, capture) => this.#window.removeEventListener(type, fn, { capture }),
      fetch: (...args) => this.#fetch(...args),
      BroadcastChannel: locks ? FakeBus : undefined,
      navigator: locks ? { locks: new FakeLocks() } : {},
    });
    t.mock.method(Math, 'random', () => this.chance);
    t.mock.method(Date, 'now', () => 1e12 + clock.now);
    t.after(() => this.#restore());
    FakeBus.all.clear();
    FakeLocks.late = fn => fn();
  }

  #install(fakes) {
    for (const [name, value] of Object.entries(fakes)) {
      this.#kept.push([name, Object.getOwnPropertyDescriptor(globalThis, name)]);
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  }

  #restore() {
    for (const [name, descriptor] of this.#kept)
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
  }

  async #fetch(url, options) {
    this.fetched.push({ url, ...options });
    if (this.checked === null) throw new TypeError('Failed to fetch');
    return new Response(this.checked === 204 ? null : this.checkedBody ?? `the answer to ${this.checked}\n`,
      { status: this.checked, headers: { 'Content-Type': this.checkedType } });
  }

  /* A Sluice that records its events in `heard`. */
  sluice(...args) {
    const { chance } = this;
    this.chance = ++this.#tabs / 1000; // the random id of the tab
    const sluice = new Sluice(...args);
    this.chance = chance;
    const heard = [];
    for (const type of ['state', 'gap', 'error', 'subscribed', 'unsubscribed'])
      sluice.on(type, detail => heard.push(type === 'state' ? detail.name
        : [type, ...(detail.channels ?? [detail.channel]), ...[detail.code ?? []].flat()].join(' ')));
    return Object.assign(sluice, { heard, takeHeard: () => heard.splice(0) });
  }

  set pongs(value) {
    FakeSocket.pongs = value;
  }

  /* The newest socket. */
  get socket() {
    return this.sockets.at(-1);
  }

  get timers() {
    return this.#clock.running;
  }

  get now() {
    return this.#clock.now;
  }

  pass(ms) {
    return this.#clock.pass(ms);
  }

  /* The gateway answers the commands of the newest socket: see FakeSocket. */
  async answer(answer) {
    await this.settle();
    const commands = this.socket.answer(answer);
    await this.settle();
    return commands;
  }

  /* Runs what is due, while no time passes. */
  settle() {
    return this.#clock.pass(0);
  }

  /* A Sluice with an open connection. */
  async opened(welcome, ...args) {
    const sluice = this.sluice(...args);
    await this.settle();
    this.socket.open(welcome);
    sluice.takeHeard();
    return sluice;
  }

  /* Tab `n`, in the order of creation, receives nothing until thaw(). */
  freeze(n) {
    [...FakeBus.all][n].isFrozen = true;
  }

  /* No tab learns of a stolen lock until thaw(). */
  freezeLocks() {
    FakeLocks.late = fn => this.#late.push(fn);
  }

  thaw() {
    for (const fn of this.#late.splice(0)) fn();
    for (const bus of FakeBus.all) bus.isFrozen = false;
  }

  event(type, fields = {}) {
    this.#window.dispatchEvent(Object.assign(new Event(type), fields));
    return this.settle();
  }
}

/* A page and its Sluice, with an open connection: { page, sluice }. */
export async function openedPage(t, welcome, ...args) {
  const page = new FakePage(t);
  return { page, sluice: await page.opened(welcome, ...args) };
}
