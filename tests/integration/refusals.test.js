/* Every refusal of an opening handshake: its status, and that it is a complete HTTP response with one line of
 * text. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { KEY, handshake } from '../support/raw_client.js';
import { putSession, sign } from '../support/sessions.js';
import { stand } from '../support/stand.js';

let redis, sluice, cookie;

before(async () => {
  ({ redis, sluice, cookie } = await stand(file, {
    origins: ['same-host', 'none', 'https://app.example.com'] }));
});

const answerTo = bytes => sluice.answerTo(bytes);

function assertRefusal(answer, status) {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.version, 'HTTP/1.1');
  assert.notEqual(answer.reason, '');
  assert.ok(answer.headers.connection.split(', ').includes('close'), answer.headers.connection);
  assert.match(answer.headers['content-type'], /^text\/plain/);
  assert.match(answer.body, /^[^\n]+\n?$/, 'one line');
  assert.equal(Number(answer.headers['content-length']), Buffer.byteLength(answer.body));
  assert.equal(answer.headers['sec-websocket-accept'], undefined);
}

/* A valid handshake of a user who is logged in, with changes. */
function request({ headers = {}, ...options } = {}) {
  return handshake({ ...options, headers: { Cookie: cookie, ...headers } });
}

describe('400 for', () => {
  const cases = {
    'without Upgrade': { headers: { Upgrade: null } },
    'with another Upgrade': { headers: { Upgrade: 'h2c' } },
    'without Connection': { headers: { Connection: null } },
    'with Connection: keep-alive alone': { headers: { Connection: 'keep-alive' } },
    'without Sec-WebSocket-Key': { headers: { 'Sec-WebSocket-Key': null } },
    'with an empty Sec-WebSocket-Key': { headers: { 'Sec-WebSocket-Key': '' } },
    'with a key of 15 bytes': { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub24=' } },
    'with a key that is not base64': { headers: { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' } },
    'with two keys': { headers: { 'Sec-WebSocket-Key': [KEY, KEY] } },
    'without Host': { headers: { Host: null } },
    'with two Hosts': { headers: { Host: ['a.test', 'b.test'] } },
    'as HTTP/1.0': { version: 'HTTP/1.0' },
    'with an empty subprotocol': { headers: { 'Sec-WebSocket-Protocol': '' } },
    'with a subprotocol that is not a token': { headers: { 'Sec-WebSocket-Protocol': 'a b' } },
    'with a body': { headers: { 'Content-Length': '4' } },
    'with a chunked body': { headers: { 'Transfer-Encoding': 'chunked' } },
  };
  for (const [what, options] of Object.entries(cases))
    test(`a request ${what}`, async () => assertRefusal(await answerTo(request(options)), 400));

  const garbage = {
    'noise': 'garbage\r\n\r\n',
    'a bare LF': request().replace('\r\nHost', '\nHost'),
    'a space before a colon': request().replace('Host:', 'Host :'),
    'a folded line': request().replace('Host: ', 'Host:\r\n '),
    'a NUL in a value': request().replace('gateway.test', 'gateway\0test'),
    'a TLS client hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  };
  for (const [what, bytes] of Object.entries(garbage))
    test(`${what} instead of a request`, async () => assertRefusal(await answerTo(bytes), 400));
});

describe('401', () => {
  test('without a cookie', async () => {
    assertRefusal(await answerTo(handshake()), 401);
  });

  test('with other cookies only', async () => {
    assertRefusal(await answerTo(handshake({ headers: { Cookie: 'theme=dark; a=1' } })), 401);
  });

  test('with a signature by another secret', async () => {
    const forged = `connect.sid=${encodeURIComponent(sign('whoever', 'another secret'))}`;
    assertRefusal(await answerTo(handshake({ headers: { Cookie: forged } })), 401);
  });

  test('with a session that does not exist', async () => {
    const gone = `connect.sid=${encodeURIComponent(sign('gone'))}`;
    assertRefusal(await answerTo(handshake({ headers: { Cookie: gone } })), 401);
  });

  test('with a session that is not logged in', async () => {
    await putSession(redis, 'visitor', '{"cookie":{},"authenticated":false,"userId":"u1"}');
    const visitor = `connect.sid=${encodeURIComponent(sign('visitor'))}`;
    assertRefusal(await answerTo(handshake({ headers: { Cookie: visitor } })), 401);
  });
});

describe('403', () => {
  for (const origin of ['https://evil.example.com', 'null', 'https://app.example.com.evil.test',
    'http://app.example.com', 'https://app.example.com:8443'])
    test(`from a page of ${origin}`, async () => {
      assertRefusal(await answerTo(request({ headers: { Origin: origin } })), 403);
    });

  for (const origin of ['http://gateway.test', 'https://gateway.test', 'https://app.example.com',
    'https://APP.example.com:443'])
    test(`not from a page of ${origin}`, async () => {
      const client = await sluice.connect();
      await client.open({ cookie, headers: { Origin: origin } });
      client.destroy();
    });

  for (const channel of ['secret', 'user:u2', 'team:7', '__keyspace@0__:sess:1', '*', ''])
    test(`for the channel "${channel}" in the query`, async () => {
      const target = `/ws?channel=${encodeURIComponent(channel)}`;
      const answer = await answerTo(request({ target }));
      assert.ok([400, 403].includes(answer.status), `${answer.status}`);
      if (channel !== '') assertRefusal(answer, 403);
    });

  test('for one channel of several that is not allowed', async () => {
    const target = '/ws?channel=public%3Aa&channel=secret';
    assertRefusal(await answerTo(request({ target })), 403);
  });
});

describe('404 and 405 for', () => {
  for (const target of ['/', '/ws/', '/wsx', '/WS', '/%77s', '/a?/ws'])
    test(`another path: ${target}`, async () => {
      assertRefusal(await answerTo(request({ target })), 404);
    });

  test('another method: HEAD is answered without a body', async () => {
    const client = await sluice.connect();
    client.write(request({ method: 'HEAD' }));
    await client.ended();
    const answer = client.bytes.toString();
    assert.match(answer, /^HTTP\/1\.1 405 .*\r\nContent-Length: [1-9]/s);
    assert.equal(answer.indexOf('\r\n\r\n'), answer.length - 4);
  });

  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    test(`another method: ${method}`, async () => {
      const client = await sluice.connect();
      client.write(request({ method }));
      assert.equal((await client.answer()).status, 405);
      client.destroy();
    });
});

describe('426 for', () => {
  for (const version of ['8', '12', '14', '0', '013', 'x'])
    test(`another WebSocket version: ${version}`, async () => {
      const answer = await answerTo(request({ headers: { 'Sec-WebSocket-Version': version } }));
      assertRefusal(answer, 426);
      assert.equal(answer.headers['sec-websocket-version'], '13');
    });

  test('no WebSocket version', async () => {
    const answer = await answerTo(request({ headers: { 'Sec-WebSocket-Version': null } }));
    assert.ok([400, 426].includes(answer.status), `${answer.status}`);
  });
});

describe('431 for', () => {
  test('a head longer than limits.header_bytes', async () => {
    assertRefusal(await answerTo(request({ headers: { 'X-Long': 'x'.repeat(9000) } })), 431);
  });

  test('a request line longer than limits.header_bytes', async () => {
    assertRefusal(await answerTo(request({ target: `/ws?${'x'.repeat(9000)}` })), 431);
  });

  test('a hundred headers', async () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`X-${i}`, '1']));
    assertRefusal(await answerTo(request({ headers: many })), 431);
  });
});

test('refusals are counted by status', async () => {
  const refused = status => sluice.metric(`sluice_upgrades_refused_total{status="${status}"}`);
  const earlier = await refused(404);
  await answerTo(request({ target: '/elsewhere' }));
  assert.equal(await refused(404), earlier + 1);
  assert.equal(await sluice.metric('sluice_connections_total') > 0, true);
});

test('the log gives the reason of a refusal, but not for each of many', async t => {
  const { sluice, cookie } = await stand(t, { workers: 1 });
  for (let i = 0; i < 5; i++) await sluice.open({ cookie: `${cookie}x` }).catch(() => {});
  await sluice.program.line(/ info refused status=401 reason="the session cookie's signature is not good"/);
  assert.equal(sluice.log.match(/ refused /g).length, 1);
});
