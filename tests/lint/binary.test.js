/* The release binary: hardened as it should be, and linked with nothing that it should not use. */
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

test('there is a release binary to look at', () => assert.ok(existsSync(BINARY), BINARY));

describe('hardening', () => {
  const dynamic = () => output('readelf', '-dW');
  const segments = () => output('readelf', '-lW');
  const symbols = () => output('readelf', '--dyn-syms', '-W');

  test('it is position independent', () => {
    assert.match(output('readelf', '-hW'), /Type:\s+DYN/);
    assert.match(dynamic(), /FLAGS_1.*\bPIE\b/);
  });

  test('relocations are read-only, and bound at start', () => {
    assert.match(segments(), /GNU_RELRO/);
    assert.match(dynamic(), /BIND_NOW|FLAGS.*\bNOW\b/);
  });

  test('the stack is not executable', () => {
    assert.match(segments(), /GNU_STACK\s.*\sRW\s/);
  });

  test('no segment can be both written and executed', () => {
    assert.doesNotMatch(segments(), /LOAD\s.*\sRWE\s/);
  });

  test('stacks are guarded', () => assert.match(symbols(), /__stack_chk_fail\b/));

  test('calls of libc are checked', () => assert.match(symbols(), /\b__\w+_chk\b/));

  test('libraries are looked for nowhere but where the system has them', () => {
    assert.doesNotMatch(dynamic(), /\((RPATH|RUNPATH)\)/);
  });

  /* Debian's own start-up objects are not marked, so the linker leaves out the note that says that
   * the whole program is; the code is looked at instead. */
  if (process.arch === 'x64')
    test('indirect calls land only where they may', () => {
      assert.match(output('objdump', '-d', '--disassemble=main'), /<main>:\n[^\n]*\bendbr64\b/);
    });
});

test('hiredis is a codec here: nothing of its connections is linked', () => {
  const undefinedSymbols = output('nm', '-D', '--undefined-only');
  assert.match(undefinedSymbols, /\bredisReader/);
  assert.doesNotMatch(undefinedSymbols, /\bredis(Async|Connect|Command|Append|BufferRead)/);
});

/* Looked for by what its source calls itself, so that the test cannot go on looking for an old name. */
describe('the echo of the conformance tests is not in it', () => {
  const source = readFileSync(join(ROOT, 'src/conn/conn_echo.c'), 'utf8');
  const [, said] = /log_debug\("([^"]+)"\)/.exec(source);
  const [, problem] = /"(not a limit[^"]+)"/.exec(source);
  const binary = readFileSync(BINARY);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  after(() => rmSync(folder, { recursive: true }));

  test('none of its texts', () => {
    assert.ok(binary.includes('nothing is here: the WebSocket endpoint'), 'texts can be found');
    for (const text of ['/echo', said, problem]) assert.ok(!binary.includes(text), text);
  });

  test('none of its functions', () => {
    const symbols = output('nm');
    assert.match(symbols, /\bconn_http_begin\b/);
    assert.doesNotMatch(symbols, /echo/i);
  });

  test('a build must ask for it, and a release may not', () => {
    const options = readFileSync(join(ROOT, 'meson_options.txt'), 'utf8');
    assert.match(options, /option\('echo', type: 'feature', value: 'disabled'/);
    const { stdout, status } = spawnSync('meson', [
      'setup', '-Dtests=disabled', '-Dbuildtype=release', '-Decho=enabled', join(folder, 'release'), ROOT], { encoding: 'utf8' });
    assert.notEqual(status, 0);
    assert.match(stdout, /echo is for conformance runs/);
  });
});

test('nobody is called who has no bound', () => {
  assert.doesNotMatch(output('nm', '-D', '--undefined-only'), /\b(strcpy|strcat|sprintf|gets|strtok)\b/);
});
