/*
 * What Sluice replaces: a backend that keeps the WebSockets itself. The session is looked up with the
 * backend's own middleware at the upgrade, as the README of ws shows it; what Redis publishes on "news"
 * is sent to everyone.
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { WebSocket, WebSocketServer } from 'ws';

/* The packages of the demo's backend, which is this one without WebSockets. */
const demo = createRequire(new URL('../../../deploy/demo/package.json', import.meta.url));
const session = demo('express-session');
const { RedisStore } = demo('connect-redis');
const { createClient } = demo('redis');

const client = await createClient({ url: process.env.REDIS_URL }).connect();
const subscriber = await client.duplicate().connect();
const findSession = session({
  store: new RedisStore({ client }),
  secret: process.env.SESSION_SECRET,
  resave: false,
  saveUninitialized: false,
});

const server = createServer((request, response) => response.writeHead(404).end());
const sockets = new WebSocketServer({ noServer: true });

server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => {});
  findSession(request, {}, () => {
    if (request.session?.authenticated !== true) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, opened => opened.on('error', () => {}));
  });
});

await subscriber.subscribe('news', text => {
  for (const socket of sockets.clients)
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
});

process.on('SIGTERM', () => process.exit(0));
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  console.log(`listening address=127.0.0.1:${server.address().port}`));
