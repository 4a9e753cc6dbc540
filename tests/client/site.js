/* A site as in production: pages, and a load balancer in front of gateways, all of one origin.
 *
 * The balancer gives each connection to the next gateway that accepts it. It can also fall silent, with all
 * connections still open, as a network does. */
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { chromium } from 'playwright-core';
import { launchChromium } from '../support/chromium.js';
import { atEnd, file } from '../support/ending.js';
import { freePort } from '../support/ports.js';
import { startRedis } from '../support/redis.js';
import { listen } from '../support/serving.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';

const PAGE = `<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,">
<script type="module">
  import { Sluice } from '/sluice.js';
  window.start = (address, options) => {
    window.log = [];
    window.sluice = new Sluice(address, options);
    for (const type of ['state', 'gap', 'error', 'subscribed', 'unsubscribed'])
      sluice.on(type, detail => log.push({ type, ...detail }));
    log.push({ type: 'state', ...sluice.state });
  };
  window.data = [];
  window.subscribe = channel => sluice.subscribe(channel, (one, meta) => data.push([meta.channel, one]));
  window.loaded = true;
</script>`;

class Site {
  sockets = new Set();
  asked = [];
  #next = 0;
  #server;

  constructor(gateways) {
    this.gateways = gateways; // [{ port }]
    this.backend = null;      // { port }: the server of the site's pages; null: PAGE
    this.#server = createServer((asked, answer) => this.#serve(asked, answer));
    this.#server.on('upgrade', (asked, socket, head) => this.#upgrade(asked, socket, head));
  }

  async listen(t) {
    this.port = await listen(t, this.#server);
    this.origin = `http://127.0.0.1:${this.port}`;
  }

  #serve(asked, answer) {
    this.asked.push(asked.url);
    const isGateways = /^\/(sluice\.js|ws)/.test(asked.url);
    if (!isGateways && !this.backend) {
      answer.setHeader('Content-Type', 'text/html');
      return answer.end(asked.url === '/elsewhere' ? '<!doctype html><title>elsewhere</title>' : PAGE);
    }
    const { port } = isGateways ? this.#choose() : this.backend;
    const forward = request({ host: '127.0.0.1', port, path: asked.url, method: asked.method,
      headers: asked.headers, agent: false });
    forward.on('response', from => from.pipe(answer.writeHead(from.statusCode, from.headers)));
    forward.on('error', () => asked.socket.destroy());
    asked.pipe(forward);
  }

  #choose() {
    return this.gateways[this.#next++ % this.gateways.length];
  }

