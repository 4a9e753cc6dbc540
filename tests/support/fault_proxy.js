/* A network between a gateway and Redis that fails on demand. It forwards bytes and does not interpret them, except
 * that a link which has sent SUBSCRIBE counts as subscribed.
 *
 *	gateway <--- "down" --- proxy <--- Redis
 *	gateway --- "up" -----> proxy ---> Redis */
import { connect, createServer } from 'node:net';
import { atEnd } from './ending.js';
import { listen } from './serving.js';

const SLICE_EVERY = 1; // ms

/* The way of one link's bytes in one direction. */
class Way {
  #waiting = []; // { bytes, due }
  #timer = null;
  #left = Infinity; // bytes until the link is cut
  isStalled = false;
  isLost = false;
  delay = 0;
  slice = Infinity;
  forge = null; // changes bytes that are forwarded, and not how many

  constructor(from, to, onCut) {
    Object.assign(this, { from, to, onCut });
    from.on('data', bytes => this.#take(bytes));
  }

  #take(bytes) {
    if (this.isLost) return;
    for (let at = 0; at < bytes.length; at += this.slice)
      this.#waiting.push({ bytes: bytes.subarray(at, at + this.slice), due: performance.now() + this.delay });
    this.go();
  }

  /* Forwards what is due. */
  go() {
    clearTimeout(this.#timer);
    while (!this.isStalled && this.#waiting.length > 0) {
      const wait = this.#waiting[0].due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.go(), wait);
        return;
      }
      this.#forward(this.#waiting.shift().bytes);
      if (this.slice === Infinity || this.#waiting.length === 0) continue;
      this.#timer = setTimeout(() => this.go(), SLICE_EVERY);
      return;
    }
  }

  #forward(bytes) {
    const part = bytes.subarray(0, this.#left);
    this.#left -= bytes.length;
    if (!this.to.destroyed) this.to.write(this.forge?.(part) ?? part);
    if (this.#left <= 0) this.onCut();
  }

  /* Nothing more gets through, and what waits is kept. The sender's own buffers fill up. */
  stall() {
    this.isStalled = true;
    this.from.pause();
  }

  resume() {
    this.isStalled = false;
    this.from.resume();
    this.go();
  }

  /* After `bytes` more bytes the link is cut, perhaps in the middle of a message. */
  cutAfter(bytes) {
    this.#left = bytes;
  }

  behave() {
    this.#left = this.slice = Infinity;
    this.delay = 0;
    this.forge = null;
    this.resume();
  }

  end() {
    clearTimeout(this.#timer);
    this.#waiting = [];
  }
}

/* One link of a gateway. */
class Wire {
  isSubscribed = false;
  isHalfOpen = false;

  constructor(proxy, gateway, redis) {
    Object.assign(this, { proxy, gateway, redis });
    this.up = new Way(gateway, redis, () => this.cut());
    this.down = new Way(redis, gateway, () => this.cut());
    gateway.on('data', bytes => (this.isSubscribed ||= bytes.includes('SUBSCRIBE\r\n')));
    for (const [socket, other] of [[gateway, redis], [redis, gateway]]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => this.#closed(other));
    }
  }

  #closed(other) {
    if (this.isHalfOpen) return;
    other.destroy();
    this.up.end();
    this.down.end();
    this.proxy.wires.delete(this);
  }

  /* Both ends get a RST. */
  cut() {
    this.isHalfOpen = false;
    for (const socket of [this.gateway, this.redis]) socket.resetAndDestroy();
    this.proxy.wires.delete(this);
  }

  behave() {
    for (const way of [this.up, this.down]) way.behave();
  }

  /* As if the cable had been pulled: no byte gets through, and nobody is told. */
  lose() {
    this.isHalfOpen = this.up.isLost = this.down.isLost = true;
  }
}

export const subscribed = wire => wire.isSubscribed;
export const forCommands = wire => !wire.isSubscribed;
const all = () => true;

export class FaultProxy {
  wires = new Set();
  dials = 0; // connections that were accepted or refused
  refuses = 0; // how many of the next connections are closed at once
  shapes = []; // for new links: called with each

  /* `choose` gives the server to which a new link goes. */
  constructor(choose) {
    this.choose = choose;
    this.server = createServer({ pauseOnConnect: true }, socket => this.#accept(socket));
  }

  #accept(socket) {
    this.dials += 1;
    socket.on('error', () => {});
    if (this.refuses > 0) {
      this.refuses -= 1;
      socket.resetAndDestroy();
      return;
    }
    const wire = new Wire(this, socket, connect(this.choose(this).port, '127.0.0.1'));
    this.wires.add(wire);
    for (const shape of this.shapes) shape(wire);
    socket.resume();
  }

  get url() {
    return `redis://127.0.0.1:${this.server.address().port}`;
  }

  get subscribed() {
    return [...this.wires].filter(subscribed);
  }

  /* Does something to each link that there is. */
  each(act, which = all) {
    for (const wire of [...this.wires]) if (which(wire)) act(wire);
  }

  cut(which) {
    this.each(wire => wire.cut(), which);
  }

  /* The same to the links that there are and to all that come, until the function that it returns is called with
   * what undoes it. */
  shape(act) {
    this.each(act);
    this.shapes.push(act);
    return undo => {
      this.shapes = this.shapes.filter(one => one !== act);
      if (undo) this.each(undo);
    };
  }

  /* From now on it behaves; links that cannot any more are cut. */
  behave() {
    this.refuses = 0;
    this.shapes = [];
    this.each(wire => wire.cut(), wire => wire.isHalfOpen);
    this.each(wire => wire.behave());
  }
}

export async function startFaultProxy(t, choose) {
  const proxy = new FaultProxy(choose);
  await listen(t, proxy.server);
  atEnd(t, () => proxy.cut());
  return proxy;
}
