/* A session ends, in each way that Redis offers: its connections are closed with 4401, and all others stay
 * open. No test waits long enough for a sweep. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { startBackend } from '../support/backend.js';
import { atEnd, file } from '../support/ending.js';
import { OPCODE, handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { isForCommands, isSubscribed, startProxy } from '../support/redis_proxy.js';
import { startSluice } from '../support/sluice.js';
import { soon, until, withResolvers } from '../support/wait.js';
import {
  NO_SWEEP, Visitor, assertReceived, each, median, quick, reads, recordOf } from '../support/visitors.js';

/* No pings, so that the raw clients need not handle them. */
const WATCHING = { workers: 4, session: NO_SWEEP, heartbeat: { interval: 0 } };

const redis = await startRedis(file, { 'notify-keyspace-events': 'Ex' });
const gateways = await Promise.all([1, 2].map(() => startSluice(file, redis.url, WATCHING)));
const client = await redis.client();

/* A visitor with connections to all workers of both gateways. */
async function visit(fields, { count = 8 } = {}) {
  const visitor = await Visitor.logIn(client, fields);
  await Promise.all(gateways.map(gateway => visitor.open(gateway, { count })));
  return visitor;
}

async function closesWith(code) {
  const counts = await Promise.all(gateways.map(gateway =>
    gateway.metric(`sluice_closes_total{code="${code}"}`)));
  return counts.reduce((sum, count) => sum + count);
}

test('leaves the connections of a session open if its record loses a member that no setting names', async () => {
  const rereads = () => Promise.all(gateways.map(gateway => gateway.metric('sluice_session_rereads_total')));
  const visitor = await visit();
  const before = await rereads();
  await client.set(visitor.key, recordOf({ cookie: undefined }), { expiration: 'KEEPTTL' });
  await until(async () => (await rereads()).every((n, i) => n > before[i]), {
    what: 'both gateways have read the record again' });
  await assertReceived(client, 'news', visitor.browsers);
  await client.del(visitor.key);
  await visitor.closed();
});

describe('closes the connections of a session, in all workers of two gateways, after', () => {
  const record = fields => ({ key }) => client.set(key, recordOf(fields), { expiration: 'KEEPTTL' });
  const text = value => ({ key }) => client.set(key, value);
  const ways = {
    'DEL': ({ key }) => client.del(key),
    'UNLINK': ({ key }) => client.unlink(key),
    'GETDEL': ({ key }) => client.getDel(key),
    'EXPIRE 0': ({ key }) => client.expire(key, 0),
    'PEXPIREAT with a time in the past': ({ key }) => client.pExpireAt(key, 1),
    'its expiry': ({ key }) => client.pExpire(key, 30),
    'SET with a short expiry': ({ key }) =>
      client.set(key, recordOf(), { expiration: { type: 'PX', value: 30 } }),
    'RENAME': ({ key }) => client.rename(key, `${key}-elsewhere`),
    'MOVE to another database': ({ key }) => client.move(key, 1),
    'DEL in a script': ({ key }) => client.eval("redis.call('DEL', KEYS[1])", { keys: [key] }),
    'DEL and SET of another user\'s session, in one transaction': ({ key }) =>
      client.multi().del(key).set(key, recordOf({ userId: 'u2' })).exec(),
    'authenticated false': record({ authenticated: false }),
    'no authenticated': record({ authenticated: undefined }),
    'authenticated "true", a string': record({ authenticated: 'true' }),
    'another user': record({ userId: 'u2' }),
    'no user': record({ userId: undefined }),
    'a record that is not JSON': text('{"cookie":{},"authenticated":tr'),
    'an empty record': text(''),
    'a key of another type': ({ key }) => client.multi().del(key).hSet(key, 'authenticated', 'true').exec(),
    'RENAME of another key to it': async ({ key }) => {
      await client.rPush(`${key}-list`, 'x');
      await client.rename(`${key}-list`, key);
    },
  };

  for (const [name, end] of Object.entries(ways))
    test(name, async () => {
      const before = await closesWith(4401);
      const visitor = await visit();
      const other = await visit({}, { count: 2 });
      await end(visitor);
      await visitor.closed();
      await assertReceived(client, 'news', other.browsers);
      assert.ok(other.isUntouched);
      assert.equal(await closesWith(4401), before + visitor.browsers.length);
      other.terminate();
    });
});

