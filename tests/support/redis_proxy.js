/* Stands between a gateway and Redis, and on demand misbehaves like a network or another server: it holds
 * replies back, drops some, spoils commands, refuses connections. */
import { connect, createServer } from 'node:net';
import { atEnd } from './ending.js';
import { listen } from './serving.js';

const INVALIDATE = Buffer.from('$20\r\n__redis__:invalidate\r\n');

/* The end of the first reply in the bytes; -1 while it is incomplete. Commands are arrays, as some replies are. */
function endOfReply(bytes, at = 0) {
  const line = bytes.indexOf('\r\n', at);
  if (line < 0) return -1;
  const number = () => Number(bytes.latin1Slice(at + 1, line));
  let end = line + 2;
  switch (String.fromCharCode(bytes[at])) {
    case '$':
      if (number() >= 0) end += number() + 2;
      return end <= bytes.length ? end : -1;
    case '*':
      for (let left = number(); left > 0 && end >= 0; left--) end = endOfReply(bytes, end);
      return end;
    default:
      return end;
  }
}

/* The words of a command as the gateway sends it. */
function wordsOf(command) {
  const words = [];
  for (let at = command.indexOf('\r\n') + 2; at < command.length;) {
    const end = endOfReply(command, at);
    words.push(command.toString('latin1', command.indexOf('\r\n', at) + 2, end - 2));
    at = end;
  }
  return words;
}

/* Cuts a stream into replies or commands. */
class Splitter {
  #rest = Buffer.alloc(0);

  /* Those that are complete, one by one. */
  * take(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (let end; this.#rest.length > 0 && (end = endOfReply(this.#rest)) >= 0;) {
      yield this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end);
    }
  }
}

/* One link of a gateway to Redis. */
class Relay {
  isSubscribed = false;
  #kept = [];

  constructor(proxy, gateway, redis) {
    Object.assign(this, { proxy, gateway, redis });
    const commands = new Splitter();
    const replies = new Splitter();
    gateway.on('data', bytes => [...commands.take(bytes)].forEach(one => this.#command(one)));
    redis.on('data', bytes => [...replies.take(bytes)].forEach(one => this.#reply(one)));
    for (const socket of [gateway, redis]) {
      socket.on('error', () => {});
      socket.on('close', () => this.destroy());
    }
  }

  #command(bytes) {
    const words = wordsOf(bytes);
    if (words[0] === 'SUBSCRIBE') this.isSubscribed = true;
    this.proxy.seen.push(words);
    this.redis.write(this.proxy.spoils(words) ? '*1\r\n$7\r\nSPOILED\r\n' : bytes);
  }

  #reply(bytes) {
    const tellsOfKeys = bytes.includes(INVALIDATE) && bytes.includes('$7\r\nmessage');
    this.proxy.invalidations += tellsOfKeys;
    if (tellsOfKeys && this.proxy.swallows) return;
    if (this.proxy.keeps(this)) {
      this.#kept.push(Buffer.from(bytes));
      this.proxy.kept.push(bytes.toString());
    } else {
      this.gateway.write(bytes);
    }
  }

  /* Closes the connection to Redis, and keeps the gateway's open. */
  strand() {
    this.redis.removeAllListeners('close');
    this.redis.destroy();
  }

  release() {
    for (const bytes of this.#kept.splice(0)) this.gateway.write(bytes);
  }

  destroy() {
    this.gateway.destroy();
    this.redis.destroy();
    this.proxy.relays.delete(this);
  }
}

export class RedisProxy {
  relays = new Set();
  seen = []; // the words of every command
  isShut = false; // new connections are closed at once
  invalidations = 0; // messages from Redis that a key has changed
  swallows = false; // these messages
  spoils = () => false; // by a command's words: the command is replaced by one that Redis does not have
  keeps = () => false; // by relay: its replies are held back until release()
  kept = []; // all that was held back, as strings

  constructor(redis) {
    this.server = createServer(socket => {
      if (this.isShut) socket.destroy();
      else this.relays.add(new Relay(this, socket, connect(redis.port, '127.0.0.1')));
    });
  }

  get url() {
    return `redis://127.0.0.1:${this.server.address().port}`;
  }

  /* Ends the holding back, and sends what was held back: of the links that `which` says, or of all. */
  release(which = () => true) {
    const keeps = this.keeps;
    this.keeps = relay => !which(relay) && keeps(relay);
    for (const relay of this.relays) if (which(relay)) relay.release();
  }

  /* Closes links. */
  cut(which = () => true) {
    for (const relay of this.relays) if (which(relay)) relay.destroy();
  }

}

export const isSubscribed = relay => relay.isSubscribed;
export const isForCommands = relay => !relay.isSubscribed;

export async function startProxy(t, redis) {
  const proxy = new RedisProxy(redis);
  await listen(t, proxy.server);
  atEnd(t, () => proxy.cut());
  return proxy;
}
