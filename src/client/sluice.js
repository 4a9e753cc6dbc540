/*
 * Channels in a page: new Sluice('/ws').subscribe('team:7', (data) => …)
 *
 * A page wishes for channels; a Link knows which are live, and sends what makes the two agree.
 * After a loss it waits for a random part of a span that doubles, as thousands of pages lose the
 * same gateway at once; unless the gateway says when, or never.
 *
 * A refusal ends it only when the gateway repeats it a moment later: a backend that gives a session
 * a new id deletes the old one before the page has the new cookie.
 *
 * With `share`, the tab that holds a Web Lock has the Link. The others send it their wishes over a
 * BroadcastChannel and receive its events. When a tab closes or freezes, the next gets the lock;
 * from one that does not answer it is stolen.
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30000;
const STABLE_MS = 10000;
const OPENING_MS = 10000;
const ANSWER_MS = 3000;
const MOMENT_MS = 1000;
const TAB_SILENCE_MS = 30000;
const GAP_MS = 100;
const COMMANDS_PER_SECOND = 90; /* twice that is below the gateway's limit */
const PAGE_EVENTS = ['online', 'visibilitychange', 'pagehide', 'pageshow', 'freeze', 'resume'];
const REFUSED = [4401, 4403];
const FINAL = [1002, 1003, 1007, 1009, ...REFUSED];

/* A page is not told why a handshake failed, but it can ask. The gateway's refusals are plain text
 * of one line with its end; a proxy answers otherwise. */
async function refusal(url) {
  try {
    url.protocol = url.protocol.replace('ws', 'http');
    url.pathname += '/check';
    const answer = await fetch(url, {
      credentials: 'include', signal: AbortSignal.timeout(OPENING_MS) });
    const code = 4000 + answer.status;
    const plain = /^text\/plain\b/i.test(answer.headers.get('content-type'));
    const line = /^(.+)\n$/.exec(await answer.text());
    return REFUSED.includes(code) && plain && line && { name: 'closed', code, reason: line[1] };
  } catch {}
}

/* Asks after a silence, and twice: in a page that was held up, the timer may run first. */
class Watch {
  constructor(silence, ask, end) {
    Object.assign(this, { silence, ask, end });
    this.wait();
  }

  wait(ms = this.silence, asked = 0) {
    this.stop();
    this.timer = setTimeout(() => {
      if (asked > 1)
        return this.end();
      this.wait(ANSWER_MS, asked + 1);
      this.ask();
    }, ms);
  }

  stop() {
    clearTimeout(this.timer);
  }
}

class Link {
  wishes = new Set();
  live = new Set();
  asked = new Map(); /* channel: id of the command; 0: answered; -1: refused */
  turn = 0; /* whatever began in an earlier turn is ignored */
  id = 0;
  failures = 0;

  constructor(find, tell) {
    Object.assign(this, { find, tell });
  }

  async connect() {
    const turn = this.drop();
    this.become({ name: 'connecting' });
    this.timer = setTimeout(() => this.lost(1006, 'no answer'), OPENING_MS);
    try {
      const { url, ticket } = await this.find();
      if (turn !== this.turn)
        return;
      if (ticket === null)
        return this.lost(4401, 'no ticket');
      const socket = new WebSocket(url, ['sluice.v1', ...ticket ? [`ticket.${ticket}`] : []]);
      socket.onmessage = ({ data }) => turn === this.turn && this.take(JSON.parse(data), data);
      socket.onclose = ({ code, reason }) =>
        turn === this.turn && this.lost(code, reason, !ticket && url);
      this.socket = socket;
    } catch ({ message }) {
      if (turn === this.turn)
        this.lost(1006, message);
    }
  }

  stop() {
    const { socket } = this;
    this.drop();
    return socket && new Promise((done) => {
      const timer = setTimeout(done, ANSWER_MS);
      socket.onclose = () => {
        clearTimeout(timer);
        done();
      };
    });
  }

  wish(channels) {
    this.wishes = new Set(channels);
    this.settle();
  }

  /* The page is looked at, or the network has changed. */
  nudge() {
    if (this.opened)
      this.watch.wait(0);
    else if (this.state.name === 'waiting' && this.state.code !== 1012)
      this.connect();
  }

  become(state) {
    this.tell('state', this.state = state);
  }

  send(type, channel) {
    if (this.socket.readyState < 2)
      this.socket.send(JSON.stringify({ type, id: ++this.id, channel }));
  }

  drop() {
    clearTimeout(this.timer);
    this.watch?.stop();
    this.socket?.close();
    this.socket = this.watch = this.opened = null;
    this.live.clear();
    this.asked.clear();
    return ++this.turn;
  }

