/* Many clients in processes of their own, as lean as possible: they count frames, and check that the
 * number at the start of each payload is the next one. */
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { atEnd } from './ending.js';
import { withResolvers } from './wait.js';

const AT_ONCE = 100;

const TEXT = 0x81;
const PING = 0x89;
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/* ---- in the process of its own ---- */

class Client {
  expected = 0;
  #socket;
  #rest = null;
  #isOpen = false;

  constructor(tally) {
    this.tally = tally;
  }

  open(target, request) {
    const { promise, resolve, reject } = withResolvers();
    const socket = connect(target, () => socket.write(request));
    this.#socket = socket;
    socket.on('data', bytes => {
      if (this.#isOpen) this.#read(bytes);
      else if (bytes.toString('latin1', 0, 12) !== 'HTTP/1.1 101') reject(new Error(bytes.toString()));
      else {
        this.#isOpen = true;
        this.tally.open += 1;
        this.#read(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4));
        resolve();
      }
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (this.#isOpen) this.tally.open -= 1;
      reject(new Error('closed'));
    });
    return promise;
  }

  #read(bytes) {
    if (this.#rest) bytes = Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (;;) {
      const left = bytes.length - at;
      if (left < 2) break;
      const short = bytes[at + 1];
      const head = short === 126 ? 4 : 2;
      if (left < head) break;
      const size = short === 126 ? bytes.readUInt16BE(at + 2) : short;
      if (left < head + size) break;
      this.#take(bytes, at, at + head);
      at += head + size;
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : null;
  }

  #take(bytes, at, payload) {
    if (bytes[at] === PING) this.#socket.write(PONG);
    if (bytes[at] !== TEXT) return;
    const number = Number(bytes.latin1Slice(payload, payload + 10));
    if (number !== this.expected) this.tally.wrong += 1;
    this.expected = number + 1;
    this.tally.received += 1;
  }
}

async function serve({ target, request, count }) {
  const tally = { open: 0, received: 0, wrong: 0 };
  process.on('message', () => process.send(tally));
  let begun = 0;
  const opener = async () => {
    while (begun < count) {
      begun += 1;
      await new Client(tally).open(target, request);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, opener));
  process.send('open');
}

if (process.argv[2] === 'crowd') process.once('message', serve);

/* ---- for the test ---- */

/* The payload of publication `n`: `size` bytes that begin with the number. */
export function numbered(n, size) {
  return String(n).padStart(10, '0').padEnd(size, '.');
}

export class Crowd {
  constructor(processes) {
    this.processes = processes;
  }

  /* { open, received, wrong }, the sums over all processes. */
  async tally() {
    const tallies = await Promise.all(this.processes.map(one => {
      const { promise, resolve } = withResolvers();
      one.once('message', resolve);
      one.send('tally');
      return promise;
    }));
    const sum = key => tallies.reduce((total, tally) => total + tally[key], 0);
    return { open: sum('open'), received: sum('received'), wrong: sum('wrong') };
  }
}

/* Opens `count` connections from `processes` processes. */
export async function openCrowd(t, { target, request, count, processes = 2 }) {
  const all = Array.from({ length: processes }, () => fork(fileURLToPath(import.meta.url), ['crowd']));
  atEnd(t, () => all.forEach(one => one.kill('SIGKILL')));
  await Promise.all(all.map(one => {
    const { promise, resolve, reject } = withResolvers();
    one.once('message', resolve);
    one.once('exit', () => reject(new Error('a process of the crowd has ended')));
    one.send({ target, request, count: count / processes });
    return promise;
  }));
  return new Crowd(all);
}
