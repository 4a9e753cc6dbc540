/* Free ports, and where a started program listens. */
import { createServer } from 'node:net';
import { withResolvers } from './wait.js';

/* Below the ports that the kernel gives to clients, so that no client takes a port of ours between two
 * starts of a server. */
const PORTS = { from: 20000, to: 32000 };

/* A port that nothing listens on. */
export async function freePort() {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const server = createServer();
    const { promise, resolve } = withResolvers();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    if (await promise) return port;
  }
}

/* The address that a gateway logs for its endpoint, and the one for its admin port. */
export async function listeningAddress(program) {
  return (await program.line(/\blistening\b.*\baddress[="':]+([^\s"]+)/))[1];
}

export async function adminAddress(program) {
  return (await program.line(/\badmin\b.*\baddress[="':]+([^\s"]+)/))[1];
}

export function portOf(address) {
  return Number(address.split(':').pop());
}
