/* No call goes up a floor, and inside a floor the calls form no circle. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { callProblems, objectsOf, symbolsOf, usesOf } from './calls.js';
import { ROOT, sourceFiles } from './sources.js';

const BUILD = dirname(process.env.SLUICE_BINARY ?? join(ROOT, 'build/sluice'));

describe('in the release build', () => {
  const objects = objectsOf(BUILD);
  const symbols = symbolsOf(objects);

  test('each source has an object, except the echo of the conformance tests', async () => {
    const sources = (await sourceFiles('src')).filter(path => path.endsWith('.c'));
    const compiled = new Set(objects.values());
    const missing = sources.filter(path => !compiled.has(path));
    assert.deepEqual(missing.filter(path => !/echo/.test(path)), []);
  });

  test('the objects hold code and not the input of link-time optimisation, whose symbols say nothing', () => {
    assert.doesNotMatch(symbols, /__gnu_lto/);
    assert.ok(usesOf(symbols, objects).length > 500);
  });

  test('no call goes up a floor, and inside a floor they form no circle', () => {
    assert.equal(callProblems(symbols, objects).join('\n'), '');
  });
});

/* Compiles sources of which each is { path: text }, and returns what is wrong with their calls. */
function problemsOf(sources) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  after(() => rmSync(folder, { recursive: true }));
  const objects = new Map(Object.entries(sources).map(([path, text]) => {
    const object = join(folder, `${path}.o`);
    mkdirSync(dirname(object), { recursive: true });
    writeFileSync(join(folder, path), text);
    const { status, stderr } = spawnSync('cc', ['-O2', '-c', '-o', object, join(folder, path)], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return [object, path];
  }));
  return callProblems(symbolsOf(objects), objects);
}

describe('the check itself finds', () => {
  const calls = (own, ...others) => [
    ...others.map(other => `void ${other}(void);`),
    `void ${own}(void) { ${others.map(other => `${other}();`).join(' ')} }`].join('\n');

  test('nothing where calls go down', () => {
    assert.deepEqual(problemsOf({
      'src/base/log.c': `${calls('log_write', 'puts_somewhere')} ${calls('log_open')}`,
      'src/hub/hub.c': calls('hub_add', 'log_write'),
      'src/hub/homes.c': `${calls('homes_add', 'hub_add', 'log_open')} static void local(void) {}`,
      'src/main.c': calls('main_', 'log_write'),
    }), []);
  });

  test('nothing where a table of functions is handed in', () => {
    assert.deepEqual(problemsOf({
      'src/net/stream.c': 'void stream_read(void (*const *events)(void)) { events[0](); }',
      'src/conn/conn.c': `void stream_read(void (*const *)(void)); ${calls('on_bytes')}
        static void (*const events[])(void) = { on_bytes }; void conn_open(void) { stream_read(events); }`,
    }), []);
  });

  test('a call up a floor', () => {
    assert.deepEqual(problemsOf({
      'src/base/log.c': calls('log_write', 'hub_add'),
      'src/hub/hub.c': calls('hub_add'),
    }), ['base/log may not use hub/hub (hub_add)']);
  });

  test('a call between floors that do not know each other', () => {
    assert.deepEqual(problemsOf({
      'src/proto/ws/ws_frame.c': calls('ws_frame_write', 'stream_send'),
      'src/net/stream.c': calls('stream_send'),
    }), ['proto/ws/ws_frame may not use net/stream (stream_send)']);
  });

  test('data of a floor above', () => {
    assert.deepEqual(problemsOf({
      'src/base/log.c': 'extern const int hub_size; int log_size(void) { return hub_size; }',
      'src/hub/hub.c': 'const int hub_size = 1;',
    }), ['base/log may not use hub/hub (hub_size)']);
  });

  test('a circle of two modules, with all that they call of each other', () => {
    assert.deepEqual(problemsOf({
      'src/hub/hub.c': calls('hub_add', 'homes_add', 'homes_drop'),
      'src/hub/homes.c': `${calls('homes_add', 'hub_add')} ${calls('homes_drop')}`,
    }), [[
      'a circle among modules of hub:',
      '  hub/hub -> hub/homes (homes_add, homes_drop)',
      '  hub/homes -> hub/hub (hub_add)'].join('\n')]);
  });

  test('a circle that goes through a table of functions', () => {
    assert.deepEqual(problemsOf({
      'src/conn/a.c': calls('a', 'b'),
      'src/conn/b.c': calls('b', 'c'),
      'src/conn/c.c': 'struct t { int x; }; extern const struct t a_table; int c(void) { return a_table.x; }',
      'src/conn/a_table.c': 'void a(void); void (*const a_table)(void) = a;',
    }), [[
      'a circle among modules of conn:',
      '  conn/a -> conn/b (b)',
      '  conn/b -> conn/c (c)',
      '  conn/c -> conn/a_table (a_table)',
      '  conn/a_table -> conn/a (a)'].join('\n')]);
  });

  test('a circle of two sources that share an internal header', () => {
    assert.equal(problemsOf({
      'src/redis/link.c': calls('link_send', 'link_command'),
      'src/redis/link_commands.c': calls('link_command', 'link_send'),
    }).length, 1);
  });

  test('a circle of folders whose modules form none', () => {
    assert.deepEqual(problemsOf({
      'src/proto/http/cookie.c': calls('cookie', 'utf8'),
      'src/proto/text/utf8.c': calls('utf8'),
      'src/proto/text/json.c': calls('json', 'origin'),
      'src/proto/http/origin.c': calls('origin'),
    }), [[
      'a circle among what lies in proto/:',
      '  proto/http/ -> proto/text/ (proto/http/cookie -> proto/text/utf8: utf8)',
      '  proto/text/ -> proto/http/ (proto/text/json -> proto/http/origin: origin)'].join('\n')]);
  });

  test('a circle of a folder and a module beside it', () => {
    assert.equal(problemsOf({
      'src/conn/conn.c': calls('conn', 'admit'),
      'src/conn/opening/admit.c': calls('admit'),
      'src/conn/opening/request.c': calls('request', 'conn'),
    }).length, 1);
  });

  test('a circle of folders in a folder', () => {
    assert.equal(problemsOf({
      'src/conn/open/ws/a.c': calls('a', 'b'),
      'src/conn/open/dialects/b.c': calls('b'),
      'src/conn/open/dialects/c.c': calls('c', 'd'),
      'src/conn/open/ws/d.c': calls('d'),
    }).length, 1);
  });
});