  async lost(code, reason, url) {
    const { opened } = this;
    const turn = this.drop();
    const refused = !opened && url && code === 1006 && await refusal(url);
    if (turn !== this.turn)
      return;
    if (refused)
      return this.become(refused);
    /* With a ticket, whoever gives out the next one knows. */
    const doubtful = REFUSED.includes(code) && (opened || url);
    if (FINAL.includes(code) && !doubtful)
      return this.become({ name: 'closed', code, reason });
    const told = /^retry_after_ms=(\d+)$/.exec(reason);
    const span = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures++);
    const wait = told ? +told[1] : Math.random() * span + (doubtful ? MOMENT_MS : 0);
    this.timer = setTimeout(() => this.again(doubtful && url), wait);
    this.become({ name: 'waiting', code, reason, until: Date.now() + wait });
  }

  async again(url) {
    const { turn } = this;
    const refused = url && await refusal(url);
    if (turn !== this.turn)
      return;
    if (refused)
      this.become(refused);
    else
      this.connect();
  }

  take(message, raw) {
    const { type, id, channel, data, base64 } = message;
    this.watch?.wait();
    switch (type) {
    case 'welcome':
      this.welcome(message);
      break;
    case 'publication':
      if (base64)
        message.data = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt());
      else /* the name of a channel has no bare quotes, and only a position may follow the data */
        message.text = typeof data === 'string' ? data
          : raw.slice(raw.indexOf(',"data":') + 8).replace(/(,"at":"[^"]*")?}$/, '');
      return this.tell(type, message);
    case 'gap':
      message.channels = channel ? [channel] : [...this.live];
      break;
    case 'subscribed':
      this.live.add(channel);
      if (id)
        this.asked.set(channel, 0);
      break;
    case 'unsubscribed':
      this.live.delete(channel);
      this.asked.set(channel, message.reason ? -1 : 0);
      break;
    case 'error':
      [message.channel] = [...this.asked].find((one) => one[1] === id) ?? [];
      this.asked.set(message.channel, -1);
      if (message.code === 'unavailable')
        setTimeout(() => {
          this.asked.set(message.channel, 0);
          this.settle();
        }, ANSWER_MS);
    }
    this.tell(type, message);
    this.settle();
  }

  welcome({ user, connection, channels, heartbeat }) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.failures = 0; }, STABLE_MS);
    this.budget = COMMANDS_PER_SECOND;
    this.watch = new Watch(heartbeat * 1200 || 2 ** 31 - 1, () => this.send('ping'),
      () => this.lost(1006, 'no sign of life'));
    this.live = new Set(channels);
    this.opened = true;
    this.become({ name: 'open', user, connection });
    for (const channel of channels)
      this.tell('subscribed', { channel });
  }

  settle() {
    if (!this.opened)
      return;
    for (const channel of new Set([...this.wishes, ...this.asked.keys()])) {
      const wanted = this.wishes.has(channel);
      const live = this.live.has(channel);
      const asked = this.asked.get(channel);
      if (!wanted && !live && !(asked > 0))
        this.asked.delete(channel);
      if (this.budget && wanted !== live && !asked) {
        this.send(wanted ? 'subscribe' : 'unsubscribe', channel);
        this.asked.set(channel, this.id);
        if (!--this.budget)
          setTimeout(() => {
            this.budget = COMMANDS_PER_SECOND;
            this.settle();
          }, 1000);
      }
    }
  }
}

/* Has the interface of a Link. */
class SharedLink {
  tab = Math.random();
  own = [];
  all = new Map(); /* tab: its wishes */

  constructor(find, tell, name) {
    Object.assign(this, { find, tell, name });
  }

  async connect(lock = { signal: (this.queued = new AbortController()).signal }) {
    let bus;
    try {
      bus = this.bus = new BroadcastChannel(this.name);
      bus.onmessage = ({ data }) => this.hear(data);
      this.watch = new Watch(TAB_SILENCE_MS, () => this.wish(this.own, true), () => {
        this.stop();
        this.connect({ steal: true });
      });
      this.wish();
      await navigator.locks.request(this.name, lock, () => bus === this.bus
        && new Promise((release) => {
          this.release = release;
          this.lead();
        }));
    } catch ({ name }) {
      if (bus !== this.bus)
        return;
      this.stop();
      this.tell('state', { name: 'connecting' });
      if (name === 'AbortError')
        this.connect();
      else
        this.lead();
    }
  }

  lead() {
    this.watch?.stop();
    this.link = new Link(this.find, (type, detail) => {
      this.post({ type, detail });
      this.tell(type, detail);
      if (detail.name === 'connecting') {
        this.all.clear();
        this.post({});
        this.wish();
      }
    });
    this.link.connect();
  }

