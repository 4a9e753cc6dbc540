/* One case, run: a connection of its own on which everything is sent, and which the gateway has to
 * end. So what comes back is known to be all, and the end is looked at in every case. */
import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { closePayload, handshake } from '../support/raw_client.js';
import { soon, withResolvers } from '../support/wait.js';
import { close, closing } from './octets.js';

export const TARGET = '/echo?message_bytes=16777216&fragments=65536';

/* So many go one by one; a large message's others would take minutes. */
const ONE_BY_ONE = 2048;
const PIECE = 4093;

/* A row of the tables: what is sent, the frames that come back, and then the close frame: `code`,
 * null for none in it; undefined: we close, with 1000. */
export function caseOf([name, send, back, code, reason = '', { status = 101, ...more } = {}]) {
  const open = status === 101;
  const bytes = Buffer.concat(open && code === undefined ? [...send, closing(1000)] : send);
  const last = code === null ? Buffer.alloc(0) : closePayload(code ?? 1000, reason);
  return { name, bytes, back: open ? [...back, [close, last]] : [], status, ...more };
}

/* Reads all frames of a server, which are never masked and, here, never fragmented. */
export function readFrames(bytes) {
  const frames = [];
  for (let at = 0; at < bytes.length;) {
    assert.equal(bytes[at] & 0x70, 0, 'an RSV bit from the gateway');
    assert.equal(bytes[at] & 0x80, 0x80, 'a fragment from the gateway');
    assert.equal(bytes[at + 1] & 0x80, 0, 'a masked frame from the gateway');
    const opcode = bytes[at] & 15;
    let size = bytes[at + 1];
    at += 2;
    if (size === 126) size = bytes.readUInt16BE((at += 2) - 2);
    else if (size === 127) size = Number(bytes.readBigUInt64BE((at += 8) - 8));
    assert.ok(at + size <= bytes.length, 'the last frame from the gateway is cut');
    frames.push([opcode, bytes.subarray(at, (at += size))]);
  }
  return frames;
}

export function readAnswer(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  assert.ok(end >= 0, `no answer to the request, but ${bytes.length} octets`);
  const [statusLine, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = Object.fromEntries(lines.map(line => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  return { status: Number(statusLine.split(' ')[1]), headers, rest: bytes.subarray(end + 4) };
}

const show = ([opcode, payload]) => {
  const bytes = Buffer.from(payload);
  return `${opcode}:${bytes.length}:${bytes.subarray(0, 40).toString('latin1')}`;
};

function compare(frames, back) {
  assert.deepEqual(frames.map(show), back.map(show));
  for (const [i, [, payload]] of back.entries())
    assert.ok(Buffer.from(payload).equals(frames[i][1]), `payload ${i} has come back changed`);
}

export class Line {
  #parts = [];
  #answered = withResolvers();
  #ended = withResolvers();
  isEnded = false;
  error = null;

  /* `secure`: options of tls.connect, or nothing; `more`: of either connect. */
  static async open(port, secure, more = {}) {
    const { promise, resolve, reject } = withResolvers();
    const target = { host: '127.0.0.1', port, noDelay: true, ...more };
    const socket = secure ? connectTls({ ...target, ...secure }, resolve) : connectTcp(target, resolve);
    socket.once('error', reject);
    const line = new Line(socket);
    await promise;
    return line;
  }

  constructor(socket) {
    this.socket = socket;
    socket.on('data', bytes => {
      this.#parts.push(bytes);
      if (bytes.includes('\r\n\r\n')) this.#answered.resolve();
    });
    socket.on('error', error => (this.error = error));
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.isEnded = true;
        this.#answered.resolve();
        this.#ended.resolve();
      });
  }

  answered() {
    return soon(this.#answered.promise, { what: 'an answer to the request', within: 10000 });
  }

  /* The request is made and answered. */
  async asked(target) {
    this.socket.write(handshake({ target }));
    await this.answered();
  }

  /* All that has come, once the gateway has ended its side. */
  async all() {
    await soon(this.#ended.promise, { what: 'the end of the connection', within: 20000 });
    assert.equal(this.error, null, 'the connection was ended without an error');
    return Buffer.concat(this.#parts);
  }

  async #flushed() {
    if (this.socket.writableLength > 0)
      await Promise.race([this.#ended.promise, new Promise(resolve => this.socket.once('drain', resolve))]);
  }

  async write(bytes, { oneByOne }) {
    const slow = oneByOne ? Math.min(bytes.length, ONE_BY_ONE) : 0;
    for (let at = 0; at < slow && !this.isEnded; at++) {
      this.socket.write(bytes.subarray(at, at + 1));
      await nextTurn();
    }
    const piece = oneByOne ? PIECE : Math.max(bytes.length, 1);
    for (let at = slow; at < bytes.length && !this.isEnded; at += piece) {
      if (!this.socket.write(bytes.subarray(at, at + piece)) && oneByOne) await this.#flushed();
    }
  }
}

export async function run({ bytes, back, status, request = {}, answer = {}, early = false, target = TARGET },
  { port, secure, oneByOne = false }) {
  const line = await Line.open(port, secure);
  try {
    const head = Buffer.from(handshake({ target, ...request }));
    await line.write(early ? Buffer.concat([head, bytes]) : head, { oneByOne });
    if (!early && status === 101) {
      await line.answered();
      await line.write(bytes, { oneByOne });
    }
    const { rest, ...got } = readAnswer(await line.all());
    assert.equal(got.status, status);
    for (const [name, value] of Object.entries(answer)) assert.equal(got.headers[name], value, name);
    if (status === 101) compare(readFrames(rest), back);
  } finally {
    line.socket.destroy();
  }
}
