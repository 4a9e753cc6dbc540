/* Where faults happen: a Redis, two gateways that reach it through proxies, and the back end, which reaches it
 * directly. The gateways are a Redis user of their own, so that its rights can change. */
import { startRedis } from '../support/redis.js';
import { recordOf } from '../support/visitors.js';
import { cookieFor } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { startFaultProxy } from '../support/fault_proxy.js';
import { now } from './ledger.js';

export const CHANNELS = ['room:1', 'room:2', 'room:3', 'room:4'];

const USER = 'gateway';
const PASSWORD = 'of-the-gateway';
const RIGHTS = ['on', `>${PASSWORD}`, '~*', '&*', '+@all'];

export class Stage {
  #client;
  #logIns = 0;

  constructor(redis, client) {
    this.redis = redis;
    this.#client = client;
  }

  get publisher() {
    return this.#client;
  }

  /* A session's id and cookie. */
  async logIn(id = `s${this.#logIns++}`) {
    await this.#client.set(`sess:${id}`, recordOf({ userId: `user-${id}` }));
    return { id, cookie: cookieFor(id) };
  }

  logOut({ id }) {
    return this.#client.del(`sess:${id}`);
  }

  /* A setting of Redis; over a connection that is there already. */
  configure(name, value) {
    return this.#client.configSet(name, value);
  }

  /* Changes what the gateways may do, as ACL SETUSER takes it. */
  allow(...rights) {
    return this.redis.cli('ACL', 'SETUSER', USER, ...rights);
  }

  /* All rights, and the password, as they were. */
  allowAll() {
    return this.allow('reset', ...RIGHTS);
  }

  get proxies() {
    return this.places.map(({ proxy }) => proxy);
  }

  /* Calls `act` with each proxy. */
  each(act) {
    for (const proxy of this.proxies) act(proxy);
  }

  /* After a start of Redis, which has forgotten the user. */
  async restart() {
    await this.redis.start();
    await this.allowAll();
  }
}

/* A gateway, with the network between it and Redis. */
class Place {
  constructor(proxy, sluice, onGap) {
    Object.assign(this, { proxy, sluice, onGap });
  }

  /* What its admin port says: { at, ready, up, reconnects }, the last two of the subscribed links:
   * a link is not up for those whose channels Redis refuses. */
  async look() {
    const { status } = await this.sluice.admin('/readyz');
    const { body } = await this.sluice.admin('/metrics');
    const values = [...body.matchAll(/^sluice_redis_link_up\{worker="\d+",link="subscribe"\} (\d)$/gm)];
    const refused = /^sluice_channels_refused (\d+)$/m.exec(body);
    const reconnects = /^sluice_redis_reconnects_total\{link="subscribe"\} (\d+)$/m.exec(body);
    return {
      at: now(), ready: status === 200,
      up: values.every(([, value]) => value === '1') && refused[1] === '0', reconnects: Number(reconnects[1]) };
  }
}

export async function setStage(t) {
  const redis = await startRedis(t);
  // a publication is sent once or not at all: nothing waits for Redis to come back
  const client = await redis.client({
    disableOfflineQueue: true, socket: { path: redis.socket, reconnectStrategy: 20 } });
  const stage = new Stage(redis, client);
  await stage.allowAll();
  stage.places = await Promise.all(['continue', 'close'].map(async onGap => {
    const proxy = await startFaultProxy(t, () => redis);
    const sluice = await startSluice(t, proxy.url.replace('//', `//${USER}:${PASSWORD}@`), {
      delivery: { on_gap: onGap },
      session: { sweep: 3600 },
      channels: [{ match: 'room:*', allow: 'session' }, { match: 'bulk', allow: 'session' }],
      limits: { upgrades_per_second: 10000 },
    });
    return new Place(proxy, sluice, onGap);
  }));
  return stage;
}
