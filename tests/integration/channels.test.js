/* Which channels a browser may see: rules, templates, the query; everything else is refused. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Browser } from '../support/browser.js';
import { file } from '../support/ending.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';

let redis, sluice, cookie;
before(async () => {
  ({ redis, sluice } = await stand(file));
  cookie = await logIn(redis, { userId: 'u1', teams: ['red', 7] });
});

function withChannels(...channels) {
  const query = new URLSearchParams(channels.map(channel => ['channel', channel]));
  return `${sluice.url}?${query}`;
}

function openAt(url, options = { cookie }) {
  return Browser.open(url, options);
}

/* Publishes to each channel. Gives what arrives, up to the last one, which has to arrive. */
async function receivedOf(browser, channels, last) {
  for (const channel of [...channels, last]) await redis.cli('PUBLISH', channel, channel);
  const received = [];
  while (received.at(-1) !== last) received.push(await browser.next());
  return received.sort();
}

test('subscribes to auto channels without being asked: the plain one and the user\'s own', async () => {
  const browser = await sluice.open({ cookie });
  const received = await receivedOf(browser, ['user:u1', 'user:u2', 'team:red', 'public:a'], 'news');
  assert.deepEqual(received, ['news', 'user:u1']);
});

test('?channel= adds one or more channels', async () => {
  const browser = await openAt(withChannels('team:red', 'public:weather'));
  const received = await receivedOf(browser, ['team:red', 'public:weather', 'team:7', 'user:u1'], 'news');
  assert.deepEqual(received, ['news', 'public:weather', 'team:red', 'user:u1']);
});

test('delivers a channel once that is asked for twice', async () => {
  const browser = await openAt(withChannels('public:a', 'public:a', 'news'));
  assert.deepEqual(await receivedOf(browser, ['public:a'], 'news'), ['news', 'public:a']);
});

test('ignores other parameters of the query', async () => {
  const browser = await openAt(`${sluice.url}?token=x&channel=public%3Aa&v=2`);
  assert.deepEqual(await receivedOf(browser, ['public:a'], 'news'), ['news', 'public:a']);
});

test('percent-decodes names: spaces, UTF-8, "+" and "&"', async () => {
  const names = ['public:a b', 'public:ü🙂', 'public:1+1', 'public:a&b=c'];
  const browser = await openAt(withChannels(...names));
  assert.deepEqual(await receivedOf(browser, names, 'news'), ['news', ...names].sort());
});

describe('an array in the session matches any of its elements', () => {
  for (const [team, seen] of [['red', true], ['7', true], ['blue', false], ['', false], ['red,7', false]])
    test(`team:${team} is ${seen ? 'allowed' : 'refused'}`, async () => {
      const opening = openAt(withChannels(`team:${team}`));
      if (!seen) await assert.rejects(opening, { status: 403 });
      else (await opening).terminate();
    });
});

describe('refused', () => {
  const refused = [
    'other', 'news2', 'New', 'user:u2', 'user:', 'user:*', 'user:u1 ', 'public', '*', 'n?ws', 'public:\n',
    '__keyspace@0__:sess:x', '__sentinel__:hello', `public:${'x'.repeat(300)}`];
  for (const channel of refused)
    test(JSON.stringify(channel).slice(0, 40), async () => {
      await assert.rejects(openAt(withChannels(channel)), { status: 403 });
    });

  test('more channels than limits.channels', async () => {
    const many = Array.from({ length: 200 }, (_, i) => `public:${i}`);
    await assert.rejects(openAt(withChannels(...many)), ({ status }) => [400, 403, 429].includes(status));
  });

  test('a user id is never a pattern', async () => {
    const trickster = await logIn(redis, { userId: '*' });
    await assert.rejects(openAt(withChannels('user:u1'), { cookie: trickster }), { status: 403 });
    const browser = await sluice.open({ cookie: trickster });
    const received = await receivedOf(browser, ['user:u1', 'user:*'], 'news');
    assert.deepEqual(received, ['news', 'user:*']);
  });

  test('a session without the field of a rule does not match it', async () => {
    const teamless = await logIn(redis, { userId: 'u1' });
    await assert.rejects(openAt(withChannels('team:red'), { cookie: teamless }), { status: 403 });
    await assert.rejects(openAt(withChannels('team:'), { cookie: teamless }), { status: 403 });
  });
});

test('without rules every channel is refused', async () => {
  const closed = await startSluice(file, redis.url, { channels: [] });
  await assert.rejects(openAt(`${closed.url}?channel=news`), { status: 403 });
});

test('the first rule that matches decides', async () => {
  const ordered = await startSluice(file, redis.url, {
    session: { required: false },
    channels: [
      { match: 'public:staff', allow: 'session' },
      { match: 'public:*', allow: 'anyone' }] });
  await assert.rejects(openAt(`${ordered.url}?channel=public:staff`, {}), { status: 403 });
  (await openAt(`${ordered.url}?channel=public:staff`)).terminate();
  (await openAt(`${ordered.url}?channel=public:all`, {})).terminate();
});

describe('where no session is required', () => {
  let open;
  before(async () => {
    open = await startSluice(file, redis.url, { session: { required: false } });
  });

  test('a visitor sees channels with "allow": "anyone"', async () => {
    const browser = await openAt(`${open.url}?channel=public:a`, {});
    await redis.cli('PUBLISH', 'news', 'not for visitors');
    await redis.cli('PUBLISH', 'public:a', 'for all');
    assert.equal(await browser.next(), 'for all');
  });

  test('a visitor sees no other channel', async () => {
    await assert.rejects(openAt(`${open.url}?channel=news`, {}), { status: 403 });
    await assert.rejects(openAt(`${open.url}?channel=user:u1`, {}), { status: 403 });
  });

  test('a logged-in user sees all of their channels', async () => {
    const browser = await openAt(open.url);
    assert.deepEqual(await receivedOf(browser, ['user:u1'], 'news'), ['news', 'user:u1']);
  });
});
