/*
 * The live page. Publications arrive through sluice.js; the page publishes by HTTP.
 *
 * Logging out is a form for the backend. Nothing here closes the connection: the gateway does, in
 * every tab, when the session is gone.
 */

import { Sluice } from '/sluice.js';

const MOST_MESSAGES = 100;
const SESSION_ENDED = 4401;

const stateLine = document.getElementById('state');
const messages = document.getElementById('messages');
const form = document.getElementById('publish');

function show(text) {
  const row = document.createElement('li');
  row.textContent = text;
  messages.prepend(row);
  if (messages.childElementCount > MOST_MESSAGES)
    messages.lastElementChild.remove();
}

function describe({ name, code, reason }) {
  switch (name) {
  case 'open':
    return 'live';
  case 'waiting':
    return 'connection lost, reconnecting';
  case 'closed':
    return code === SESSION_ENDED ? 'your session ended' : `closed: ${reason || code}`;
  default:
    return name;
  }
}

function showState(state) {
  stateLine.textContent = describe(state);
  document.body.dataset.state = state.name;
}

async function publish(event) {
  event.preventDefault();
  const answer = await fetch('/publish', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ to: event.submitter.value, text: form.elements.text.value }),
  });
  if (!answer.ok)
    show(`Not published: ${answer.status}`);
}

form.addEventListener('submit', (event) => {
  publish(event).catch((error) => show(`Not published: ${error.message}`));
});

const sluice = new Sluice('/ws');
sluice.on('state', showState);
sluice.on('publication', ({ data }) => show(JSON.stringify(data)));
sluice.on('gap', ({ channels }) => show(`Messages may be missing on ${channels.join(', ')}`));