describe('closes all connections after', () => {
  for (const [name, flush] of Object.entries({
    'FLUSHDB': () => client.flushDb(),
    'FLUSHALL': () => client.flushAll(),
    'FLUSHALL ASYNC': () => client.flushAll('ASYNC') }))
    test(name, async () => {
      const visitors = await Promise.all(Array.from({ length: 10 }, () => visit({}, { count: 2 })));
      await flush();
      await Promise.all(visitors.map(visitor => visitor.closed()));
    });

  test('the deletion of 2,000 sessions, within a second, and no others', async t => {
    const ids = Array.from({ length: 2000 }, (_, i) => `crowd-${i}`);
    const visitors = await Promise.all(ids.map(id => Visitor.logIn(client, {}, id)));
    const crowd = await openLean(t, visitors);
    const other = await visit();

    const began = performance.now();
    await client.del(visitors.map(({ key }) => key));
    await soon(crowd.closed, { what: 'all are closed' });
    const took = performance.now() - began;
    t.diagnostic(`2,000 sessions: ${Math.round(took)} ms`);
    assert.ok(took < 1000, `${Math.round(took)} ms`);
    assert.ok(crowd.codes.every(code => code === 4401));
    await assertReceived(client, 'news', other.browsers);
    assert.ok(other.isUntouched);
    other.terminate();
  });

  test('the expiry of 500 sessions at the same time', async t => {
    const visitors = await Promise.all(Array.from({ length: 500 }, (_, i) =>
      Visitor.logIn(client, {}, `brief-${i}`)));
    const crowd = await openLean(t, visitors);
    const at = Date.now() + 50;
    await Promise.all(visitors.map(({ key }) => client.pExpireAt(key, at)));
    await soon(crowd.closed, { what: 'all are closed' });
    assert.ok(crowd.codes.every(code => code === 4401));
  });
});

/* Opens a connection for each visitor, half of them to each gateway: { codes, closed }. The clients are raw
 * sockets, so that their own work does not count. */
async function openLean(t, visitors) {
  const crowd = { codes: [] };
  const { promise, resolve } = withResolvers();
  crowd.closed = promise;
  const sockets = [];
  atEnd(t, () => sockets.forEach(socket => socket.destroy()));
  await each(visitors.length, i => {
    const { promise: open, resolve: opened, reject } = withResolvers();
    const socket = connect(gateways[i % gateways.length].target);
    sockets.push(socket);
    socket.write(handshake({ headers: { Cookie: visitors[i].cookie } }));
    socket.on('error', reject);
    socket.once('data', bytes => {
      if (bytes.toString('latin1', 0, 12) !== 'HTTP/1.1 101') reject(new Error(bytes.toString()));
      socket.on('data', frame => {
        if (frame[0] !== (0x80 | OPCODE.close)) return;
        crowd.codes.push(frame.readUInt16BE(2));
        if (crowd.codes.length === visitors.length) resolve();
      });
      opened();
    });
    return open;
  });
  return crowd;
}

describe('latency', () => {
  const ROUNDS = 15;

  async function measure(t, end, within = 100) {
    const took = [];
    for (let i = 0; i < ROUNDS; i++) {
      const visitor = await visit({}, { count: 2 });
      const from = await end(visitor);
      await visitor.closed();
      took.push(performance.now() - from);
    }
    t.diagnostic(`median ${median(took).toFixed(1)} ms, longest ${Math.max(...took).toFixed(1)} ms`);
    assert.ok(quick(took) < within, took.map(Math.round).join(' '));
  }

  /* Most sessions were read just now, so they wait for one tick of 50 ms, but not for two. */
  test('closes with 4401 within 75 ms of a DEL', t => measure(t, visitor => {
    const began = performance.now();
    return client.del(visitor.key).then(() => began);
  }, 75));

  test('closes with 4401 within 100 ms of the expired event', async t => {
    const listener = await redis.client();
    const expired = new Map();
    await listener.subscribe('__keyevent@0__:expired', key => expired.set(key, performance.now()));
    await measure(t, async visitor => {
      await client.pExpire(visitor.key, 5);
      return until(() => expired.get(visitor.key));
    });
  });

  test('a page view just before the log-out does not delay the close', t => measure(t, async visitor => {
    const before = await reads(client);
    await visitor.touch();
    await until(async () => (await reads(client)) >= before + gateways.length, { what: 'it is read again' });
    const began = performance.now();
    await client.del(visitor.key);
    return began;
  }));
});

