/* Connections over TLS are opened from Node, because the generator in C has no TLS. A thousand are enough to
 * measure memory. */
import { join } from 'node:path';
import { connect } from 'node:tls';
import { processorSecondsOf, run, sizeOf } from '../support/program.js';
import { handshake } from '../support/raw_client.js';

const COUNT = 1000;
const AT_ONCE = 50;

const ownKib = pid => sizeOf(pid, 'RssAnon') / 1024;

/* Microseconds, in steps of 10 ms, which is fine enough for a thousand handshakes. */
const cpuOf = pid => processorSecondsOf(pid) * 1e6;

function open(port, cookie) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false },
      () => socket.write(handshake({ headers: { Cookie: cookie } })));
    socket.on('error', reject);
    socket.once('data', bytes => {
      const answer = bytes.toString('latin1');
      if (answer.startsWith('HTTP/1.1 101 ')) resolve(socket);
      else reject(new Error(answer.split('\r\n')[0]));
    });
  });
}

async function openAll(port, cookies) {
  const sockets = [];
  const waiting = [...cookies];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (waiting.length > 0) sockets.push(await open(port, waiting.pop()));
  }));
  return sockets;
}

/* Opens a few first, so that what the server allocates once counts for no connection. */
export async function measureTls(stand, { port, pids: [pid] }) {
  const few = await openAll(port, stand.cookies.slice(0, AT_ONCE));
  const [own, cpu] = [ownKib(pid), cpuOf(pid)];
  const all = await openAll(port, stand.cookies.slice(AT_ONCE, AT_ONCE + COUNT));
  const numbers = { kib: (ownKib(pid) - own) / COUNT, accept: (cpuOf(pid) - cpu) / COUNT, others: 0, trouble: '' };
  for (const socket of [...few, ...all]) socket.destroy();
  return numbers;
}

/* The settings of a server that speaks TLS. */
measureTls.prepare = async stand => {
  const [key, certificate] = [join(stand.folder, 'key.pem'), join(stand.folder, 'cert.pem')];
  const { status, stderr } = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', certificate]);
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
  return { config: { tls: { certificate, key } } };
};
