/* The sources are formatted by clang-format 14. Other versions differ in details, so only this one is used.
 * Debian 12 has it; elsewhere tests/run leaves this file out when it is not installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, sourceFiles } from './sources.js';

function findFormatter() {
  return ['clang-format-14', 'clang-format'].find(name => {
    const { stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    return / version 14\./.test(stdout ?? '');
  });
}

function format(formatter, files, options = {}) {
  return spawnSync(formatter, ['--dry-run', '-Werror', ...files], { cwd: ROOT, encoding: 'utf8', ...options });
}

const formatter = findFormatter();

test('clang-format would change nothing', async () => {
  assert.ok(formatter, 'clang-format 14 is not installed');
  const files = await sourceFiles('src', 'include', 'tests');
  const { status, stderr } = format(formatter, files);
  assert.equal(status, 0, stderr.slice(0, 4000));
});

test('the check itself finds a line that is not formatted', () => {
  const { status } = format(formatter, [`--assume-filename=${join(ROOT, 'src/x.c')}`, '-'], {
    input: 'int  main( void ) { return 0; }\n' });
  assert.notEqual(status, 0);
});
