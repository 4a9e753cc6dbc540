/* RFC 6455 and RFC 7692, section by section, with the echo of a build with -Decho=enabled: every case whole
 * and one byte at a time, over TCP and over TLS. The results are written to RESULTS.md. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { makeCertificates } from '../support/certificates.js';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { AUTOBAHN } from './autobahn.js';
import { ending } from './cases_closing.js';
import { compression } from './cases_deflate.js';
import { framing } from './cases_framing.js';
import { mistakes } from './cases_mistakes.js';
import { offers } from './cases_offers.js';
import { opening } from './cases_opening.js';
import { sizes } from './cases_sizes.js';
import { utf8 } from './cases_utf8.js';
import { run } from './conversation.js';
import { resultsTable } from './results.js';
import { numbered } from './rows.js';

/* Several messages of 16 MiB at once are more than the default limit on buffered bytes. */
const CONFIG = { heartbeat: { interval: 0 }, compression: { enabled: true }, limits: { buffered_bytes: 2 ** 32 - 1 } };
const BEYOND = 150;
const ways = {
  'whole': {},
  'one byte at a time': { oneByOne: true },
  'over TLS': { secure: {} },
  'over TLS, one byte at a time': { secure: {}, oneByOne: true },
};

const sections = numbered([opening, framing, mistakes, utf8, ending, sizes, offers, compression],
  Object.keys(ways).length);
const all = sections.flatMap(({ cases }) => cases);
const results = new Map(); // "5.1.1" -> the ways in which it passed

before(async () => {
  const redis = await startRedis(file);
  const { authorityText, certificate, key } = await makeCertificates(file);
  const plain = await startSluice(file, redis.url, CONFIG);
  const secure = await startSluice(file, redis.url, { ...CONFIG, tls: { certificate, key } });
  const secureContext = createSecureContext({ ca: authorityText });
  for (const way of Object.values(ways)) {
    way.port = way.secure ? secure.port : plain.port;
    if (way.secure) way.secure = { secureContext, servername: 'localhost' };
  }
});

after(async () => {
  const table = resultsTable(sections, Object.keys(ways), results);
  await writeFile(new URL('RESULTS.md', import.meta.url), table);
});

test('no two cases of a section have the same name', () => {
  for (const { title, cases } of sections) {
    const names = cases.map(({ name }) => name);
    assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), [], title);
  }
});

test(`at least ${BEYOND} cases are beyond the Autobahn suite`, () => {
  const beyond = all.filter(({ like }) => !like).length;
  assert.ok(beyond >= BEYOND, `${beyond} cases`);
});

test('each group of the Autobahn suite has at least as many cases here', () => {
  const known = AUTOBAHN.map(([group]) => group);
  assert.deepEqual(all.filter(({ like }) => like && !known.includes(like)).map(({ name }) => name), []);
  for (const [group, subject, count] of AUTOBAHN) {
    const ours = all.filter(({ like }) => like === group).length;
    assert.ok(ours >= count, `${group} ${subject}: ${ours} of ${count}`);
  }
});

for (const { title, cases } of sections)
  describe(title, { concurrency: 8 }, () => {
    for (const one of cases)
      for (const [way, options] of Object.entries(ways))
        test(`${one.id} ${one.name}, ${way}`, async () => {
          await run(one.make(), options);
          results.set(one.id, [...(results.get(one.id) ?? []), way]);
        });
  });
