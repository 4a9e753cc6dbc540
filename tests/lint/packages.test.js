/* The lock files of npm and pip contain packages and hashes, and no registry. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from './sources.js';

describe('no registry in', () => {
  for (const file of ['tests/package-lock.json', 'deploy/demo/package-lock.json'])
    test(file, () => {
      assert.ok(existsSync(join(ROOT, file)));
      const { packages } = JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
      for (const [path, { resolved, integrity }] of Object.entries(packages)) {
        assert.equal(resolved, undefined, path);
        if (path) assert.match(integrity, /^sha512-/, path);
      }
    });
});

test('tests/support/frameworks/requirements.txt has a version and hashes for each package, and nothing else', () => {
  const text = readFileSync(join(ROOT, 'tests/support/frameworks/requirements.txt'), 'utf8');
  const lines = text.trim().replaceAll(/ \\\n/g, '').split('\n');
  assert.notEqual(lines.length, 0);
  for (const line of lines) assert.match(line, /^[\w.-]+==[\w.]+( +--hash=sha256:[0-9a-f]{64})+$/);
});
