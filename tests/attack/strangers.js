/* Attackers who are not logged in, at a steady rate for a given time: each exported function runs in a process of
 * its own, and comes from several addresses, so that it is not the limits per address that stop them. */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { clientHello } from '../support/client_hello.js';
import { paced } from '../support/pace.js';
import { OPCODE, frame, handshake } from '../support/raw_client.js';
import { withResolvers } from '../support/wait.js';

const ADDRESSES = 16;

function dial({ target }, i, options = {}) {
  const socket = connect({ ...target, localAddress: `127.0.0.${2 + (i % ADDRESSES)}`, noDelay: true, ...options });
  socket.on('error', () => {});
  return socket;
}

/* Sends `rate` ClientHellos a second and reads none of the answers. Gives how many were sent. */
export async function sayHello({ rate, seconds, patience = 1000, ...place }) {
  const hello = await clientHello();
  let sent = 0;
  await paced(rate * seconds, rate, i => {
    const socket = dial(place, i);
    socket.pause();
    socket.on('connect', () => socket.write(hello, () => (sent += 1)));
    setTimeout(() => socket.destroy(), patience);
  });
  return sent;
}

/* Holds `count` connections that have sent `head` and nothing more, for `seconds` once all are there; opens another
 * for each that the gateway closes. Gives how many were opened. */
export async function stayHalfOpen({ count, rate, seconds, head, ...place }, { ready }) {
  const sockets = [];
  let opened = 0, over = false;
  const hold = i => {
    const socket = sockets[i] = dial(place, i);
    socket.on('connect', () => {
      opened += 1;
      socket.write(head);
    });
    socket.on('data', () => {});
    socket.on('close', () => over || setTimeout(hold, 100, i));
  };
  await paced(count, rate, hold);
  ready();
  await delay(seconds * 1000);
  over = true;
  for (const socket of sockets) socket.destroy();
  return opened;
}

/* Asks for `rate` connections a second with session ids that nobody has. Gives the counts of each status. */
export async function makeUpSessions({ rate, seconds, ...place }) {
  const counts = {};
  await paced(rate * seconds, rate, i => {
    const socket = dial(place, i);
    socket.write(handshake({ headers: { Cookie: `connect.sid=${randomUUID()}` } }));
    socket.once('data', bytes => {
      const status = bytes.toString('latin1', 9, 12);
      counts[status] = (counts[status] ?? 0) + 1;
      socket.destroy();
    });
    setTimeout(() => socket.destroy(), 5000);
  });
  return counts;
}

/* Opens a WebSocket over `socket`, which then holds half of a message and never sends the rest. */
function holdHalf(socket, { cookie, half }, lost) {
  socket.on('error', () => {});
  socket.write(handshake({ headers: { Cookie: cookie } }));
  socket.once('data', () => socket.write(frame(OPCODE.text, 'x'.repeat(half), { fin: false })));
  socket.on('data', () => {});
  socket.on('close', lost);
}

/* Holds `count` connections with `half` bytes of a message each until it is stopped, and opens another for each that
 * the gateway closes. Gives how many were opened. */
export async function holdHalves({ count, rate, ca, ...place }, { ready, stopped }) {
  const sockets = [];
  let opened = 0, over = false;
  const hold = i => {
    opened += 1;
    const wire = dial(place, i);
    const socket = sockets[i] = ca ? connectTls({ socket: wire, ca, servername: 'localhost' }) : wire;
    holdHalf(socket, place, () => over || setTimeout(hold, 1000, i));
  };
  await paced(count, rate, hold);
  ready();
  await stopped;
  over = true;
  for (const socket of sockets) socket.destroy();
  return opened;
}
