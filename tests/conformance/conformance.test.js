/* RFC 6455, section by section, against the echo of a build with -Decho=enabled: every case whole
 * and one octet at a time over TCP, and whole over TLS. What passed is written to RESULTS.md. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { makeCertificates } from '../support/certificates.js';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { ending, sizes } from './cases_closing.js';
import { framing } from './cases_framing.js';
import { opening } from './cases_opening.js';
import { utf8 } from './cases_utf8.js';
import { caseOf, run } from './conversation.js';
import { resultsTable } from './results.js';

const CONFIG = { heartbeat: { interval: 0 } };
const ways = {
  'whole': {},
  'one octet at a time': { oneByOne: true },
  'over TLS': { secure: {} },
};

/* "5.1 Masking" -> its cases, numbered: 5.1.1, 5.1.2, … Sections that share a number go on counting. */
function numbered(tables) {
  const counts = new Map();
  return tables.flatMap(table => Object.entries(table)).map(([title, rows]) => {
    const number = title.split(' ')[0];
    const cases = rows.map(row => {
      counts.set(number, (counts.get(number) ?? 0) + 1);
      return { id: `${number}.${counts.get(number)}`, ...caseOf(row) };
    });
    return { title, cases };
  });
}

const parts = title => title.split(' ')[0].split('.').map(Number);
function bySection(one, other) {
  const [a, b] = [parts(one.title), parts(other.title)];
  for (let i = 0; i < Math.max(a.length, b.length); i++)
    if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) - (b[i] ?? 0);
  return 0;
}

const sections = numbered([opening, framing, utf8, ending, sizes]).sort(bySection);
const results = new Map(); // "5.1.1 …" -> the ways in which it passed

before(async () => {
  const redis = await startRedis(file);
  const { authorityText, certificate, key } = await makeCertificates(file);
  const plain = await startSluice(file, redis.url, CONFIG);
  const secure = await startSluice(file, redis.url, { ...CONFIG, tls: { certificate, key } });
  ways['whole'].port = ways['one octet at a time'].port = plain.port;
  ways['over TLS'].port = secure.port;
  ways['over TLS'].secure = { ca: authorityText, servername: 'localhost' };
});

after(async () => {
  const table = resultsTable(sections, Object.keys(ways), results);
  await writeFile(new URL('RESULTS.md', import.meta.url), table);
});

test('there are enough cases, and no two have a name', () => {
  const names = sections.flatMap(({ cases }) => cases.map(({ id }) => id));
  assert.ok(names.length >= 150, `${names.length} cases`);
  assert.equal(new Set(names).size, names.length);
});

for (const { title, cases } of sections)
  describe(title, { concurrency: 4 }, () => {
    for (const one of cases)
      for (const [way, options] of Object.entries(ways))
        test(`${one.id} ${one.name}, ${way}`, async () => {
          await run(one, options);
          results.set(one.id, [...(results.get(one.id) ?? []), way]);
        });
  });
