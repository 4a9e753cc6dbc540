/* Records as applications fill them: text that readers disagree on, much of it, deep. What does not count
 * costs nobody the log-in, and what is too large has a reason of its own. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { handshake } from '../support/raw_client.js';
import { cookieFor } from '../support/sessions.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

let redis, sluice, client;
before(async () => {
  ({ redis, sluice } = await stand(file));
  client = await redis.client();
});

/* By the client, as a record may be longer than a command line. */
const put = (id, text) => client.set(`sess:${id}`, text, { EX: 3600 });

let number = 0;

/* The answer to a log-in with this record. */
async function answerWith(text) {
  const id = `record-${number++}`;
  await put(id, text);
  const raw = await sluice.connect();
  raw.write(handshake({ headers: { Cookie: cookieFor(id) } }));
  const answer = await raw.answer();
  raw.destroy();
  return answer;
}

/* A session's record of exactly so many bytes. */
function recordOf(bytes, user = 'ada') {
  const rest = JSON.stringify({ cookie: {}, authenticated: true, userId: user, cart: '' });
  return rest.replace('"cart":""', `"cart":"${'x'.repeat(bytes - rest.length)}"`);
}

function nested(depth) {
  return `{"cookie":{},"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)},"authenticated":true,"userId":"ada"}`;
}

describe('logs in with a record that holds, beside what counts,', () => {
  const records = {
    'an emoji cut in two': JSON.stringify({ cookie: {}, authenticated: true, userId: 'ada', q: 'caf😀'.slice(0, 4) }),
    'an escaped NUL': '{"authenticated":true,"userId":"ada","q":"a\\u0000b"}',
    'a name twice, as Python writes it': '{"authenticated":true,"userId":"ada","visits":{"5":1,"5":2}}',
    'NaN, as Python writes it': '{"authenticated":true,"userId":"ada","scores":[NaN,-Infinity]}',
    '276 KiB of a cart': recordOf(276 * 1024),
    '1 MiB of it': recordOf(1 << 20),
    'a million brackets': `{"x":[${'[],'.repeat(300000)}0],"authenticated":true,"userId":"ada"}`,
    'a depth of 64': nested(64),
  };
  for (const [what, text] of Object.entries(records))
    test(what, async () => {
      assert.equal((await answerWith(text)).status, 101);
    });
});

describe('refuses, with its reason, a record that', () => {
  const records = {
    'has a byte more than limits.record_bytes':
      [recordOf((1 << 20) + 1), "the session's record is larger than limits.record_bytes\n"],
    'is a level deeper than limits.record_depth':
      [nested(65), "the session's record is nested deeper than limits.record_depth\n"],
    'says twice that it is logged in':
      ['{"authenticated":true,"authenticated":true}', 'no such session, or it is not logged in\n'],
  };
  for (const [what, [text, reason]] of Object.entries(records))
    test(what, async () => {
      const { status, body } = await answerWith(text);
      assert.equal(status, 401);
      assert.equal(String(body), reason);
    });
});

test('an open connection stays when half an emoji gets into its record', async () => {
  await put('stays', '{"authenticated":true,"userId":"ada"}');
  const browser = await sluice.open({ cookie: cookieFor('stays') });
  await put('stays', '{"authenticated":true,"userId":"ada","q":"caf\\ud83d"}');
  await put('goes', '{"authenticated":true,"userId":"bob"}');
  const other = await sluice.open({ cookie: cookieFor('goes') });
  await redis.cli('DEL', 'sess:goes');
  assert.equal((await other.closed()).code, 4401);
  await redis.cli('PUBLISH', 'user:ada', 'still here');
  assert.equal(await browser.next(), 'still here');
  await browser.close(1000);
});

test('an open connection is closed with the reason when its record grows too large', async () => {
  await put('grows', '{"authenticated":true,"userId":"ada"}');
  const browser = await sluice.open({ cookie: cookieFor('grows') });
  await put('grows', recordOf((1 << 20) + 1));
  const { code, reason } = await browser.closed();
  assert.equal(code, 4401);
  assert.equal(String(reason), "the session's record is larger than limits.record_bytes");
});

/* Where reading takes longer than a request waits for Redis, as with a sanitizer on a busy machine, the answer is 503,
 * and the client tries again. */
async function isLetIn(id) {
  const raw = await sluice.connect();
  raw.write(handshake({ headers: { Cookie: cookieFor(id) } }));
  const { status } = await raw.answer();
  raw.destroy();
  assert.ok(status === 101 || status === 503, `status ${status}`);
  return status === 101;
}

/* Turns of the loop: a piece of a record is read in one, and no more than four pieces in one. */
const turns = () => sluice.metric('sluice_loop_turn_seconds_count');

test('pings are answered while records of 1 MiB are read one after the other', async () => {
  const head = '{"authenticated":true,"userId":"ada","x":[', tail = '0]}';
  const record = head + '[],'.repeat(((1 << 20) - head.length - tail.length - 8) / 3) + tail;
  const ids = Array.from({ length: 10 }, (_, i) => `large-${i}`);
  await put('small', '{"authenticated":true,"userId":"bob"}');
  for (const id of ids) await put(id, record);
  const bystander = await sluice.open({ cookie: cookieFor('small') });
  const before = await turns();
  const ROUNDS = 3;

  let answered = 0, read = 0;
  bystander.socket.on('pong', () => { answered++; bystander.socket.ping(); });
  bystander.socket.ping();
  for (let round = 1; round <= ROUNDS; round++) {
    for (const id of ids) {
      await until(() => isLetIn(id), { what: `${id} is let in`, within: 20000 });
      read++;
    }
  }
  bystander.terminate();

  // each of these records takes eighty pieces, and its arrival some four turns
  assert.equal(read, ROUNDS * ids.length);
  assert.ok(await turns() - before >= 15 * read, 'a record of 1 MiB is read in pieces');
  assert.ok(answered > read, `${answered} pings were answered`);
});

test('says in the log that a record is compressed', async () => {
  await put('compressed', Buffer.from('78daabae0500017500f9', 'hex'));
  const raw = await sluice.connect();
  raw.write(handshake({ headers: { Cookie: cookieFor('compressed') } }));
  assert.equal((await raw.answer()).status, 401);
  raw.destroy();
  await sluice.program.line(/record cannot be read.*compressed.*zlib/);
});
