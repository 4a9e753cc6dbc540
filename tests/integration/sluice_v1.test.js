/* The protocol sluice.v1: the welcome, publications, commands and their answers, limits, gaps, heartbeats. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { file } from '../support/ending.js';
import { frame, handshake, OPCODE } from '../support/raw_client.js';
import { logIn, putSession } from '../support/sessions.js';
import { stand } from '../support/stand.js';
import { Page } from '../support/v1.js';
import { until } from '../support/wait.js';

let redis, sluice, cookie, client;
before(async () => {
  ({ redis, sluice } = await stand(file, { session: { required: false } }));
  cookie = await logIn(redis, { userId: 'u1', teams: ['red', 7] });
  client = await redis.client();
});

const subscribed = channel => ({ type: 'subscribed', channel });
const unsubscribed = channel => ({ type: 'unsubscribed', channel });

async function assertError(answer, code) {
  const { type, code: given, message } = await answer;
  assert.deepEqual([type, given], ['error', code]);
  assert.ok(message.length > 0);
}

describe('the welcome', () => {
  test('is the first message, with the user and the channels', async () => {
    const page = await Page.open(sluice, { cookie, query: '?channel=team:red' });
    const { connection, channels, ...rest } = page.welcome;
    assert.deepEqual(rest, { type: 'welcome', user: 'u1', heartbeat: 25 });
    assert.match(connection, /^[0-9a-f]{16}$/);
    assert.deepEqual(channels.sort(), ['news', 'team:red', 'user:u1']);
  });

  test('has another connection id each time', async () => {
    const pages = await Promise.all([1, 2, 3].map(() => Page.open(sluice, { cookie })));
    assert.equal(new Set(pages.map(page => page.welcome.connection)).size, 3);
  });

  test('has no user without a session', async () => {
    const page = await Page.open(sluice);
    assert.equal(page.welcome.user, null);
    assert.deepEqual(page.welcome.channels, []);
  });

  test('escapes the user id', async () => {
    const strange = await logIn(redis, { userId: 'a"\\\nü🙂' });
    const page = await Page.open(sluice, { cookie: strange });
    assert.equal(page.welcome.user, 'a"\\\nü🙂');
    assert.deepEqual(page.welcome.channels, ['news']); // a channel's name has no control character
  });

  test('comes before the answers to commands that were sent with the request', async () => {
    const raw = await sluice.connect();
    const request = handshake({ headers: { Cookie: cookie, 'Sec-WebSocket-Protocol': 'sluice.v1' } });
    raw.write(request, frame(OPCODE.text, '{"type":"ping"}'), frame(OPCODE.text, 'x'));
    assert.equal((await raw.answer()).headers['sec-websocket-protocol'], 'sluice.v1');
    const types = [];
    while (types.length < 3) types.push(JSON.parse((await raw.frame()).payload).type);
    assert.deepEqual(types, ['welcome', 'pong', 'error']);
  });
});

describe('the subprotocol', () => {
  for (const protocols of [['sluice.v1'], ['chat', 'sluice.v1'], ['ticket.x', 'sluice.v1']])
    test(`is sluice.v1 for an offer of ${protocols}`, async () => {
      await Page.open(sluice, { cookie, protocols });
    });

  test('is none for an offer of chat: payloads come unchanged', async () => {
    const browser = await sluice.open({ cookie, protocols: ['chat'] });
    assert.equal(browser.protocol, 'chat');
    await client.publish('news', '{"a":1}');
    assert.equal(await browser.next(), '{"a":1}');
  });
});

describe('a publication of', () => {
  const cases = {
    'an object': ['{"a": [1, {"b": null}]}', { data: { a: [1, { b: null }] } }],
    'a number': ['1.50', { data: 1.5 }],
    'a string that is JSON': ['"x"', { data: 'x' }],
    'text': ['hello', { data: 'hello' }],
    'nothing': ['', { data: '' }],
    'text with quotes and breaks': ['a "b"\\\n\t\0ü🙂', { data: 'a "b"\\\n\t\0ü🙂' }],
    'half an object': ['{"a":1', { data: '{"a":1' }],
    'a script': ['</script>', { data: '</script>' }],
    'deeply nested lists': ['['.repeat(200) + ']'.repeat(200), { data: '['.repeat(200) + ']'.repeat(200) }],
    'bytes that are not UTF-8': [Buffer.from([0xff, 0, 0xfe, 1]), { base64: '/wD+AQ==' }],
  };
  for (const [what, [payload, wanted]] of Object.entries(cases))
    test(`${what}`, async () => {
      const page = await Page.open(sluice, { cookie });
      await client.publish('news', payload);
      assert.deepEqual(await page.next(), { type: 'publication', channel: 'news', ...wanted });
    });

  test('JSON reaches sluice.v1 and plain connections once and in order', async () => {
    const plain = await sluice.open({ cookie });
    const pages = await Promise.all(Array.from({ length: 4 }, () => Page.open(sluice, { cookie })));
    await Promise.all(Array.from({ length: 500 }, (_, i) => client.publish('news', `{"n":${i}}`)));
    for (let i = 0; i < 500; i++) {
      assert.equal(await plain.next(), `{"n":${i}}`);
      for (const page of pages) assert.deepEqual((await page.next()).data, { n: i });
    }
  });

  test('a megabyte', async () => {
    const page = await Page.open(sluice, { cookie });
    const text = 'x'.repeat(1024 * 1024 - 2);
    await client.publish('news', JSON.stringify(text));
    assert.equal((await page.next()).data, text);
    await client.publish('news', '\x01'.repeat(100000));
    assert.equal((await page.next()).data, '\x01'.repeat(100000));
  });
});

test('publications are compressed with permessage-deflate, other messages are not', async t => {
  const { redis, sluice, cookie } = await stand(t, { compression: { enabled: true } });
  const page = await Page.open(sluice, { cookie, perMessageDeflate: true });
  assert.match(page.browser.socket.extensions, /permessage-deflate/);
  const text = 'abc'.repeat(10000);
  await redis.cli('PUBLISH', 'news', text);
  assert.equal((await page.next()).data, text);
  assert.ok((await sluice.metric('sluice_delivered_bytes_total')) < gzipSync(text).length + 200);
  page.browser.socket.send(JSON.stringify({ type: 'ping', id: 'x'.repeat(60) }), { compress: true });
  assert.equal((await page.next()).type, 'pong');
});

describe('commands', () => {
  test('subscribe: no publication after the answer is missed', async () => {
    const page = await Page.open(sluice, { cookie });
    assert.deepEqual(await page.subscribe('team:red'), subscribed('team:red'));
    await client.publish('team:red', '1');
    assert.deepEqual(await page.next(), { type: 'publication', channel: 'team:red', data: 1 });
  });

  test('subscribe: a channel that others have is answered as well', async () => {
    const [first, second] = [await Page.open(sluice, { cookie }), await Page.open(sluice, { cookie })];
    assert.deepEqual(await first.subscribe('team:7'), subscribed('team:7'));
    assert.deepEqual(await second.subscribe('team:7'), subscribed('team:7'));
    assert.deepEqual(await second.subscribe('team:7'), subscribed('team:7'));
    await client.publish('team:7', '1');
    assert.equal((await second.next()).data, 1);
    await client.publish('news', '2');
    assert.equal((await second.next()).data, 2); // the one before came once
  });

  test('unsubscribe: no publication comes after the answer', async () => {
    const page = await Page.open(sluice, { cookie });
    assert.deepEqual(await page.subscribe('public:x'), subscribed('public:x'));
    assert.deepEqual(await page.unsubscribe('public:x'), unsubscribed('public:x'));
    assert.deepEqual(await page.unsubscribe('public:x'), unsubscribed('public:x'));
    assert.deepEqual(await page.unsubscribe('news'), unsubscribed('news'));
    for (const channel of ['public:x', 'news', 'user:u1']) await client.publish(channel, '1');
    assert.equal((await page.next()).channel, 'user:u1');
    assert.deepEqual(await page.subscribe('news'), subscribed('news'));
  });

  test('ping', async () => {
    const page = await Page.open(sluice, { cookie });
    assert.deepEqual(await page.ask({ type: 'ping' }), { type: 'pong' });
    page.send({ type: 'ping' });
    assert.deepEqual(await page.next(), { type: 'pong' });
  });

  test('an answer has the id of the command', async () => {
    const page = await Page.open(sluice, { cookie });
    for (const id of [0, -7, 9007199254740991, '', 'ü"\\', 'x'.repeat(64)]) {
      page.send({ type: 'ping', id });
      assert.deepEqual(await page.next(), { type: 'pong', id });
    }
  });

  test('each of many at once is answered', async () => {
    const page = await Page.open(sluice, { cookie });
    const channels = Array.from({ length: 100 }, (_, i) => (i % 2 ? `public:${i}` : `team:${i}`));
    channels.forEach((channel, id) => page.send({ type: 'subscribe', id, channel }));
    const answers = [];
    while (answers.length < channels.length) answers.push(await page.next());
    for (const { id, type, code } of answers) {
      assert.equal(type, id % 2 ? 'subscribed' : 'error');
      if (type === 'error') assert.equal(code, 'forbidden');
    }
    assert.equal(new Set(answers.map(({ id }) => id)).size, channels.length);
  });

  test('a channel that the session does not allow is forbidden', async () => {
    const page = await Page.open(sluice, { cookie });
    for (const channel of ['team:blue', 'user:u2', 'nothing', '', '__redis__:invalidate', 'x'.repeat(257), 'public:\n'])
      await assertError(page.subscribe(channel), 'forbidden');
    assert.ok(page.browser.isOpen);
  });

  test('without a session, only channels for anyone are allowed', async () => {
    const page = await Page.open(sluice);
    assert.deepEqual(await page.subscribe('public:ü 🙂'), subscribed('public:ü 🙂'));
    await assertError(page.subscribe('news'), 'forbidden');
  });

  test('a channel is checked against the session as it is now', async () => {
    const session = { cookie: {}, authenticated: true, userId: 'u9' };
    await putSession(redis, 'changing', JSON.stringify(session));
    const page = await Page.open(sluice, { cookie: await logIn(redis, session, { id: 'changing' }) });
    await assertError(page.subscribe('team:red'), 'forbidden');
    await putSession(redis, 'changing', JSON.stringify({ ...session, teams: 'red' }));
    assert.deepEqual(await page.subscribe('team:red'), subscribed('team:red'));
  });

  test('many commands at once cost one session look-up', async () => {
    const page = await Page.open(sluice, { cookie });
    const asked = async () => (await redis.cli('INFO', 'commandstats')).match(/cmdstat_get:calls=(\d+)/)[1];
    const before = Number(await asked());
    page.browser.socket._socket.cork(); // so that one read gets them all
    for (let id = 0; id < 50; id++) page.send({ type: 'subscribe', id, channel: `team:${id}` });
    page.browser.socket._socket.uncork();
    for (let id = 0; id < 50; id++) await page.next();
    assert.ok(Number(await asked()) - before <= 2, `${Number(await asked()) - before} look-ups`);
  });

  const bad = {
    'a message that is not JSON': 'subscribe news',
    'a message that is not an object': '["ping"]',
    'a command without a type': '{"id":1}',
    'an unknown type': '{"type":"publish","channel":"news","data":1}',
    'a command without a channel': '{"type":"subscribe"}',
    'a channel that is not a string': '{"type":"subscribe","channel":1}',
    'an id that is an object': '{"type":"ping","id":{}}',
    'an id that is too long': `{"type":"ping","id":"${'x'.repeat(65)}"}`,
    'a duplicate member': '{"type":"ping","type":"ping"}',
    'a binary message': Buffer.from('{"type":"ping"}'),
    'an empty message': '',
  };
  for (const [what, text] of Object.entries(bad))
    test(`${what} is a bad request, and changes nothing else`, async () => {
      const page = await Page.open(sluice, { cookie });
      page.send(text);
      await assertError(page.next(), 'bad_request');
      assert.deepEqual(await page.ask({ type: 'ping' }), { type: 'pong' });
    });

  test('the error for a bad request has the id of the command', async () => {
    const page = await Page.open(sluice, { cookie });
    await assertError(page.ask({ type: 'sing' }), 'bad_request');
  });
});

describe('limits', () => {
  test('channels: automatic channels count', async t => {
    const { sluice, cookie } = await stand(t, { limits: { channels: 4 } });
    const page = await Page.open(sluice, { cookie });
    for (const channel of ['public:1', 'public:2'])
      assert.deepEqual(await page.subscribe(channel), subscribed(channel));
    await assertError(page.subscribe('public:3'), 'limit');
    assert.deepEqual(await page.subscribe('public:2'), subscribed('public:2'));
    assert.deepEqual(await page.unsubscribe('public:2'), unsubscribed('public:2'));
    assert.deepEqual(await page.subscribe('public:3'), subscribed('public:3'));
    assert.equal(await sluice.hits('channels'), 1);
  });

  test('channels: many commands at once do not exceed it', async t => {
    const { sluice, cookie } = await stand(t, { limits: { channels: 4 } });
    const page = await Page.open(sluice, { cookie });
    for (let id = 0; id < 20; id++) page.send({ type: 'subscribe', id, channel: `public:${id}` });
    const answers = [];
    while (answers.length < 20) answers.push(await page.next());
    assert.equal(answers.filter(({ type }) => type === 'subscribed').length, 2);
    assert.equal(answers.filter(({ code }) => code === 'limit').length, 18);
    assert.equal(await sluice.metric('sluice_subscriptions'), 4);
  });

  test('commands_per_second: further commands are refused', async t => {
    const { sluice, cookie } = await stand(t, { limits: { commands_per_second: 5 } });
    const page = await Page.open(sluice, { cookie });
    for (let id = 0; id < 40; id++) page.send({ type: 'ping', id });
    const answers = [];
    while (answers.length < 40) answers.push(await page.next());
    assert.deepEqual(answers.map(({ id }) => id), Array.from({ length: 40 }, (_, i) => i));
    const refused = answers.filter(({ code }) => code === 'limit').length;
    assert.ok(refused >= 25 && refused <= 35, `${refused}`);
    assert.equal(await sluice.hits('commands_per_second'), refused);
    await until(async () => (await page.ask({ type: 'ping' })).type === 'pong');
  });

  test('frames_per_second: further frames close the connection', async t => {
    const { sluice, cookie } = await stand(t, { limits: { frames_per_second: 50 } });
    const page = await Page.open(sluice, { cookie });
    for (let id = 0; id < 200; id++) page.send({ type: 'ping', id });
    assert.deepEqual(await page.closed(), { code: 1008, reason: 'too many frames' });
  });

  test('queue_bytes: a client that sends and does not read is closed', async t => {
    const { sluice, cookie } = await stand(t, {
      limits: { queue_bytes: 4096, frames_per_second: 0, commands_per_second: 1000000 } });
    const page = await Page.open(sluice, { cookie });
    page.browser.socket._socket.pause();
    const command = JSON.stringify({ type: 'ping', id: 'x'.repeat(64) });
    await until(async () => {
      for (let i = 0; i < 2000; i++) page.send(command);
      return (await sluice.metric('sluice_slow_consumers_total')) > 0;
    }, { within: 20000 });
    page.terminate();
  });

  test('message_bytes: a longer message closes the connection', async () => {
    const page = await Page.open(sluice, { cookie });
    page.send('x'.repeat(65537));
    assert.equal((await page.closed()).code, 1009);
  });
});

test('a channel that Redis denies is unavailable within a second, other channels work', async t => {
  const { redis, sluice, cookie } = await stand(t);
  await redis.cli('ACL', 'SETUSER', 'default', 'resetchannels', '&news', '&user:*', '&public:a*',
    '&__redis__:invalidate'); // Redis closes connections that have other channels
  const page = await until(() => Page.open(sluice, { cookie }));
  const began = performance.now();
  page.send({ type: 'subscribe', id: 'twice', channel: 'public:denied' });
  page.send({ type: 'subscribe', id: 'twice', channel: 'public:denied' });
  await assertError(page.next(), 'unavailable');
  await assertError(page.next(), 'unavailable');
  assert.deepEqual(await page.subscribe('public:a'), subscribed('public:a'));
  assert.ok(performance.now() - began < 800);
  assert.equal(await sluice.metric('sluice_subscriptions'), 3);
  page.send({ type: 'subscribe', id: 1, channel: 'public:denied' });
  page.send({ type: 'unsubscribe', id: 2, channel: 'public:denied' });
  const first = await page.next();
  assert.deepEqual([first.id, first.code], [1, 'unavailable']);
  assert.deepEqual(await page.next(), { ...unsubscribed('public:denied'), id: 2 });
});

test('while Redis is down a subscription is unavailable, afterwards it works', async t => {
  const { redis, sluice, cookie } = await stand(t);
  const page = await Page.open(sluice, { cookie });
  await redis.kill();
  await until(async () => (await sluice.admin('/readyz')).body.split('subscriptions').length > 2);
  await assertError(page.subscribe('public:a'), 'unavailable');
  await assertError(page.subscribe('team:red'), 'unavailable');
  assert.deepEqual(await page.ask({ type: 'ping' }), { type: 'pong' });
  await redis.start();
  assert.deepEqual(await page.next(), { type: 'gap' });
  assert.deepEqual(await page.subscribe('public:a'), subscribed('public:a'));
});

test('while Redis hangs a subscription is unavailable within a second', async t => {
  const { redis, sluice, cookie } = await stand(t);
  const page = await Page.open(sluice, { cookie });
  redis.pause();
  for (const channel of ['public:a', 'team:red']) page.send({ type: 'subscribe', id: 1, channel });
  const began = performance.now();
  await assertError(page.next(), 'unavailable');
  await assertError(page.next(), 'unavailable');
  assert.ok(performance.now() - began < 1200);
  redis.resume();
});

describe('a gap', () => {
  test('after an outage of Redis: each page gets one, when all subscriptions are back', async t => {
    const { redis, sluice, cookie } = await stand(t, { workers: 4 });
    const pages = await Promise.all(Array.from({ length: 8 }, () =>
      Page.open(sluice, { cookie, query: `?${Array.from({ length: 8 }, (_, i) => `channel=public:${i}`).join('&')}` })));
    const plain = await sluice.open({ cookie });
    await redis.kill();
    await until(async () => (await sluice.admin('/readyz')).body.split('subscriptions').length > 4);
    await redis.start();
    await sluice.ready();
    for (const page of pages) assert.deepEqual(await page.next(), { type: 'gap' });
    for (let i = 0; i < 8; i++) await redis.cli('PUBLISH', `public:${i}`, String(i));
    await redis.cli('PUBLISH', 'news', 'last');
    for (const page of pages) {
      const data = [];
      while (data.at(-1) !== 'last') data.push((await page.next()).data);
      assert.deepEqual(data.sort(), [0, 1, 2, 3, 4, 5, 6, 7, 'last']);
    }
    assert.equal(await plain.next(), 'last');
  });

  test('after Redis has closed the links', async t => {
    const { redis, sluice, cookie } = await stand(t, { workers: 1 });
    const page = await Page.open(sluice, { cookie });
    for (let i = 0; i < 3; i++) {
      await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
      assert.deepEqual(await page.next(), { type: 'gap' });
    }
  });

  test('does not come without a channel', async t => {
    const { redis, sluice, cookie } = await stand(t, { workers: 1, session: { required: false } });
    const [none, one] = [await Page.open(sluice), await Page.open(sluice, { cookie })];
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    assert.deepEqual(await one.next(), { type: 'gap' });
    assert.deepEqual(await none.ask({ type: 'ping' }), { type: 'pong' });
  });

  test('after a publication that is too large: its subscribers get the channel', async t => {
    const { redis, sluice, cookie } = await stand(t, { limits: { publication_bytes: 100 } });
    const pages = await Promise.all(Array.from({ length: 6 }, () => Page.open(sluice, { cookie })));
    assert.deepEqual(await pages[0].subscribe('public:big'), subscribed('public:big'));
    await redis.cli('PUBLISH', 'public:big', 'x'.repeat(101));
    assert.deepEqual(await pages[0].next(), { type: 'gap', channel: 'public:big' });
    await redis.cli('PUBLISH', 'news', 'x'.repeat(101));
    for (const page of pages) assert.deepEqual(await page.next(), { type: 'gap', channel: 'news' });
    await redis.cli('PUBLISH', 'news', 'x');
    for (const page of pages) assert.equal((await page.next()).data, 'x');
  });
});

describe('a heartbeat', () => {
  test('comes with each ping', async t => {
    const { sluice, cookie } = await stand(t, { heartbeat: { interval: 0.1, timeout: 5 } });
    const page = await Page.open(sluice, { cookie });
    assert.equal(page.welcome.heartbeat, 0.1);
    let pings = 0;
    page.browser.socket.on('ping', () => { pings += 1; });
    await until(() => pings >= 5);
    assert.deepEqual(await page.ask({ type: 'ping' }), { type: 'pong' });
    assert.ok(page.heartbeats >= 5 && page.heartbeats - pings <= 1, `${page.heartbeats} with ${pings} pings`);
  });

  test('does not come to a plain connection', async t => {
    const { redis, sluice, cookie } = await stand(t, { heartbeat: { interval: 0.1, timeout: 5 } });
    const browser = await sluice.open({ cookie });
    let pings = 0;
    browser.socket.on('ping', () => { pings += 1; });
    await until(() => pings >= 3);
    await redis.cli('PUBLISH', 'news', 'x');
    assert.equal(await browser.next(), 'x');
  });
});

test('a channel that the session no longer allows is unsubscribed, with the reason "revoked"', async () => {
  const session = { cookie: {}, authenticated: true, userId: 'u8', teams: ['red', 'blue'] };
  const page = await Page.open(sluice, { cookie: await logIn(redis, session, { id: 'revoked' }) });
  for (const channel of ['team:red', 'team:blue'])
    assert.deepEqual(await page.subscribe(channel), subscribed(channel));
  await putSession(redis, 'revoked', JSON.stringify({ ...session, teams: ['blue'] }));
  assert.deepEqual(await page.next(), { ...unsubscribed('team:red'), reason: 'revoked' });
  await putSession(redis, 'revoked', JSON.stringify({ ...session, userId: 'u8', teams: [] }));
  assert.deepEqual(await page.next(), { ...unsubscribed('team:blue'), reason: 'revoked' });
  assert.ok(page.browser.isOpen);
});
