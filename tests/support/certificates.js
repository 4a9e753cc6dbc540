/* Certificates for one test, made with openssl: a certificate authority's, and one for localhost. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { folder } from './folder.js';
import { run } from './program.js';

async function openssl(...args) {
  const { status, stderr } = await run('openssl', args);
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}

/* What `openssl req -newkey` takes. */
export const P256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
export const RSA = ['rsa:2048'];

/* { authority, certificate, key, authorityText }: the paths of three PEM files, and one file's content. `key` is the
 * kind of localhost's key. */
export async function makeCertificates(t, key = P256) {
  const path = await folder(t);
  const file = name => join(path, name);
  const make = ['req', '-x509', '-noenc', '-days', '2', '-newkey'];

  await openssl(...make, ...P256, '-subj', '/CN=Test authority',
    '-addext', 'basicConstraints=critical,CA:TRUE', '-keyout', file('authority.key'), '-out', file('authority.pem'));
  await openssl(...make, ...key, '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE',
    '-CA', file('authority.pem'), '-CAkey', file('authority.key'),
    '-keyout', file('localhost.key'), '-out', file('localhost.pem'));
  return {
    authority: file('authority.pem'),
    authorityText: await readFile(file('authority.pem'), 'utf8'),
    certificate: file('localhost.pem'),
    key: file('localhost.key'),
  };
}
