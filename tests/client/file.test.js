/* sluice.js as a file: small, without imports, and as an npm package. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const read = name => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');
const source = await read('src/client/sluice.js');

test('is under 4.5 KiB gzipped', t => {
  const size = gzipSync(source, { level: 9 }).length;
  t.diagnostic(`sluice.js: ${source.length} bytes, ${size} gzipped`);
  assert.ok(size < 4608, `${size} bytes`);
});

test('imports nothing, and exports one class', () => {
  assert.doesNotMatch(source, /\bimport\b/);
  assert.deepEqual(source.match(/^export .*$/gm), ['export class Sluice {']);
});

test('has at most 100 columns, no tabs and no trailing blanks', () => {
  for (const line of source.split('\n')) {
    assert.ok([...line].length <= 100, line);
    assert.doesNotMatch(line, /\t|\s$/);
  }
});

test('the package has the version of the gateway, and lists only files that exist', async () => {
  const about = JSON.parse(await read('src/client/package.json'));
  assert.equal(about.version, /^ *version: '(.+)'/m.exec(await read('meson.build'))[1]);
  assert.equal(about.dependencies, undefined);
  const entry = about.exports['.'];
  for (const name of [...about.files, entry.types, entry.default, about.types])
    assert.ok((await read(`src/client/${name}`)).length > 0, name);
});
