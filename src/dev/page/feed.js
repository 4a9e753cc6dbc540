/*
 * The live messages: the list, the numbers and the map.
 *
 * A thousand messages may arrive in a second, but a screen shows sixty frames. So an arriving message is
 * only counted and kept, and once per frame all kept messages become rows together. Nothing here grows
 * without a limit: messages that wait for a frame, as in a hidden tab, are cut to the number that the
 * list shows.
 */

import { placeName, readArc } from '/event.js';
import { WorldMap } from '/map.js';

const MOST_ROWS = 200;
const MOST_CHARACTERS = 400;
const MOST_BYTES = 24;
const RATE_SPAN_MS = 2000;
const RATE_EVERY_MS = 250;

const numbers = new Intl.NumberFormat('en');
const clock = new Intl.DateTimeFormat('en', {
  hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hour12: false,
});
const byId = (id) => document.getElementById(id);

function element(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function describeBytes(bytes) {
  const first = [...bytes.subarray(0, MOST_BYTES)];
  const hex = first.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const rest = bytes.length > MOST_BYTES ? ' …' : '';
  return `${numbers.format(bytes.length)} bytes: ${hex}${rest}`;
}

function shorten(text) {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

function describeArc({ source, target }) {
  return `${placeName(source)} → ${placeName(target)}`;
}

/* The content of a publication's row: its channel, a title if we understand the payload, and always the
 * payload. */
function readMessage({ channel, data }) {
  const at = new Date();
  if (data instanceof Uint8Array)
    return { at, channel, title: 'Binary', payload: describeBytes(data) };
  const arc = readArc(data);
  const text = typeof data?.text === 'string' ? data.text : '';
  const payload = typeof data === 'string' ? data : JSON.stringify(data);
  return { at, channel, arc, title: shorten(arc ? describeArc(arc) : text),
    payload: shorten(payload) };
}

function makeRow({ at, channel, arc, gap, title, payload }) {
  const row = document.createElement('li');
  if (arc)
    row.dataset.severity = arc.severity;
  if (gap)
    row.dataset.gap = '';
  row.append(element('time', 'at', clock.format(at)), element('span', 'channel', channel),
    element('span', 'title', title), element('code', 'payload', payload));
  return row;
}

export class Feed {
  #list = byId('messages');
  #map = new WorldMap(byId('map'));
  #waiting = [];
  #scheduled = false;
  #paused = false;
  #total = 0;
  #counts = [];

  constructor() {
    byId('pause').addEventListener('click', () => this.#pause());
    byId('clear').addEventListener('click', () => this.#clear());
    setInterval(() => this.#showRate(), RATE_EVERY_MS);
  }

  /* A publication, as sluice.js passes it: { channel, data }. */
  add(publication) {
    this.#total++;
    const message = readMessage(publication);
    if (message.arc)
      this.#map.add(message.arc);
    this.#push(message);
  }

  /* Messages may have been missed on these channels. */
  addGap(channels) {
    this.#push({ at: new Date(), gap: true, channel: channels.join(', '), title: 'Gap',
      payload: 'messages may have been missed: a real page would reload its data now' });
  }

  #push(message) {
    this.#waiting.push(message);
    if (this.#waiting.length > 2 * MOST_ROWS)
      this.#waiting = this.#waiting.slice(-MOST_ROWS);
    this.#schedule();
  }

  #schedule() {
    if (this.#scheduled)
      return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#show();
    });
  }

  #show() {
    byId('total').textContent = numbers.format(this.#total);
    if (this.#paused || !this.#waiting.length)
      return;
    const fresh = this.#waiting.splice(0).slice(-MOST_ROWS).reverse();
    const latest = fresh.find(({ arc }) => arc);
    if (latest)
      byId('latest').textContent = `Latest: ${describeArc(latest.arc)}, ${latest.arc.severity}`;
    this.#list.prepend(...fresh.map(makeRow));
    while (this.#list.childElementCount > MOST_ROWS)
      this.#list.lastElementChild.remove();
    byId('empty').hidden = true;
  }

  #showRate() {
    const now = performance.now();
    this.#counts.push({ at: now, total: this.#total });
    while (this.#counts.length > 2 && now - this.#counts[0].at > RATE_SPAN_MS)
      this.#counts.shift();
    const [first] = this.#counts;
    const seconds = (now - first.at) / 1000;
    const rate = seconds > 0 ? (this.#total - first.total) / seconds : 0;
    byId('rate').textContent = numbers.format(Math.round(rate));
  }

  #pause() {
    this.#paused = !this.#paused;
    byId('pause').setAttribute('aria-pressed', String(this.#paused));
    this.#schedule();
  }

  #clear() {
    this.#waiting = [];
    this.#total = 0;
    this.#counts = [];
    this.#list.replaceChildren();
    this.#map.clear();
    byId('empty').hidden = false;
    this.#schedule();
  }
}
