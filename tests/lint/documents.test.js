/* The documents: links, names and configurations in them, and the table of settings. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  anchorsOf, configurationsOf, documentPaths, exists, flagProblems, keysOf, linkProblems, metricProblems,
  pathProblems, settingProblems, withTable } from './documents.js';
import { MAY_USE } from './floors.js';
import { ROOT, readSources } from './sources.js';

const BINARY = process.env.SLUICE_BINARY ?? join(ROOT, 'build/sluice');
const SETTINGS = 'docs/configuration.md';
const README_LINES_MAX = 200;

const documents = new Map(documentPaths().map(path => [path, readFileSync(join(ROOT, path), 'utf8')]));
const ours = [...documents].filter(([path]) => !path.startsWith('tests/'));

/* The program, without settings of whoever runs the tests. */
function sluice(args, env = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_'));
  return spawnSync(BINARY, args, { encoding: 'utf8', env: { ...Object.fromEntries(inherited), ...env } });
}

function output(...args) {
  const { stdout, stderr, status, error } = sluice(args);
  assert.equal(status, 0, `${BINARY} ${args.join(' ')}: ${stderr || error}`);
  return stdout;
}

test(`the README has at most ${README_LINES_MAX} lines`, () => {
  const lines = documents.get('README.md').trimEnd().split('\n').length;
  assert.ok(lines <= README_LINES_MAX, `${lines} lines`);
});

test('every relative link leads to a file, and its anchor to a heading', () => {
  assert.deepEqual(linkProblems(documents, exists), []);
});

test('each chapter has a list of contents that names all its sections', () => {
  for (const [path, text] of documents) {
    if (!path.startsWith('docs/')) continue;
    const listed = [...text.matchAll(/^- \[.*\]\(#(.*)\)$/gm)].map(([, anchor]) => anchor);
    const sections = text.split('\n').filter(line => line.startsWith('## ')).join('\n');
    assert.deepEqual(listed, [...anchorsOf(sections)], path);
  }
});

test('every file that a document names is there', () => {
  assert.deepEqual(ours.flatMap(([path, text]) => pathProblems(path, text, exists)), []);
});

test('architecture.md has a row for every floor', () => {
  const rows = [...documents.get('docs/architecture.md').matchAll(/^\| `(\w+)(?:\.c)?` \|/gm)].map(([, floor]) => floor);
  assert.deepEqual(Object.keys(MAY_USE).filter(floor => !rows.includes(floor)), []);
});

test('operations.md names every metric, and no other', async () => {
  const sources = await readSources('include', 'src');
  assert.deepEqual(metricProblems('docs/operations.md', documents.get('docs/operations.md'), sources), []);
});

describe('by the program', () => {
  let folder;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'sluice-documents-')); });
  after(() => rmSync(folder, { recursive: true }));

  test('the table of settings is the one that it prints', () => {
    const text = documents.get(SETTINGS);
    const renewed = withTable(text, output('--print-settings'));
    assert.notEqual(renewed, null, `${SETTINGS} has lost the marks around the table`);
    assert.equal(text, renewed, `${SETTINGS} is stale; renew its table: docs/renew ${BINARY}`);
  });

  test('every setting that a document names is there', () => {
    const keys = keysOf(output('--print-settings'));
    assert.ok(keys.length > 40, `${keys.length} keys`);
    assert.deepEqual(ours.flatMap(([path, text]) => settingProblems(path, text, keys)), []);
  });

  test('every flag that a document names is there', () => {
    const help = output('--help');
    assert.deepEqual(ours.flatMap(([path, text]) => flagProblems(path, text, help)), []);
  });

  test('every configuration that a document shows is accepted', () => {
    const all = ours.flatMap(([path, text]) => configurationsOf(text).map(block => ({ path, block })));
    assert.ok(all.length > 5, `${all.length} configurations`);
    for (const { path, block } of all) {
      const file = join(folder, 'sluice.json');
      writeFileSync(file, block);
      const env = /"secrets"/.test(block) ? {} : { SLUICE_SESSION_SECRETS: '["a secret"]' };
      const { status, stderr } = sluice(['--check', '--config', file], env);
      assert.equal(status, 0, `${path}: ${stderr}\n${block}`);
    }
  });
});

