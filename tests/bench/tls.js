/* Connections over TLS are opened from Node: the generator in C knows no TLS, and for memory a thousand
 * are as good as many. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { run } from '../support/program.js';

const COUNT = 1000;
const AT_ONCE = 50;

function ownKib(pid) {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

/* In ticks of 10 ms, which is fine for a thousand handshakes. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10000;
}

function open(port, cookie) {
  const request = ['GET /ws HTTP/1.1', 'Host: 127.0.0.1', 'Upgrade: websocket', 'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', `Cookie: ${cookie}`, '', ''];
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false },
      () => socket.write(request.join('\r\n')));
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

/* A few first, because what a server allocates once is no connection's. */
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
