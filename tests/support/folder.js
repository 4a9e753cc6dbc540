/* A folder for one test's files, removed when the test is over. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './ending.js';

export async function folder(t) {
  const path = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  atEnd(t, () => rm(path, { recursive: true, force: true }));
  return path;
}
