/* The bytes of a client's frames, valid and invalid, of which the cases are made. Masks are fixed, so that a case
 * is the same bytes in every run. */
import { OPCODE, closePayload, frame } from '../support/raw_client.js';

export const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]); // RFC 6455 §5.7
export const { continuation, text, binary, close, ping, pong } = OPCODE;

export const f = (opcode, payload = '', options = {}) => frame(opcode, payload, { mask: MASK, ...options });
/* A fragment that is not the last one. */
export const part = (opcode, payload = '', options = {}) => f(opcode, payload, { fin: false, ...options });
export const closing = (code, reason = '') => f(close, closePayload(code, reason));

export const hex = digits => Buffer.from(digits.replace(/ /g, ''), 'hex');

/* A header alone, with its length in `lengthBytes` bytes (0, 2, 8). */
export function header(opcode, length, { lengthBytes, fin = true } = {}) {
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(Number(length), 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, MASK]);
}

/* The same, followed by the payload. */
export function framed(opcode, payload, lengthBytes) {
  const bytes = Buffer.from(payload);
  return Buffer.concat([header(opcode, bytes.length, { lengthBytes }), bytes.map((byte, i) => byte ^ MASK[i % 4])]);
}

/* A message in fragments of `size` bytes. */
export function fragments(opcode, payload, size) {
  const bytes = Buffer.from(payload);
  const list = [];
  for (let at = 0; at === 0 || at < bytes.length; at += size)
    list.push(f(at === 0 ? opcode : continuation, bytes.subarray(at, at + size), { fin: at + size >= bytes.length }));
  return list;
}

/* The beginning of a frame, which lacks the last `more` bytes that it announces. */
export function begun(opcode, payload, more = 20, { fin = true } = {}) {
  const whole = f(opcode, Buffer.concat([Buffer.from(payload), Buffer.alloc(more, 'x')]), { fin });
  return whole.subarray(0, whole.length - more);
}

/* `size` bytes of one long row, from a place that the seed chooses: payloads that could be mixed up differ. */
const ROW = 16 * 1024 * 1024;
const STEP = 4099; // between the places: a prime, so that no two are near each other
let row, textRow;

function makeRow() {
  const bytes = Buffer.alloc(2 * ROW);
  let x = 1;
  for (let i = 0; i < bytes.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

const cut = (bytes, size, seed) => bytes.subarray((seed * STEP) % ROW, ((seed * STEP) % ROW) + size);

export function filled(size, seed = 1) {
  row ??= makeRow();
  return cut(row, size, seed);
}

export function filledText(size, seed = 1) {
  textRow ??= filled(2 * ROW, 0).map(byte => 0x20 + (byte % 95));
  return cut(textRow, size, seed);
}
