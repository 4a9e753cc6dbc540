/* A page that uses the npm package reconnecting-websocket, with a cookie. */
import ReconnectingWebSocket from 'reconnecting-websocket';
import WebSocket from 'ws';
import { atEnd } from './ending.js';

/* `messages` holds what it received, `closes` each { code, reason }. */
export function openPage(t, url, cookie) {
  class WithCookie extends WebSocket {
    constructor(address, protocols) {
      super(address, protocols, { headers: cookie ? { Cookie: cookie } : {} });
    }
  }
  const socket = new ReconnectingWebSocket(url, [], {
    WebSocket: WithCookie, minReconnectionDelay: 50, maxReconnectionDelay: 200, minUptime: 10 });
  const page = { socket, messages: [], opened: 0, closes: [] };
  socket.addEventListener('message', ({ data }) => page.messages.push(data));
  socket.addEventListener('open', () => (page.opened += 1));
  socket.addEventListener('close', ({ code, reason }) => page.closes.push({ code, reason }));
  atEnd(t, () => socket.close());
  return page;
}
