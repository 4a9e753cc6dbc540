/* A client that sends raw bytes: for requests that no library would send, frames that no browser would
 * send, and peers that do not read or do not answer. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { soon, until, withResolvers } from './wait.js';

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/* The text of a request. `headers` override those of a valid handshake; null leaves one out, an array
 * sends it several times. */
export function handshake({ method = 'GET', target = '/ws', version = 'HTTP/1.1', headers = {} } = {}) {
  const all = {
    Host: 'gateway.test', Connection: 'Upgrade', Upgrade: 'websocket',
    'Sec-WebSocket-Key': KEY, 'Sec-WebSocket-Version': '13', ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    [value].flat().filter(one => one !== null && one !== undefined).map(one => `${name}: ${one}`));
  return [`${method} ${target} ${version}`, ...lines, '', ''].join('\r\n');
}

/* The bytes of a client's frame, by default masked and unfragmented. */
export function frame(opcode, payload = '', { fin = true, mask = randomBytes(4), rsv = 0 } = {}) {
  const bytes = Buffer.from(payload);
  const masked = mask ? 0x80 : 0;
  let head;
  if (bytes.length < 126) {
    head = Buffer.from([0, masked | bytes.length]);
  } else if (bytes.length < 65536) {
    head = Buffer.from([0, masked | 126, 0, 0]);
    head.writeUInt16BE(bytes.length, 2);
  } else {
    head = Buffer.from([0, masked | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeBigUInt64BE(BigInt(bytes.length), 2);
  }
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  if (!mask) return Buffer.concat([head, bytes]);
  for (let i = 0; i < bytes.length; i++) bytes[i] ^= mask[i & 3];
  return Buffer.concat([head, mask, bytes]);
}

/* The payload of a close frame. */
export function closePayload(code, reason = '') {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason)]);
}

/* The code and the reason of a close frame's payload; a payload without a code has { code: null }. */
function readClose(payload) {
  return {
    code: payload.length > 0 ? payload.readUInt16BE() : null, reason: payload.toString('utf8', 2) };
}

/* The first frame in the bytes: { fin, rsv, opcode, masked, payload, length }, or null. */
function readFrame(bytes) {
  if (bytes.length < 2) return null;
  let size = bytes[1] & 0x7f;
  let at = 2;
  if (size === 126) {
    if (bytes.length < 4) return null;
    size = bytes.readUInt16BE(2);
    at = 4;
  } else if (size === 127) {
    if (bytes.length < 10) return null;
    size = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (bytes.length < at + size) return null;
  return {
    fin: Boolean(bytes[0] & 0x80), rsv: (bytes[0] >> 4) & 7, opcode: bytes[0] & 15,
    masked: Boolean(bytes[1] & 0x80), payload: bytes.subarray(at, at + size), length: at + size };
}

export class RawClient {
  #ended = withResolvers();
  bytes = Buffer.alloc(0);
  isEnded = false;

  static connect(target) {
    const { promise, resolve, reject } = withResolvers();
    const socket = connectTcp({ ...target, noDelay: true });
    socket.on('connect', () => resolve(new RawClient(socket)));
    socket.on('error', reject);
    return promise;
  }

  /* `socket`: any stream, also one over TLS. */
  constructor(socket) {
    this.socket = socket;
    socket.on('data', bytes => (this.bytes = Buffer.concat([this.bytes, bytes])));
    socket.on('error', () => {});
    const end = () => {
      this.isEnded = true;
      this.#ended.resolve();
    };
    socket.on('end', end);
    socket.on('close', end);
  }

  write(...parts) {
    this.socket.write(Buffer.concat(parts.map(part => Buffer.from(part))));
  }

  send(opcode, payload, options) {
    this.write(frame(opcode, payload, options));
  }

  /* The next HTTP response: { version, status, reason, headers, body }. A 101 has no body; the length of
   * any other is its Content-Length. */
  async answer({ within = 5000 } = {}) {
    return until(() => this.#takeAnswer(), { what: 'an HTTP answer', within });
  }

  #takeAnswer() {
    const end = this.bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.isEnded) throw new Error(`the connection ended after ${this.bytes.length} bytes`);
      return null;
    }
    const [statusLine, ...lines] = this.bytes.toString('latin1', 0, end).split('\r\n');
    const [, version, status, reason] = /^(HTTP\/\d\.\d) (\d{3}) (.*)$/.exec(statusLine);
    const headers = {};
    for (const line of lines) {
      const [, name, value] = /^([^:]+):\s*(.*)$/.exec(line);
      const key = name.toLowerCase();
      headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
    }
    const bodyEnd = end + 4 + Number(headers['content-length'] ?? 0);
    if (this.bytes.length < bodyEnd) return null;
    const body = this.bytes.toString('utf8', end + 4, bodyEnd);
    this.bytes = this.bytes.subarray(bodyEnd);
    return { version, status: Number(status), reason, headers, body };
  }

  /* Sends the handshake and expects a 101. What follows it stays in `bytes`. */
  async open({ cookie, ...options } = {}) {
    this.write(handshake({ ...options, headers: { Cookie: cookie, ...options.headers } }));
    const answer = await this.answer();
    if (answer.status !== 101) throw new Error(`refused with ${answer.status}: ${answer.body}`);
    return answer;
  }

  /* The next frame that the gateway sent. */
  async frame({ within = 5000 } = {}) {
    const found = await until(() => {
      const one = readFrame(this.bytes);
      if (!one && this.isEnded) throw new Error('the connection ended');
      return one;
    }, { what: 'a frame', within });
    this.bytes = this.bytes.subarray(found.length);
    return found;
  }

  /* The close that the gateway sent: { code, reason }. The frames before it go to `skip`; without one, there may
   * be none. */
  async closing(skip = ({ opcode }) => assert.equal(opcode, OPCODE.close)) {
    for (;;) {
      const frame = await this.frame();
      if (frame.opcode === OPCODE.close) return readClose(frame.payload);
      skip(frame);
    }
  }

  /* Resolves when the gateway has ended the connection. */
  ended({ within = 5000 } = {}) {
    return soon(this.#ended.promise, { what: 'the end of the connection', within });
  }

  destroy() {
    this.socket.destroy();
  }
}
