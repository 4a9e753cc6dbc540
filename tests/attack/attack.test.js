/* Hostile clients against the release build, while 200 connections must get the usual service. */
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { makeCertificates } from '../support/certificates.js';
import { file } from '../support/ending.js';
import { attacks as compressed } from './attacks_compressed.js';
import { attacks as frames } from './attacks_frames.js';
import { attacks as requests } from './attacks_requests.js';
import { attacks as tls } from './attacks_tls.js';
import { attacks as together } from './attacks_together.js';
import { resultsTable } from './results.js';
import { TooLate, siege } from './siege.js';

const attacks = [...requests, ...tls, ...frames, ...compressed, ...together];
const rows = new Map(); // figures by name
let certificates;

before(async () => {
  certificates = await makeCertificates(file);
});

after(async () => {
  await writeFile(new URL('RESULTS.md', import.meta.url), resultsTable(attacks, rows));
});

for (const one of attacks)
  test(one.name, async t => {
    const figures = await siege(t, one, certificates).catch(error => {
      if (!(error instanceof TooLate)) throw error;
      t.diagnostic(`${error.message}; trying once more`);
      return siege(t, one, certificates);
    });
    rows.set(one.name, figures);
  });
