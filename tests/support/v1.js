/* A page that speaks sluice.v1 message by message. */
import assert from 'node:assert/strict';
import { Browser } from './browser.js';

export class Page {
  #ids = 0;
  heartbeats = 0;

  constructor(browser) {
    this.browser = browser;
  }

  /* A page that is open and has received the welcome. */
  static async open(sluice, { query = '', protocols = ['sluice.v1'], ...options } = {}) {
    const page = new Page(await Browser.open(sluice.url + query, { protocols, ...options }));
    assert.equal(page.browser.protocol, 'sluice.v1');
    page.welcome = await page.next();
    assert.equal(page.welcome.type, 'welcome');
    return page;
  }

  /* The next message other than a heartbeat. Heartbeats may come at any time; they are counted. */
  async next(options) {
    for (;;) {
      const { data, isBinary } = await this.browser.nextMessage(options);
      assert.equal(isBinary, false);
      const message = JSON.parse(data.toString());
      if (message.type !== 'heartbeat') return message;
      assert.deepEqual(message, { type: 'heartbeat' });
      this.heartbeats += 1;
    }
  }

  /* The next message of this type; those before it are dropped. */
  async nextOf(type, options) {
    for (;;) {
      const message = await this.next(options);
      if (message.type === type) return message;
    }
  }

  /* The messages that have arrived and were not asked for, without heartbeats. */
  takeAll() {
    const all = this.browser.takeAll().map(text => JSON.parse(text));
    const messages = all.filter(({ type }) => type !== 'heartbeat');
    this.heartbeats += all.length - messages.length;
    return messages;
  }

  /* Sends a command, or any string or bytes. */
  send(command) {
    this.browser.socket.send(typeof command === 'string' || Buffer.isBuffer(command)
      ? command : JSON.stringify(command));
  }

  /* Sends a command with a new id, and returns the next message, which must have that id. */
  async ask(command) {
    const id = ++this.#ids;
    this.send({ ...command, id });
    const { id: answered, ...answer } = await this.next();
    assert.equal(answered, id);
    return answer;
  }

  subscribe(channel) {
    return this.ask({ type: 'subscribe', channel });
  }

  unsubscribe(channel) {
    return this.ask({ type: 'unsubscribe', channel });
  }

  closed(options) {
    return this.browser.closed(options);
  }

  terminate() {
    this.browser.terminate();
  }
}
