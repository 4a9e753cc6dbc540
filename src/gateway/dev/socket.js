/*
 * A WebSocket that comes back by itself, when that is welcome.
 *
 *     start() --> connecting --> live --> lost --> connecting --> ...
 *                     |           |
 *                     v           v
 *                   refused     refused      until start() is called again
 *
 * After a loss it waits a random part of a span that doubles with each failure (full jitter):
 * thousands of pages that lost the same server come back spread out, not all at once. The span is
 * back at its beginning when a connection has lasted a while, so that a server that accepts and
 * drops is not hammered.
 *
 * The close code tells whether to come back at all:
 *
 *     4401                      the session ended: not before a new log-in
 *     4403                      the session may see nothing here any more
 *     1002, 1003, 1007, 1009    our own fault, which trying again does not mend
 *     1012 retry_after_ms=N     the server drains, and has chosen when we come back
 *
 * A refused opening handshake looks like any other failure to a page (close code 1006 and no
 * status), so after one the session is asked for by HTTP.
 */

const FIRST_SPAN_MS = 1000;
const LONGEST_SPAN_MS = 30000;
const STABLE_MS = 5000;
const LONGEST_DRAIN_WAIT_MS = 120000;

const OUR_FAULT = [1002, 1003, 1007, 1009];

function drainWait({ code, reason }) {
  const match = code === 1012 && /^retry_after_ms=(\d+)$/.exec(reason);
  return match ? Math.min(Number(match[1]), LONGEST_DRAIN_WAIT_MS) : null;
}

export class Socket {
  #url;
  #hasSession; /* async () => true, false, or null when the server cannot tell */
  #events;     /* { state(name, details), message(data) } */
  #socket = null;
  #timer = 0;
  #failures = 0;

  constructor(url, hasSession, events) {
    this.#url = url;
    this.#hasSession = hasSession;
    this.#events = events;
  }

  start() {
    this.stop();
    this.#failures = 0;
    this.#connect();
  }

  stop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  #connect() {
    const socket = new WebSocket(this.#url);
    let opened = 0;
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#events.state('connecting');

    /* A socket that was stopped or replaced has nothing to say any more. */
    const current = (handler) => (event) => socket === this.#socket && handler(event);
    socket.onopen = current(() => {
      opened = performance.now();
      this.#events.state('live');
    });
    socket.onmessage = current((event) => this.#events.message(event.data));
    socket.onclose = current((event) => {
      if (opened && performance.now() - opened > STABLE_MS)
        this.#failures = 0;
      this.#closed(event, socket, opened > 0);
    });
  }

  async #closed(event, socket, wasOpen) {
    if (event.code === 4401)
      return this.#refuse('Your session ended', false);
    if (event.code === 4403)
      return this.#refuse('No channel is allowed', true);
    if (OUR_FAULT.includes(event.code))
      return this.#refuse(`Refused (${event.code})`, true);
    const session = wasOpen ? null : await this.#hasSession();
    if (socket !== this.#socket)
      return;
    if (session === false)
      this.#refuse('Not logged in', false);
    else
      this.#comeBack(drainWait(event));
  }

  #comeBack(wait) {
    const span = Math.min(LONGEST_SPAN_MS, FIRST_SPAN_MS * 2 ** this.#failures);
    this.#failures++;
    const delay = wait ?? Math.random() * span;
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#events.state('lost', { until: performance.now() + delay });
  }

  #refuse(reason, session) {
    this.stop();
    this.#events.state('refused', { reason, session });
  }
}
