/* Clients that write down all that happens to them, with its time: `joined` (told that it has the channel), `left`,
 * `publication`, `gap`, `closed`. */
import WebSocket from 'ws';
import { opened, Refused } from '../support/browser.js';
import { until } from '../support/wait.js';
import { now, read } from './ledger.js';

class Listener {
  events = [];

  /* `place`: { sluice, onGap }, one gateway. */
  constructor(place, kind, channels, name) {
    Object.assign(this, { place, kind, channels, name, onGap: place.onGap });
  }

  note(kind, fields = {}) {
    this.events.push({ kind, at: now(), ...fields });
  }

  async open(cookie) {
    const query = new URLSearchParams(this.channels.map(channel => ['channel', channel]));
    this.socket = new WebSocket(`${this.place.sluice.url}?${query}`, this.kind === 'v1' ? ['sluice.v1'] : [], {
      headers: { Cookie: cookie }, perMessageDeflate: false, handshakeTimeout: 20000 });
    this.socket.on('open', () => this.begin());
    this.socket.on('message', data => this.take(data.toString()));
    this.socket.on('close', code => {
      this.isClosed = true;
      if (!this.isEnding && this.wasOpen) this.note('closed', { code });
    });
    await opened(this.socket);
    return this;
  }

  /* Before the first message is taken. */
  begin() {
    this.wasOpen = true;
  }

  get isOpen() {
    return Boolean(this.wasOpen) && !this.isClosed;
  }

  takePublication(payload) {
    this.note('publication', read(payload));
  }

  has(channel, number) {
    return this.events.some(event => event.kind === 'publication' && event.channel === channel && event.number >= number);
  }

  get closedWith() {
    return this.events.find(({ kind }) => kind === 'closed')?.code;
  }

  end() {
    this.isEnding = true;
    this.socket?.terminate();
  }
}

class PlainListener extends Listener {
  begin() {
    super.begin();
    for (const channel of this.channels) this.note('joined', { channel });
  }

  take(text) {
    this.takePublication(text);
  }
}

class PageListener extends Listener {
  #ids = 0;
  #asked = new Map(); // id: { channel, at }

  take(text) {
    const message = JSON.parse(text);
    switch (message.type) {
      case 'welcome':
        for (const channel of message.channels) this.note('joined', { channel });
        break;
      case 'subscribed':
        this.#asked.delete(message.id);
        this.note('joined', { channel: message.channel });
        break;
      case 'unsubscribed':
        this.note('left', { channel: message.channel, asked: this.#asked.get(message.id)?.at ?? 0, ...message });
        this.#asked.delete(message.id);
        break;
      case 'publication':
        this.takePublication(message.data);
        break;
      case 'gap':
        this.note('gap', { channel: message.channel });
        break;
      case 'error':
        this.note('error', message);
        this.#asked.delete(message.id);
        break;
      default: // a heartbeat or a pong
    }
  }

  /* Asks, and waits for the answer, or for the end of the connection. */
  async ask(type, channel) {
    const id = ++this.#ids;
    this.#asked.set(id, { channel, at: now() });
    this.socket.send(JSON.stringify({ type, id, channel }));
    await until(() => !this.#asked.has(id) || this.isClosed, { what: `an answer to ${type}`, within: 30000 });
  }
}

const KINDS = { plain: PlainListener, v1: PageListener };

export function createListener(place, kind, channels, name) {
  return new KINDS[kind](place, kind, channels, name);
}

/* Opens one; null if it is refused for now (503, or the connection fails). */
export async function tryToOpen(listener, cookie) {
  try {
    return await listener.open(cookie);
  } catch (error) {
    if (error instanceof Refused && error.status !== 503) throw error;
    return null;
  }
}
