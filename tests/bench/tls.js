/* What is measured over TLS. The generator speaks TLS 1.2 and offers one suite, so that all servers do the
 * same work. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/program.js';

const KEYS = {
  ecdsa: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  rsa: ['-newkey', 'rsa:2048'],
};

/* The files { certificate, key } of a kind of key; made once. */
export async function certificateOf(stand, kind) {
  const [key, certificate] = [join(stand.folder, `${kind}.key`), join(stand.folder, `${kind}.pem`)];
  if (existsSync(certificate)) return { certificate, key };
  const { status, stderr } = await run('openssl', ['req', '-x509', ...KEYS[kind], '-noenc', '-days', '2',
    '-subj', '/CN=localhost', '-keyout', key, '-out', certificate]);
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
  return { certificate, key };
}

/* A case's settings for a server that speaks TLS. */
export const withTls = kind => async stand => ({ config: { tls: await certificateOf(stand, kind) } });

/* Whether the generator was built with OpenSSL. */
export async function generatorHasTls(stand) {
  const { stderr } = await run(join(stand.build, 'tests/bench/load'), ['--tls', '--connections', '1']);
  return !stderr.includes('the connections cannot begin');
}

/* A case: milliseconds of a private operation alone, by the library that Sluice uses. */
export function privateOperation(kind) {
  return { key: `${kind} private`, subject: 'nothing', label: `the private operation of ${kind.toUpperCase()} alone`,
    async run(stand) {
      const { key } = await certificateOf(stand, kind);
      const program = stand.program(join(stand.build, 'tests/bench/sign'), [key, '1'], 'server', { name: 'sign' });
      const status = await program.exit();
      if (status !== 0) throw new Error(`sign ended with ${status}: ${program.output}`);
      return { shake: Number(program.stdout[0]) / 1000, others: 0, trouble: '' };
    } };
}
