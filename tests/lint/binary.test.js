/* The release binary: hardened, and without what a release must not contain. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ROOT } from './sources.js';

const BINARY = process.env.SLUICE_BINARY ?? join(ROOT, 'build/sluice');

function output(tool, ...args) {
  const { stdout, stderr, status } = spawnSync(tool, [...args, BINARY], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

test('there is a release binary', () => assert.ok(existsSync(BINARY), BINARY));

describe('hardening', () => {
  const dynamic = () => output('readelf', '-dW');
  const segments = () => output('readelf', '-lW');
  const symbols = () => output('readelf', '--dyn-syms', '-W');

  test('the binary is position-independent', () => {
    assert.match(output('readelf', '-hW'), /Type:\s+DYN/);
    assert.match(dynamic(), /FLAGS_1.*\bPIE\b/);
  });

  test('relocations are bound at start and then read-only', () => {
    assert.match(segments(), /GNU_RELRO/);
    assert.match(dynamic(), /BIND_NOW|FLAGS.*\bNOW\b/);
  });

  test('the stack is not executable', () => {
    assert.match(segments(), /GNU_STACK\s.*\sRW\s/);
  });

  test('no segment is both writable and executable', () => {
    assert.doesNotMatch(segments(), /LOAD\s.*\sRWE\s/);
  });

  test('functions have stack protectors', () => assert.match(symbols(), /__stack_chk_fail\b/));

  test('calls of libc are fortified', () => assert.match(symbols(), /\b__\w+_chk\b/));

  test('libraries are searched only in the system\'s folders', () => {
    assert.doesNotMatch(dynamic(), /\((RPATH|RUNPATH)\)/);
  });

  /* Debian's start-up objects are not marked, so the linker leaves out the note for the whole program: look at
   * the code instead. */
  if (process.arch === 'x64')
    test('functions start with a landing pad for indirect calls', () => {
      assert.match(output('objdump', '-d', '--disassemble=main'), /<main>:\n[^\n]*\bendbr64\b/);
    });
});

test('of hiredis only the codec is linked, and nothing of its connections', () => {
  const undefinedSymbols = output('nm', '-D', '--undefined-only');
  assert.match(undefinedSymbols, /\bredisReader/);
  assert.doesNotMatch(undefinedSymbols, /\bredis(Async|Connect|Command|Append|BufferRead)/);
});

/* The strings come from its source, so that the test cannot go on looking for an old one. */
describe('the echo endpoint of the conformance tests', () => {
  const source = readFileSync(join(ROOT, 'src/conn/open/echo.c'), 'utf8');
  const [, said] = /log_debug\("([^"]+)"\)/.exec(source);
  const [, problem] = /"(not a limit[^"]+)"/.exec(source);
  const binary = readFileSync(BINARY);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  after(() => rmSync(folder, { recursive: true }));

  test('none of its strings is in the binary', () => {
    assert.ok(binary.includes('nothing is here: the WebSocket endpoint'), 'strings can be found');
    for (const text of ['/echo', said, problem]) assert.ok(!binary.includes(text), text);
  });

  test('none of its functions is in the binary', () => {
    const symbols = output('nm');
    assert.match(symbols, /\brequest_begin\b/);
    assert.doesNotMatch(symbols, /echo/i);
  });

  test('is disabled by default, and a release cannot enable it', () => {
    const options = readFileSync(join(ROOT, 'meson_options.txt'), 'utf8');
    assert.match(options, /option\('echo', type: 'feature', value: 'disabled'/);
    const { stdout, status } = spawnSync('meson', [
      'setup', '-Dtests=disabled', '-Dbuildtype=release', '-Decho=enabled', join(folder, 'release'), ROOT], {
      encoding: 'utf8' });
    assert.notEqual(status, 0);
    assert.match(stdout, /echo is for conformance runs/);
  });
});

test('no function without a bound is called', () => {
  assert.doesNotMatch(output('nm', '-D', '--undefined-only'), /\b(strcpy|strcat|sprintf|gets|strtok)\b/);
});