describe('closes nobody when', () => {
  const untouched = async (visitor, change) => {
    const before = await reads(client);
    await change(visitor);
    await visitor.touch();
    await until(async () => (await reads(client)) >= before + gateways.length, { what: 'it is read again' });
    await assertReceived(client, 'news', visitor.browsers);
    assert.ok(visitor.isUntouched);
    await client.del(visitor.key);
    await visitor.closed(); // still watched
  };
  const changes = {
    'the session is touched': visitor => visitor.touch(),
    'the same record is written again': visitor => visitor.write({}),
    'other fields of it change': visitor => visitor.write({ basket: ['book'], cookie: { expires: 'later' } }),
    'it is deleted and written again in one transaction': ({ key }) =>
      client.multi().del(key).set(key, recordOf()).exec(),
    'it loses its time to live': ({ key }) => client.persist(key),
    'a key of the same name in another database is deleted': async ({ key }) => {
      const other = await redis.client({ database: 3 });
      await other.set(key, 'x');
      await other.del(key);
    },
    'another database is flushed': async () => (await redis.client({ database: 3 })).flushDb(),
    'a client publishes on the channel of invalidations': async ({ key }) => {
      await client.publish('__redis__:invalidate', key);
      await client.publish('__redis__:invalidate', '');
    },
  };
  for (const [name, change] of Object.entries(changes))
    test(name, async () => untouched(await visit(), change));

  test('another session, or one that does not exist, is looked up', async () => {
    const visitor = await visit();
    await assert.rejects(gateways[0].open({ cookie: new Visitor(client).cookie }), { status: 401 });
    const other = await visit({ userId: 'u2' });
    await client.del(other.key);
    await other.closed();
    assert.ok(visitor.isUntouched);
    visitor.terminate();
  });
});

describe('watches a session stored', () => {
  /* A visitor with connections to a gateway that is configured for this kind of session. */
  async function visitOf(t, session, cookie) {
    const sluice = await startSluice(t, redis.url, { session: { ...NO_SWEEP, ...session } });
    const visitor = new Visitor(client);
    await visitor.open(sluice, { count: 4, cookie });
    return visitor;
  }

  test('under a digest of its id', async t => {
    const id = 'abcdefghijklmnopqrstuvwxyz012345';
    const key = `2::${createHash('sha256').update(id).digest('hex')}`;
    await client.set(key, '{"authenticated":true,"userId":"u1"}');
    const visitor = await visitOf(t, { preset: 'rails-json' }, `_session_id=${id}`);
    await client.del(key);
    await visitor.closed();
  });

  const SPRING = 'spring:session:sessions:';
  const spring = async t => {
    const id = randomUUID();
    await client.hSet(`${SPRING}${id}`, {
      'sessionAttr:SPRING_SECURITY_CONTEXT': '{"authenticated":true}',
      'sessionAttr:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME': '"u1"' });
    await client.set(`${SPRING}expires:${id}`, '');
    const visitor = await visitOf(t, { preset: 'spring', secrets: [] }, `SESSION=${btoa(id)}`);
    return { id, visitor };
  };

  test('as a hash with a second key, which expires', async t => {
    const { id, visitor } = await spring(t);
    await client.pExpire(`${SPRING}expires:${id}`, 20);
    await visitor.closed();
  });

  test('as a hash, which is deleted', async t => {
    const { id, visitor } = await spring(t);
    await client.del(`${SPRING}${id}`);
    await visitor.closed();
  });

  test('as a hash, of which one field is set and another deleted', async t => {
    const { id, visitor } = await spring(t);
    const before = await client.info('commandstats').then(countHashReads);
    await client.hSet(`${SPRING}${id}`, 'lastAccessedTime', '1');
    await until(async () => countHashReads(await client.info('commandstats')) > before, { what: 'it is read again' });
    await assertReceived(client, 'news', visitor.browsers);
    await client.hDel(`${SPRING}${id}`, 'sessionAttr:SPRING_SECURITY_CONTEXT');
    await visitor.closed();
  });

  const countHashReads = stats => Number(/cmdstat_hgetall:calls=(\d+)/.exec(stats)?.[1] ?? 0);
});

