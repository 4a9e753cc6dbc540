import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layoutProblems } from './layout.js';
import { readSources } from './sources.js';

test('no folder has too many sources, no floor too many lines, each header is in the folder of its source', async () => {
  assert.deepEqual(layoutProblems(await readSources('include', 'src')), []);
});

describe('the check itself finds', () => {
  const floor = (name, { sources = 2, lines = 10 } = {}) => Array.from({ length: sources }, (_, i) =>
    [`src/${name}/m${i}.c`, '\n'.repeat(lines)]);
  const problemsWith = (...more) => layoutProblems(new Map([
    ...['base', 'net', 'hub', 'conn'].flatMap(name => floor(name)), ...more]));

  test('nothing in a sound tree', () => assert.deepEqual(problemsWith(
    ['include/sluice/base/m0.h', ''], ['include/sluice/base/defs.h', ''], ['src/conn/conn_internal.h', '']), []));

  test('a folder with 17 sources', () => {
    assert.deepEqual(problemsWith(...floor('proto/ws', { sources: 16, lines: 1 })), []);
    assert.deepEqual(problemsWith(...floor('proto/ws', { sources: 17, lines: 1 })), [
      'src/proto/ws has 17 sources, more than 16']);
  });

  test('a floor with more than 30 % of the lines', () => {
    assert.deepEqual(problemsWith(...floor('proto', { lines: 17 })), []);
    assert.deepEqual(problemsWith(...floor('proto/ws', { lines: 17 }), ['include/sluice/proto/a.h', '\n\n']), [
      'proto has 36 of 116 lines, more than 30 %']);
  });

  test('a header on no floor', () => {
    assert.deepEqual(problemsWith(['include/sluice/log.h', '']), ['include/sluice/log.h is on no floor']);
    assert.deepEqual(problemsWith(['include/base/log.h', '']), ['include/base/log.h is on no floor']);
  });

  test('a header in another folder than its source', () => {
    assert.deepEqual(problemsWith(['src/proto/ws/ws_frame.c', ''], ['include/sluice/proto/ws_frame.h', '']), [
      'include/sluice/proto/ws_frame.h is the header of src/proto/ws/ws_frame.c']);
  });
});
