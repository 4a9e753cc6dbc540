/* Each header compiles by itself, and included twice, with gcc's warnings. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT, sourceFiles } from './sources.js';

const WARNINGS = ['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wundef', '-Wstrict-prototypes', '-Wconversion'];

/* The flags of pkg-config, with -isystem: warnings in headers of libraries are not ours. */
function packageFlags() {
  const packages = ['libuv', 'hiredis', 'libcjson', 'zlib'];
  const { stdout, status, stderr } = spawnSync('pkg-config', ['--cflags', ...packages], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trim().split(/\s+/).filter(Boolean).flatMap(
    flag => (flag.startsWith('-I') ? ['-isystem', flag.slice(2)] : [flag]));
}

function compile(text, folder) {
  const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-fsyntax-only', '-x', 'c', ...WARNINGS,
    `-I${join(ROOT, 'include')}`, '-iquote', join(ROOT, folder), ...packageFlags(),
    '-isystem', '/usr/share/include/llhttp', '-'];
  return spawnSync('gcc', flags, { input: text, encoding: 'utf8' });
}

function assertAlone(header) {
  const name = header.startsWith('include/') ? header.slice('include/'.length) : header.split('/').pop();
  const include = `#include "${name}"\n`;
  const { status, stderr } = compile(`${include}${include}int never_empty;\n`, dirname(header));
  assert.equal(status, 0, stderr);
}

const headers = (await sourceFiles('include', 'src')).filter(path => path.endsWith('.h'));

describe('compiles by itself:', () => {
  for (const header of headers) test(header, () => assertAlone(header));
});

test('the check itself finds a header that needs another one', () => {
  const { status, stderr } = compile('size_t length(void);\n', 'include');
  assert.notEqual(status, 0);
  assert.match(stderr, /size_t/);
});
