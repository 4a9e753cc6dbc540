/* The sources look as clang-format 14 leaves them. Other versions differ in small things, so only
 * that one is asked. Debian 12 has it; elsewhere tests/run may leave this file out. */
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

test('the check itself finds a line that is not in order', () => {
  const { status } = format(formatter, [`--assume-filename=${join(ROOT, 'src/x.c')}`, '-'], {
    input: 'int  main( void ) { return 0; }\n' });
  assert.notEqual(status, 0);
});