test('counts the sessions that are watched and those that have ended', async t => {
  const sluice = await startSluice(t, redis.url, { workers: 1, session: NO_SWEEP });
  const [first, second] = [await Visitor.logIn(client), await Visitor.logIn(client)];
  await first.open(sluice, { count: 3 });
  await second.open(sluice);
  assert.equal(await sluice.metric('sluice_sessions'), 2);
  assert.equal(await sluice.metric('sluice_sessions_revoked_total'), 0);
  await client.del(first.key);
  await first.closed();
  assert.equal(await sluice.metric('sluice_sessions'), 1);
  assert.equal(await sluice.metric('sluice_sessions_revoked_total'), 1);
  second.terminate();
  await sluice.reaches('sluice_sessions', 0);
  assert.equal(await sluice.metric('sluice_closes_total{code="4401"}'), 3);
});

test('closes a connection when its session ends even if no session is required', async t => {
  const sluice = await startSluice(t, redis.url, {
    session: { ...NO_SWEEP, required: false }, channels: [{ match: 'news', allow: 'anyone', auto: true }] });
  const visitor = await Visitor.logIn(client);
  await visitor.open(sluice);
  const nobody = await sluice.open();
  await client.del(visitor.key);
  await visitor.closed();
  await assertReceived(client, 'news', [nobody]);
  nobody.terminate();
});

test('sends nothing to a client that does not answer the close', async () => {
  const [gateway] = gateways;
  const visitor = await Visitor.logIn(client);
  const peer = await gateway.connect();
  await peer.open({ cookie: visitor.cookie });
  await client.del(visitor.key);
  const { opcode, payload } = await peer.frame();
  assert.equal(opcode, OPCODE.close);
  assert.equal(payload.readUInt16BE(), 4401);
  const other = await visit({}, { count: 1 });
  await assertReceived(client, 'news', other.browsers);
  assert.equal(peer.bytes.length, 0);
  peer.destroy();
  other.terminate();
});

test('refuses a reconnect with the ended session, and accepts it after a new log-in', async () => {
  const visitor = await visit({}, { count: 1 });
  await client.del(visitor.key);
  await visitor.closed();
  await assert.rejects(visitor.open(gateways[0]), { status: 401 });
  await visitor.write();
  (await visitor.open(gateways[0]))[0].terminate();
});

describe('with express-session and connect-redis', () => {
  const settle = (visits, code) => Promise.all(visits.map(async one =>
    assert.equal((await one.closed({ within: 1000 })).code, code)));
  const openAll = visitor => Promise.all(gateways.flatMap(gateway => [gateway.open(visitor), gateway.open(visitor)]));

  test('closes after a log-out, which destroys the session', async t => {
    const backend = await startBackend(t, redis);
    const [anna, bert] = [await backend.logIn('anna'), await backend.logIn('bert')];
    const [ofAnna, ofBert] = [await openAll(anna), await openAll(bert)];
    await anna.post('/logout');
    await settle(ofAnna, 4401);
    assert.ok(ofBert.every(browser => browser.isOpen));
    await bert.post('/logout');
    await settle(ofBert, 4401);
  });

  test('closes after a new log-in, which regenerates the session', async t => {
    const backend = await startBackend(t, redis);
    const dora = await backend.logIn('dora');
    const before = await openAll(dora);
    const answer = await dora.post('/login', { user: 'dora' });
    await settle(before, 4401);
    const again = { cookie: answer.headers.getSetCookie()[0].split(';')[0] };
    for (const browser of await openAll(again)) browser.terminate();
  });

  test('stays open after page views, which touch the session', async t => {
    const backend = await startBackend(t, redis);
    const emil = await backend.logIn('emil');
    const browsers = await openAll(emil);
    const touched = await redis.calls('expire');
    for (let i = 0; i < 10; i++) await emil.post('/publish', { to: 'news', text: `${i}` });
    assert.ok((await redis.calls('expire')) >= touched + 10);
    await assertReceived(client, 'news', browsers);
    await emil.post('/logout');
    await settle(browsers, 4401);
  });
});

