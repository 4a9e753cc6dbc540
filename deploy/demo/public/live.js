/*
 * The live page: what is published arrives by the WebSocket, what is typed leaves by HTTP.
 *
 * A lost socket is tried again after a random part of a span that doubles, so that many pages do
 * not come back at once. A page cannot see why it is refused, so it asks the backend whether there is
 * still a session, and shows the log-in form when there is none.
 */

const FIRST_SPAN_MS = 1000;
const LONGEST_SPAN_MS = 30000;
const MOST_MESSAGES = 100;

const state = document.getElementById('state');
const messages = document.getElementById('messages');
const form = document.getElementById('publish');
let failures = 0;

function show(text) {
  const row = document.createElement('li');
  row.textContent = text;
  messages.prepend(row);
  if (messages.childElementCount > MOST_MESSAGES)
    messages.lastElementChild.remove();
}

function waitAfter({ code, reason }) {
  const chosen = code === 1012 && /^retry_after_ms=(\d+)$/.exec(reason);
  const span = Math.min(LONGEST_SPAN_MS, FIRST_SPAN_MS * 2 ** failures++);
  return chosen ? Number(chosen[1]) : Math.random() * span;
}

async function isLoggedOut() {
  const answer = await fetch('/session').catch(() => null);
  return answer?.status === 401;
}

function connect() {
  const socket = new WebSocket(new URL('/ws', location.href).href.replace(/^http/, 'ws'));
  let opened = false;
  socket.onopen = () => {
    opened = true;
    failures = 0;
    state.textContent = 'live';
  };
  socket.onmessage = ({ data }) => show(data);
  socket.onclose = async (event) => {
    if (!opened && await isLoggedOut())
      return location.reload();
    state.textContent = 'lost, trying again';
    setTimeout(connect, waitAfter(event));
  };
}

async function publish(event) {
  event.preventDefault();
  const answer = await fetch('/publish', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ to: event.submitter.value, text: form.elements.text.value }),
  });
  if (answer.status === 401)
    location.reload();
  else if (!answer.ok)
    show(`Not published: ${answer.status}`);
}

form.addEventListener('submit', (event) => {
  publish(event).catch((error) => show(`Not published: ${error.message}`));
});
connect();
