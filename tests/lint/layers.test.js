import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layerProblems } from './layers.js';
import { readSources } from './sources.js';

test('no include goes up a floor, there is no circle, and each library is used only where it belongs', async () => {
  const files = await readSources('include', 'src');
  assert.ok(files.size > 20, `${files.size} files`);
  assert.deepEqual(layerProblems(files), []);
});

describe('the check itself finds', () => {
  const sound = {
    'include/sluice/base/list.h': '',
    'include/sluice/base/slice.h': '#include <stddef.h>',
    'include/sluice/redis/reply.h': '#include <hiredis/hiredis.h>\n#include "sluice/base/slice.h"',
    'include/sluice/net/stream.h': '#include <uv.h>\n#include "sluice/base/list.h"',
    'include/sluice/hub/hub.h': '#include "sluice/base/list.h"',
    'src/hub/hub.c': '#include "sluice/hub/hub.h"',
    'src/conn/conn_internal.h': '#include "sluice/hub/hub.h"',
    'src/conn/conn.c': '#include "conn_internal.h"\n#include "sluice/net/stream.h"',
    'src/main.c': '#include <stdio.h>',
  };
  const problemsWith = more => layerProblems(new Map(Object.entries({ ...sound, ...more })));

  test('nothing in a sound tree', () => assert.deepEqual(problemsWith({}), []));

  const faults = {
    'an include of a floor above': { 'src/base/log.c': '#include "sluice/hub/hub.h"' },
    'a private header of a floor above': { 'src/hub/hub.c': '#include "../conn/conn_internal.h"' },
    'net in proto': { 'src/proto/cookie.c': '#include "sluice/net/stream.h"' },
    'proto in net': { 'src/net/listener.c': '#include "sluice/redis/reply.h"' },
    'net in hub': { 'src/hub/hub.c': '#include "sluice/net/stream.h"' },
    'a module that main may not include': { 'src/main.c': '#include "sluice/net/stream.h"' },
    'a circle of two headers': {
      'include/sluice/base/list.h': '#include "sluice/base/slice.h"',
      'include/sluice/base/slice.h': '#include "sluice/base/list.h"' },
    'a circle through the sources': {
      'src/base/list.c': '#include "sluice/base/slice.h"',
      'src/base/slice.c': '# include "sluice/base/list.h"' },
    'a circle of three': {
      'include/sluice/hub/a.h': '#include "sluice/hub/b.h"',
      'include/sluice/hub/b.h': '#include "sluice/hub/c.h"',
      'src/hub/c.c': '#include "sluice/hub/a.h"',
      'include/sluice/hub/c.h': '' },
    'a circle of folders': {
      'src/proto/http/origin.c': '#include "sluice/proto/text/utf8.h"',
      'include/sluice/proto/text/utf8.h': '',
      'src/proto/text/json.c': '#include "sluice/proto/http/cookie.h"',
      'include/sluice/proto/http/cookie.h': '' },
    'libuv in hub': { 'src/hub/hub.c': '#include <uv.h>' },
    'libuv in proto': { 'src/proto/text/utf8.c': '#include <uv.h>' },
    'llhttp elsewhere': { 'src/conn/conn.c': '#include <llhttp.h>' },
    'cJSON elsewhere': { 'src/proto/origin.c': '#include <cjson/cJSON.h>' },
    'mbedTLS elsewhere': { 'src/net/stream.c': '#include <mbedtls/ssl.h>' },
    'hiredis elsewhere': { 'src/redis/link.c': '#include <hiredis/hiredis.h>' },
    'an unknown library': { 'src/net/stream.c': '#include <openssl/ssl.h>' },
    'a header that does not exist': { 'src/base/log.c': '#include "sluice/base/missing.h"' },
    'a folder that is not a floor': { 'src/misc/log.c': '' },
  };
  for (const [what, files] of Object.entries(faults))
    test(what, () => assert.equal(problemsWith(files).length, 1, problemsWith(files).join('\n')));
});