  /* Tries each gateway once. */
  #upgrade(asked, browser, head, left = this.gateways.length) {
    this.asked.push(asked.url);
    if (left === 0) return browser.destroy();
    const gateway = connect(this.#choose().port, '127.0.0.1');
    gateway.once('error', () => this.#upgrade(asked, browser, head, left - 1));
    gateway.once('connect', () => {
      const lines = [];
      for (let i = 0; i < asked.rawHeaders.length; i += 2)
        lines.push(`${asked.rawHeaders[i]}: ${asked.rawHeaders[i + 1]}\r\n`);
      gateway.write(`GET ${asked.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      gateway.write(head);
      for (const [one, other] of [[browser, gateway], [gateway, browser]]) {
        this.sockets.add(one);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.sockets.delete(one);
          other.destroy();
        });
      }
    });
  }

  /* Open connections pass no more bytes. */
  silence() {
    for (const socket of this.sockets) socket.unpipe();
  }

  /* Ends all connections, as a balancer that stops. */
  cut() {
    for (const socket of this.sockets) socket.destroy();
  }
}

export async function startSite(t, ...gateways) {
  const site = new Site(gateways);
  await site.listen(t);
  atEnd(t, () => site.cut());
  return site;
}

/* A Chromium for all tests of a file, that behaves as without automation: one tab is visible and the others
 * are hidden, there is a back/forward cache, and tabs freeze. */
export async function startBrowser() {
  const port = await freePort();
  await launchChromium(file, {
    args: [`--remote-debugging-port=${port}`], ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true });
  atEnd(file, () => browser.close());
  return browser;
}

/* A visitor with a cookie, who has the browser alone until the test is over. */
export async function visitor(t, browser, site, cookie) {
  const [context] = browser.contexts();
  atEnd(t, async () => {
    await context.setOffline(false);
    await Promise.all(context.pages().map(page => page.close()));
    await context.clearCookies();
  });
  const [name, value] = (cookie ?? '').split('=');
  if (cookie) await context.addCookies([{ name, value, url: site.origin }]);
  return new Visitor(context, site);
}

class Visitor {
  constructor(context, site) {
    Object.assign(this, { context, site });
  }

  /* A tab whose page has not connected yet. */
  async tab(origin = this.site.origin) {
    const page = await this.context.newPage();
    await page.goto(`${origin}/page`);
    const tab = new Tab(page);
    await tab.until(() => window.loaded);
    return tab;
  }

  /* A tab whose page is connected. */
  async connected(options, address = '/ws') {
    const tab = await this.tab();
    await tab.start(address, options);
    await tab.state('open');
    return tab;
  }
}

class Tab {
  constructor(page) {
    this.page = page;
    this.errors = [];
    page.on('pageerror', error => this.errors.push(error.message));
  }

  start(address = '/ws', options = {}) {
    return this.page.evaluate(args => start(...args), [address, options]);
  }

  /* The value of a function in the page, once it is true. It is polled from here, as timers of a hidden tab are
   * slow. */
  async until(fn, argument, { what = String(fn), within = 10000 } = {}) {
    try {
      return await until(() => this.page.evaluate(fn, argument), { what, within });
    } catch (error) {
      throw new Error(`${error.message}; ${JSON.stringify(await this.page.evaluate(() => window.log))}`);
    }
  }

  /* Waits for a state. */
  async state(name, { within } = {}) {
    return this.until(wanted => sluice.state.name === wanted && sluice.state, name, { what: `${name}`, within });
  }

  /* Subscribes, and waits for the confirmation. */
  async subscribe(...channels) {
    for (const channel of channels) {
      await this.page.evaluate(one => void subscribe(one), channel);
      await this.event({ type: 'subscribed', channel });
    }
  }

  log() {
    return this.page.evaluate(() => log);
  }

  forget() {
    return this.page.evaluate(() => void (log.length = data.length = 0));
  }

  /* Waits for an event with these fields, and returns it. */
  async event(fields, { within } = {}) {
    const find = wanted => log.find(one =>
      Object.entries(wanted).every(([name, value]) => one[name] === value));
    return this.until(find, fields, { what: JSON.stringify(fields), within });
  }

  /* Waits for `n` publications, and returns [channel, data] of each. */
  data(n) {
    return this.until(wanted => data.length >= wanted && data, n, { what: `${n} publications` });
  }

  /* Freezes the tab as the browser does after a long time. Another tab must be visible. */
  async freeze() {
    this.cdp = await this.page.context().newCDPSession(this.page);
    await until(() => this.page.evaluate(() => document.hidden), { what: 'the tab is hidden' });
    await this.cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  async resume() {
    await this.cdp.send('Page.setWebLifecycleState', { state: 'active' });
  }
}

/* A visitor who is logged in, on a site with one gateway. */
export async function clientStand(t, browser, config = {}) {
  const redis = await startRedis(t);
  const gateway = await startSluice(t, redis.url, config);
  const site = await startSite(t, gateway);
  const cookie = await logIn(redis, { teams: ['7', '8'] }, { id: 'the-session' });
  const ada = await visitor(t, browser, site, cookie);
  return { redis, gateway, site, ada, publish: (channel, payload) => redis.cli('PUBLISH', channel, payload) };
}

/* Waits until a gateway has this many connections. */
export function connections(gateway, wanted) {
  return gateway.reaches('sluice_connections', wanted);
}
