/* Runs one case: everything is sent on a connection of its own, which the gateway has to end. So the answer is
 * known to be complete, and every case checks the end. */
import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { handshake } from '../support/raw_client.js';
import { soon, withResolvers } from '../support/wait.js';
import { inflated } from './deflate.js';

export const TARGET = '/echo?message_bytes=16777216&fragments=65536';

/* This many bytes of a case are sent one by one; all of a large message would take minutes. */
export const ONE_BY_ONE = 512;
const PIECE = 4093;

/* Start and length of the payload; null: the header is incomplete. */
function readHeader(bytes, at) {
  const left = bytes.length - at;
  const size = left < 2 ? 0 : bytes[at + 1] & 0x7f;
  if (left < (size === 127 ? 10 : size === 126 ? 4 : 2)) return null;
  if (size === 126) return { from: at + 4, size: bytes.readUInt16BE(at + 2) };
  if (size === 127) return { from: at + 10, size: Number(bytes.readBigUInt64BE(at + 2)) };
  return { from: at + 2, size };
}

/* Reads all frames of a server, [opcode, payload, compressed], which are never masked and, here, never
 * fragmented. RSV1 is allowed if it was negotiated. */
export function readFrames(bytes, { rsv1 = false } = {}) {
  const frames = [];
  for (let at = 0; at < bytes.length;) {
    const opcode = bytes[at] & 15;
    const allowed = rsv1 && opcode < 8 ? 0x40 : 0;
    assert.equal(bytes[at] & 0x70 & ~allowed, 0, 'an RSV bit from the gateway');
    assert.equal(bytes[at] & 0x80, 0x80, 'a fragment from the gateway');
    assert.equal(bytes[at + 1] & 0x80, 0, 'a masked frame from the gateway');
    const header = readHeader(bytes, at);
    assert.ok(header && header.from + header.size <= bytes.length, 'the last frame from the gateway is truncated');
    const minimal = header.size < 126 ? 2 : header.size < 65536 ? 4 : 10;
    assert.equal(header.from - at, minimal, 'a length from the gateway that is not the shortest');
    frames.push([opcode, bytes.subarray(header.from, header.from + header.size), Boolean(bytes[at] & 0x40)]);
    at = header.from + header.size;
  }
  return frames;
}

/* Counts the complete frames in a stream of bytes. */
class FrameCounter {
  #header = Buffer.alloc(0);
  #left = 0;
  count = 0;