describe('a session that ends while a connection opens', () => {
  /* The opening is refused, or opened and closed. */
  async function assertNeverStays(opening) {
    const browser = await opening.catch(error => {
      assert.equal(error.status, 401, error.message);
      return null;
    });
    if (browser) assert.equal((await browser.closed({ within: 1000 })).code, 4401);
  }

  async function slow(t) {
    const proxy = await startProxy(t, redis);
    const sluice = await startSluice(t, proxy.url, { workers: 1, session: NO_SWEEP });
    return { proxy, sluice, visitor: await Visitor.logIn(client) };
  }

  function begin(sluice, visitor) {
    const opening = sluice.open({ cookie: visitor.cookie });
    opening.catch(() => {});
    return { opening };
  }

  /* Redis has replied to the look-up, and the proxy keeps the reply back. */
  async function asks(proxy, visitor, sluice) {
    const opening = begin(sluice, visitor);
    await until(() => proxy.kept.some(reply => reply.includes('authenticated')), { what: 'a record is kept back' });
    return opening;
  }

  test('the invalidation arrives before the old record', async t => {
    const { proxy, sluice, visitor } = await slow(t);
    proxy.keeps = isForCommands;
    const { opening } = await asks(proxy, visitor, sluice);
    await client.del(visitor.key);
    await until(() => proxy.invalidations > 0, { what: 'Redis invalidates it' });
    proxy.release();
    await assertNeverStays(opening);
  });

  test('the invalidation arrives after the old record', async t => {
    const { proxy, sluice, visitor } = await slow(t);
    proxy.keeps = () => true;
    const { opening } = await asks(proxy, visitor, sluice);
    await client.del(visitor.key);
    await until(() => proxy.invalidations > 0, { what: 'Redis invalidates it' });
    proxy.release(isForCommands);
    proxy.release();
    await assertNeverStays(opening);
  });

  test('a second client joins the look-up that has the old record', async t => {
    const { proxy, sluice, visitor } = await slow(t);
    proxy.keeps = isForCommands;
    const { opening: first } = await asks(proxy, visitor, sluice);
    await client.del(visitor.key);
    await until(() => proxy.invalidations > 0, { what: 'Redis invalidates it' });
    const { opening: second } = begin(sluice, visitor);
    await sluice.reaches('sluice_session_lookups_total{result="shared"}', 1);
    proxy.release();
    await assertNeverStays(first);
    await assertNeverStays(second);
  });

  test('the session ends while the channel is being confirmed', async t => {
    const { proxy, sluice, visitor } = await slow(t);
    proxy.keeps = isSubscribed;
    const { opening } = begin(sluice, visitor);
    await until(() => proxy.kept.some(reply => reply.includes('news')), { what: 'a confirmation is kept back' });
    await client.del(visitor.key);
    await until(() => proxy.invalidations > 0, { what: 'Redis invalidates it' });
    proxy.release();
    await assertNeverStays(opening);
  });

  test('the session ends in the same instant, a hundred times', async () => {
    let refused = 0;
    await each(100, async i => {
      const visitor = await Visitor.logIn(client);
      const opening = Promise.all(gateways.map(gateway => gateway.open({ cookie: visitor.cookie })
        .catch(error => (assert.equal(error.status, 401), refused++, null))));
      const ending = (async () => {
        for (let pings = i % 5; pings > 0; pings--) await client.ping();
        await client.del(visitor.key);
      })();
      const [browsers] = await Promise.all([opening, ending]);
      for (const browser of browsers)
        if (browser) assert.equal((await browser.closed({ within: 2000 })).code, 4401);
    }, { atOnce: 10 });
    for (const gateway of gateways)
      await gateway.reaches('sluice_connections', 0);
    assert.ok(refused < 200, 'none was ever open');
  });
});