describe('the check itself', () => {
  const there = path => ['a.md', 'b.md', 'src', 'src/x.c'].includes(path);
  const links = text => linkProblems(new Map([['a.md', text], ['b.md', '# One\n\n## Two, and `three`']]), there);

  test('finds a link that leads nowhere', () => {
    assert.deepEqual(links('[x](b.md) [y](src/x.c) [z](https://example.com/) [a](#a)\n# A'), []);
    assert.deepEqual(links('[x](c.md)'), ['a.md: c.md: there is no c.md']);
    assert.deepEqual(links('[x](b.md#two-and-three) [y](b.md#two)'), ['a.md: b.md#two: b.md has no heading #two']);
    assert.equal(links('[x](#b)\n# A').length, 1);
    assert.equal(links('[x](src/x.c#y)').length, 1);
  });

  test('looks at no link in code', () => {
    assert.deepEqual(links('```js\n[x](c.md)\n```\n    [x](c.md)\n`[x](c.md)`'), []);
    assert.equal(links('```js\n```\n[x](c.md)').length, 1);
  });

  test('makes anchors as GitHub does', () => {
    assert.deepEqual([...anchorsOf('# A *b* `c.d` (e)\n## A\n## A\n```\n# no\n```')], ['a-b-cd-e', 'a', 'a-1']);
  });

  test('finds a file that is not there', () => {
    assert.deepEqual(pathProblems('a.md', '`src/x.c` `src` `src/y.c` `src/FLOOR/MODULE.c` src/z.c', there),
      ['a.md: there is no src/y.c']);
  });

  test('finds a metric on one side only', () => {
    const sources = new Map([['a.c', 'X(A, "sluice_a_total", "", "counter", "") "# TYPE sluice_b gauge"']]);
    assert.deepEqual(metricProblems('a.md', '`sluice_a_total{x}`, `sluice_c`', sources),
      ['a.md does not name sluice_b', 'a.md: there is no metric sluice_c']);
    assert.deepEqual(metricProblems('a.md', 'sluice_a_total sluice_b', sources), []);
  });

  const keys = keysOf('| key | type |\n|---|---|\n| `listen` | x |\n| `limits.channels` | `limits.no` |\n');

  test('finds a setting or a variable that is not there', () => {
    assert.deepEqual(keys, ['listen', 'limits.channels']);
    const problems = text => settingProblems('a.md', text, keys);
    assert.deepEqual(problems('`limits.channels` `passport.user` SLUICE_LISTEN SLUICE_LIMITS SLUICE_LIMITS_CHANNELS'), []);
    assert.deepEqual(problems('`limits.canals`'), ['a.md: there is no setting limits.canals']);
    assert.deepEqual(problems('SLUICE_LISTENS=1'), ['a.md: there is no variable SLUICE_LISTENS']);
  });

  test('finds a flag that is not there', () => {
    assert.deepEqual(flagProblems('a.md', 'sluice --check --config a.json; other --x', '  --check\n  --config FILE'), []);
    assert.deepEqual(flagProblems('a.md', '`sluice --config a.json --chek`', '  --check\n  --config FILE'),
      ['a.md: there is no flag --chek']);
  });

  test('completes a configuration', () => {
    const [a, b, c] = configurationsOf(
      '```jsonc\n{ "x": "file:/y" }\n```\n```jsonc\n{ "match": "a" }\n```\n```jsonc\n"path": "/"\n```\n');
    assert.deepEqual([a, b, c],
      ['{ "x": "a secret" }', '{ "channels": [ { "match": "a" } ] }', '{ "path": "/" }']);
  });

  test('finds a table that is stale', () => {
    const text = 'a\n<!-- settings: begin -->\nold\n<!-- settings: end -->\nb\n';
    assert.notEqual(withTable(text, 'new\n'), text);
    assert.equal(withTable(text, 'old\n'), text);
    assert.equal(withTable('a', 'new'), null);
  });
});