  feed(bytes) {
    for (let at = 0; at < bytes.length;) {
      if (this.#left > 0) {
        const size = Math.min(this.#left, bytes.length - at);
        this.#left -= size;
        at += size;
        if (this.#left === 0) this.count += 1;
        continue;
      }
      this.#header = Buffer.concat([this.#header, bytes.subarray(at, ++at)]);
      const header = readHeader(this.#header, 0);
      if (!header) continue;
      this.#header = Buffer.alloc(0);
      this.#left = header.size;
      if (header.size === 0) this.count += 1;
    }
  }
}

export function readAnswer(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  assert.ok(end >= 0, `no answer to the request, but ${bytes.length} bytes`);
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
    assert.ok(Buffer.from(payload).equals(frames[i][1]), `payload ${i} came back changed`);
}

/* A refusal is a complete response, and the last on its connection: nothing is read as a second request. */
function checkRefusal(method, headers, rest) {
  assert.equal(headers.connection, 'close');
  assert.equal(rest.length, method === 'HEAD' ? 0 : Number(headers['content-length']), 'bytes behind the answer');
}

export class Line {
  #parts = [];
  #head = Buffer.alloc(0); // of the answer, until it is whole
  #counter = new FrameCounter();
  #answered = withResolvers();
  #ended = withResolvers();
  #oneByOne = ONE_BY_ONE;
  #coming = null; // { count, resolve }: waits for that many frames
  isEnded = false;
  error = null;

  /* `secure`: options of tls.connect, or nothing; `more`: of either connect. */
  static async open(port, secure, more = {}) {
    const { promise, resolve, reject } = withResolvers();
    const target = { host: '127.0.0.1', port, ...more };
    const socket = secure ? connectTls({ ...target, ...secure }, resolve) : connectTcp(target, resolve);
    socket.setNoDelay(); // tls.connect ignores it as an option
    socket.once('error', reject);
    const line = new Line(socket);
    await promise;
    return line;
  }

  constructor(socket) {
    this.socket = socket;
    socket.on('data', bytes => {
      this.#parts.push(bytes);
      this.#count(bytes);
    });
    socket.on('error', error => (this.error = error));
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.isEnded = true;
        this.#answered.resolve();
        this.#ended.resolve();
      });
  }

  #count(bytes) {
    if (this.#head) {
      this.#head = Buffer.concat([this.#head, bytes]);
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      bytes = this.#head.subarray(end + 4);
      this.#head = null;
      this.#answered.resolve();
    }
    this.#counter.feed(bytes);
    if (this.#coming && this.#counter.count >= this.#coming.count) this.#coming.resolve();
  }

  answered() {
    return soon(this.#answered.promise, { what: 'an answer to the request', within: 10000 });
  }

  /* Sends the request and waits for the answer. */
  async asked(target) {
    this.socket.write(handshake({ target }));
    await this.answered();
  }

  /* Waits for exactly `count` frames: the gateway has had nothing else to answer. */
  async come(count) {
    if (this.#counter.count < count) {
      const { promise, resolve } = withResolvers();
      this.#coming = { count, resolve };
      await soon(Promise.race([promise, this.#ended.promise]), { what: `${count} frames`, within: 20000 });
      this.#coming = null;
    }
    assert.equal(this.#counter.count, count, 'number of frames');
  }

  /* Everything received, once the gateway has ended its side. */
  async all() {
    await soon(this.#ended.promise, { what: 'the end of the connection', within: 20000 });
    assert.equal(this.error, null, 'the connection was ended without an error');
    return Buffer.concat(this.#parts);
  }

  async #flushed() {
    if (this.socket.writableLength > 0)
      await Promise.race([this.#ended.promise, new Promise(resolve => this.socket.once('drain', resolve))]);
  }

  /* In one write; or with the first bytes of the line one by one; or in pieces of `chops` bytes. */
  async write(bytes, { oneByOne = false, chops } = {}) {
    const slow = oneByOne ? Math.min(bytes.length, this.#oneByOne) : 0;
    this.#oneByOne -= slow;
    for (let at = 0; at < slow && !this.isEnded; at++) {
      this.socket.write(bytes.subarray(at, at + 1));
      await nextTurn();
    }
    const piece = chops ?? (oneByOne ? PIECE : Math.max(bytes.length, 1));
    for (let at = slow; at < bytes.length && !this.isEnded; at += piece) {
      const taken = this.socket.write(bytes.subarray(at, at + piece));
      if (chops) await nextTurn();
      if (!taken && piece < bytes.length) await this.#flushed();
    }
  }
}

/* Joins the bytes between two steps into one write, unless `apart`. */
function joined(steps, apart) {
  if (apart) return steps;
  const groups = [];
  for (const step of steps) {
    if (!Buffer.isBuffer(step)) groups.push(step);
    else if (Array.isArray(groups.at(-1))) groups.at(-1).push(step);
    else groups.push([step]);
  }
  return groups.map(group => Array.isArray(group) ? Buffer.concat(group) : group);
}

async function take(line, step, how, apart) {
  if (step.come !== undefined) await line.come(step.come);
  else if (step.end) line.socket.end();
  else await line.write(step, how);
  if (apart) await nextTurn();
}

/* Most cases are not about the request, so it is not sent byte by byte each time. */
const isUsual = ({ request, answer, deflate }) =>
  Object.keys(answer).length === 0 && (Boolean(deflate) || Object.keys(request).length === 0);

export async function run({ steps, back, status, request = {}, answer = {}, early = false, target = TARGET, chops, apart, deflate },
  { port, secure, oneByOne = false }) {
  const line = await Line.open(port, secure);
  const how = { oneByOne, chops };
  try {
    const head = Buffer.isBuffer(request) ? request : Buffer.from(handshake({ target, ...request }));
    if (early || status !== 101) {
      for (const step of joined([head, ...steps], apart)) await take(line, step, how, apart);
    } else {
      await line.write(head, isUsual({ request, answer, deflate }) ? {} : how);
      await line.answered();
      for (const step of joined(steps, apart)) await take(line, step, how, apart);
    }
    const bytes = await line.all();
    if (status === null) {
      assert.equal(bytes.toString('latin1'), '');
      return;
    }
    const { rest, ...got } = readAnswer(bytes);
    assert.equal(got.status, status);
    for (const [name, value] of Object.entries(answer)) assert.deepEqual(got.headers[name], value, name);
    if (status !== 101) checkRefusal(request.method, got.headers, rest);
    else compare(deflate ? inflated(readFrames(rest, { rsv1: true }), deflate) : readFrames(rest), back);
  } finally {
    line.socket.destroy();
  }
}