  stop() {
    this.post({ tab: this.tab, wishes: [] });
    this.bus?.close();
    this.watch?.stop();
    this.queued?.abort();
    const stopped = this.link?.stop();
    this.release?.();
    this.bus = this.link = null;
    return stopped;
  }

  wish(wishes = this.own, nudge) {
    const message = { tab: this.tab, wishes, nudge };
    this.own = wishes;
    this.post(message);
    this.hear(message);
  }

  nudge() {
    if (this.link)
      this.link.nudge();
    else
      this.watch.wait(0);
  }

  post(message) {
    this.bus?.postMessage(message);
  }

  hear({ tab, wishes, nudge, type, detail }) {
    if (this.link && wishes) {
      this.post({ type: 'state', detail: this.link.state });
      for (const channel of wishes)
        if (this.link.live.has(channel))
          this.post({ type: 'subscribed', detail: { channel } });
      this.all.set(tab, wishes);
      this.link.wish([...this.all.values()].flat());
      if (nudge)
        this.nudge();
    } else if (!this.link && !wishes) {
      this.watch.wait();
      if (type)
        this.tell(type, detail);
      else
        this.wish();
    }
  }
}

export class Sluice {
  state = {};
  #events = new EventTarget();
  #handlers = new Set();
  #live = new Map(); /* channel: true; false: it was live */
  #missed = [];
  #begin;
  #link;

  constructor(address = '/ws', { share, ticket } = {}) {
    const find = async () => {
      const found = typeof address === 'function' ? await address() : address;
      const url = new URL(found.url ?? found, globalThis.location?.href);
      url.protocol = url.protocol.replace('http', 'ws');
      return { url, ticket: found.ticket ?? await ticket?.() };
    };
    const tell = (type, detail) => this.#tell(type, detail);
    this.#begin = () => new (share ? SharedLink : Link)(find, tell, `sluice ${share} ${address}`);
    this.open();
  }

  on(type, listener) {
    const own = ({ detail }) => listener(detail);
    this.#events.addEventListener(type, own);
    return () => this.#events.removeEventListener(type, own);
  }

  subscribe(channel, handler) {
    const meta = { channel };
    const off = this.on(`to ${channel}`, ({ data, text }) => handler(data, { channel, text }));
    this.#handlers.add(meta);
    this.#wish();
    if (this.#live.get(channel))
      queueMicrotask(() => this.#say('subscribed', meta));
    return () => {
      off();
      this.#handlers.delete(meta);
      this.#wish();
    };
  }

  /* Connects, also after a close. */
  open() {
    if (this.#link)
      return this.#link.nudge();
    this.#listen('add');
    this.#link = this.#begin();
    this.#link.connect();
    this.#wish();
  }

  async close() {
    const left = this.#leave();
    this.#tell('state', { name: 'closed', code: 1000, reason: '' });
    await left;
  }

  #listen(verb) {
    for (const type of PAGE_EVENTS)
      globalThis[`${verb}EventListener`]?.(type, this.#page, true);
  }

  #page = ({ type, persisted }) => {
    if (type === 'pagehide' || type === 'freeze') {
      this.#leave();
      this.#tell('state', { name: 'connecting' });
    } else if (persisted || type === 'resume')
      this.open();
    else if (type !== 'pageshow' && !globalThis.document?.hidden)
      this.#link?.nudge();
  };

  /* Later: a page that removes a handler often adds another. */
  #wish() {
    queueMicrotask(() => this.#link?.wish([...this.#handlers].map(({ channel }) => channel)));
  }

  #leave() {
    const left = this.#link?.stop();
    this.#link = null;
    return left;
  }

  #tell(type, detail) {
    const { channel, name } = detail;
    const wasLive = this.#live.get(channel);
    if (type === 'state') {
      if (name === this.state.name)
        return;
      this.state = detail;
      for (const one of this.#live.keys())
        this.#live.set(one, false);
    }
    if (name === 'closed') {
      this.#leave();
      this.#listen('remove');
    }
    if (type === 'unsubscribed')
      this.#live.delete(channel);
    if (type === 'subscribed') {
      if (wasLive)
        return;
      this.#live.set(channel, true);
      /* What is fetched now and what is received leave no gap. */
      if (wasLive === false && this.#missed.push(channel) === 1)
        setTimeout(() => this.#say('gap', { channels: this.#missed.splice(0) }), GAP_MS);
    }
    this.#say(type, detail);
    if (type === 'publication')
      this.#say(`to ${channel}`, detail);
  }

  #say(type, detail) {
    this.#events.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
