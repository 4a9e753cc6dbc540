/* GET /sluice.js: the browser client of src/client, for pages of any origin. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { launchChromium } from '../support/chromium.js';
import { file } from '../support/ending.js';
import { servePage } from '../support/site.js';
import { startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';

const { redis, sluice } = await stand(file);
const source = await readFile(new URL('../../src/client/sluice.js', import.meta.url));

function ask({ port = sluice.port, path = '/sluice.js', method = 'GET', headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false });
    asked.on('error', reject);
    asked.on('response', async answer => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) });
    });
    asked.end();
  });
}

test('serves the file byte for byte, as JavaScript', async () => {
  const { status, headers, body } = await ask();
  assert.equal(status, 200);
  assert.deepEqual(body, source);
  assert.equal(headers['content-type'], 'text/javascript; charset=utf-8');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['access-control-allow-origin'], '*');
  assert.equal(headers['access-control-allow-credentials'], undefined);
  assert.match(headers['cache-control'], /max-age=300/);
});

test('HEAD gives the head alone', async () => {
  const { status, headers, body } = await ask({ method: 'HEAD' });
  assert.equal(status, 200);
  assert.equal(Number(headers['content-length']), source.length);
  assert.equal(body.length, 0);
});

test('answers 304 to a matching If-None-Match', async () => {
  const { headers: { etag } } = await ask();
  assert.match(etag, /^"[0-9a-f]{32}"$/);
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const { status, headers, body } = await ask({ headers: { 'If-None-Match': tag } });
    assert.equal(status, 304, tag);
    assert.equal(headers.etag, etag);
    assert.equal(body.length, 0);
  }
  for (const tag of ['"other"', etag.slice(1, -1), `${etag}x`, 'W/', ''])
    assert.equal((await ask({ headers: { 'If-None-Match': tag } })).status, 200, tag);
});

test('refuses other methods and other names', async () => {
  for (const method of ['POST', 'OPTIONS', 'DELETE']) assert.equal((await ask({ method })).status, 405);
  for (const path of ['/sluice.js/', '/Sluice.js', '/sluice.mjs', '/ws/sluice.js', '/'])
    assert.equal((await ask({ path })).status, 404, path);
  assert.equal((await ask({ path: '/sluice.js?v=2' })).status, 200);
});

for (const path of ['/', '/a/b'])
  test(`has its own path when the endpoint is at ${path}`, async t => {
    const other = await startSluice(t, redis.url, { path, workers: 1 });
    assert.equal((await ask({ port: other.port })).status, 200);
  });

test('an endpoint at /sluice.js takes the path', async t => {
  const other = await startSluice(t, redis.url, { path: '/sluice.js', workers: 1 });
  assert.equal((await ask({ port: other.port })).status, 400);
});

test('Chromium imports it as a module from a page of another origin', async t => {
  const origin = await servePage(t, { 'Cross-Origin-Embedder-Policy': 'require-corp' });
  const chrome = await launchChromium(t);
  const page = await chrome.newPage();
  await page.goto(origin);
  const names = await page.evaluate(async url => Object.keys(await import(url)),
    `http://127.0.0.1:${sluice.port}/sluice.js`);
  assert.notEqual(names.length, 0);
});
