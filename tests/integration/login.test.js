/* End to end with the demo's back end: log in, receive, log out. The back end knows nothing about Sluice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackend } from '../support/backend.js';
import { file } from '../support/ending.js';
import { stand } from '../support/stand.js';

const { redis, sluice } = await stand(file);
const backend = await startBackend(file, redis);

test('a logged-in user receives the news and what is published for this user', async () => {
  const anna = await backend.logIn('anna');
  const bert = await backend.logIn('bert');
  const ofAnna = await sluice.open(anna);
  const ofBert = await sluice.open(bert);

  assert.equal((await anna.post('/publish', { to: 'me', text: 'to myself' })).status, 204);
  assert.equal((await anna.post('/publish', { to: 'news', text: 'to all' })).status, 204);
  assert.deepEqual(JSON.parse(await ofAnna.next()), { type: 'me', from: 'anna', text: 'to myself' });
  assert.deepEqual(JSON.parse(await ofAnna.next()), { type: 'news', from: 'anna', text: 'to all' });
  assert.deepEqual(JSON.parse(await ofBert.next()), { type: 'news', from: 'anna', text: 'to all' });
});

test('refuses the old cookie after a log-out', async () => {
  const visitor = await backend.logIn('carl');
  (await sluice.open(visitor)).terminate();
  assert.equal((await visitor.post('/logout')).status, 303);
  await assert.rejects(sluice.open(visitor), { status: 401 });
});

test('refuses the old cookie after a new log-in', async () => {
  const first = await backend.logIn('dora');
  const again = await first.post('/login', { user: 'dora' });
  const cookie = again.headers.getSetCookie()[0].split(';')[0];
  assert.notEqual(cookie, first.cookie);
  await assert.rejects(sluice.open(first), { status: 401 });
  (await sluice.open({ cookie })).terminate();
});

test('twenty users each receive only what is theirs', async () => {
  const people = await Promise.all(Array.from({ length: 20 }, (_, i) => backend.logIn(`person-${i}`)));
  const browsers = await Promise.all(people.map(person => sluice.open(person)));
  await Promise.all(people.map((person, i) => person.post('/publish', { to: 'me', text: `for ${i}` })));
  for (const [i, browser] of browsers.entries()) {
    assert.equal(JSON.parse(await browser.next()).text, `for ${i}`);
    assert.deepEqual(browser.takeAll(), []);
  }
});
