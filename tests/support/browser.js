/* A browser, played by the npm package ws: its messages one by one, and its close. */
import WebSocket from 'ws';
import { Inbox, soon, withResolvers } from './wait.js';

/* The opening handshake was answered with another status than 101. */
export class Refused extends Error {
  constructor(status, headers, body) {
    super(`refused with ${status}: ${body.trim()}`);
    Object.assign(this, { status, headers, body });
  }
}

/* Resolves when a socket of ws is open; rejects with Refused, or with the connection's own error. */
export function opened(socket) {
  const { promise, resolve, reject } = withResolvers();
  socket.on('open', resolve);
  socket.on('error', reject);
  socket.on('unexpected-response', async (request, answer) => {
    let body = '';
    for await (const part of answer.setEncoding('utf8')) body += part;
    reject(new Refused(answer.statusCode, answer.headers, body));
  });
  return promise;
}

export class Browser {
  #closed = withResolvers();
  #inbox = new Inbox();

  constructor(url, { cookie, origin, protocols = [], headers = {}, ...options } = {}) {
    if (cookie) headers = { ...headers, Cookie: cookie };
    this.socket = new WebSocket(url, protocols, {
      headers, origin, perMessageDeflate: false, handshakeTimeout: 15000, ...options });
    this.socket.on('message', (data, isBinary) => this.#inbox.put({ data, isBinary }));
    this.socket.on('close', (code, reason) => {
      this.#inbox.end(new Error(`closed with ${code} ${reason}`));
      this.#closed.resolve({ code, reason: reason.toString() });
    });
  }

  /* Gives a browser that is open, or rejects as opened() does. */
  static async open(url, options) {
    const browser = new Browser(url, options);
    await opened(browser.socket);
    return browser;
  }

  /* The next message, as a string. */
  async next(options) {
    return (await this.nextMessage(options)).data.toString();
  }

  /* The next message: { data: Buffer, isBinary }. */
  nextMessage(options) {
    return this.#inbox.next({ what: 'a message', ...options });
  }

  /* The messages that have arrived and were not asked for, as strings. */
  takeAll() {
    return this.#inbox.takeAll().map(({ data }) => data.toString());
  }

  get received() {
    return this.#inbox.count;
  }

  get protocol() {
    return this.socket.protocol;
  }

  get isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /* Closes, and returns the close code and reason that came back. */
  close(code, reason) {
    this.socket.close(code, reason);
    return this.closed();
  }

  /* The close: { code, reason }. */
  closed({ within = 5000 } = {}) {
    return soon(this.#closed.promise, { what: 'the close of the connection', within });
  }

  terminate() {
    this.socket.terminate();
  }
}
