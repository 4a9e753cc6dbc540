/*
 * The demo page: log in, publish, watch.
 *
 * The page shows two things: whether there is a session (GET /session), and the state of its
 * connection. `data-user` on the body holds the first (unknown, in, out), `data-state` on #state the
 * second:
 *
 *     out          nobody is logged in, so the page does not connect
 *     connecting   the opening handshake is under way
 *     live         publications arrive
 *     lost         the connection was lost or could not open; sluice.js retries
 *     refused      no retry: the session ended, or the gateway refused
 *
 * The page connects with sluice.js, which every gateway serves. Log-out only asks the server to end the
 * session; then the gateway closes the connections of this tab and of all others. Anybody may have
 * published a message, so its content is only ever shown as text.
 */

import { Feed } from '/feed.js';
import { sampleEvent } from '/event.js';
import { Sluice } from '/sluice.js';

const SAMPLES = 20;
const SAMPLE_GAP_MS = 120;
const ANSWER_MS = 5000;
const NOTICE_MS = 6000;
const COPIED_MS = 1500;
const COUNTDOWN_MS = 250;

const LABELS = {
  out: 'Logged out',
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Lost',
};
const SESSION_ENDED = 4401;

const byId = (id) => document.getElementById(id);
const feed = new Feed();
let sluice = null;
let redisPort = null;
let countdown = 0;

/* ---- the server ---- */

function ask(path, options) {
  return fetch(path, { ...options, cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) });
}

function post(path, value) {
  const headers = { 'Content-Type': 'application/json' };
  return ask(path, { method: 'POST', headers, body: JSON.stringify(value ?? {}) });
}

/* The user's name, or null when nobody is logged in. Throws when the server does not answer. */
async function readUser() {
  const answer = await ask('/session');
  if (!answer.ok)
    throw new Error(`the server answered ${answer.status}`);
  return (await answer.json()).user;
}

async function publish(channel, data) {
  const answer = await post(`/publish?channel=${encodeURIComponent(channel)}`, data);
  if (!answer.ok)
    throw new Error(`the server answered ${answer.status}`);
}

/* ---- the page's display ---- */

let isLeaving = false;
let noticeTimer = 0;

function notice(text) {
  clearTimeout(noticeTimer);
  byId('notice').textContent = text;
  byId('notice').hidden = !text;
  if (text)
    noticeTimer = setTimeout(notice, NOTICE_MS, '');
}

function showState(name, { reason, until, session } = {}) {
  clearInterval(countdown);
  byId('state').dataset.state = name;
  byId('state-text').textContent = reason ?? LABELS[name];
  byId('state-wait').textContent = '';
  byId('retry').hidden = name !== 'lost';
  for (const id of ['samples', 'hello'])
    byId(id).disabled = name !== 'live';
  if (until)
    countDown(until);
  if (session === false)
    showUser(null);
}

/* Hidden from screen readers, which would announce each second. */
function countDown(until) {
  const show = () => {
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    byId('state-wait').textContent = `, retrying in ${seconds} s`;
  };
  show();
  countdown = setInterval(show, COUNTDOWN_MS);
}

function showUser(user) {
  document.body.dataset.user = user === null ? 'out' : 'in';
  byId('user').textContent = user ?? '';
  showCommands(user);
}

function shellWord(text) {
  return /^[\w.:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/* Each word is an element of its own, so that no line breaks at a hyphen. */
function showCommand(id, line) {
  const words = line.split(' ').map((word) => {
    const span = document.createElement('span');
    span.textContent = word;
    return [span, ' '];
  });
  byId(id).replaceChildren(...words.flat().slice(0, -1));
}

function showCommands(user) {
  const redis = redisPort ? `redis-cli -p ${redisPort}` : 'redis-cli';
  const hello = `'{"text":"hello"}'`;
  showCommand('try', `${redis} publish news ${hello}`);
  showCommand('try-user', `${redis} publish ${shellWord(`user:${user ?? ''}`)} ${hello}`);
}

async function showServer() {
  const info = await (await ask('/info')).json();
  redisPort = Number(info.redis_port) || null;
  byId('version').textContent = String(info.version ?? '');
}

/* A restarted server has another Redis, and may know us as another user. */
async function refresh() {
  try {
    await showServer();
    const user = await readUser();
    if (byId('state').dataset.state === 'live')
      showUser(user);
  } catch {
    notice('The server did not answer who is logged in.');
  }
}

/* ---- the connection ---- */

function start() {
  if (sluice)
    return sluice.open();
  sluice = new Sluice('/ws');
  sluice.on('state', stateChanged);
  sluice.on('publication', (publication) => feed.add(publication));
  sluice.on('gap', ({ channels }) => feed.addGap(channels));
  stateChanged(sluice.state);
}

function stateChanged(state) {
  switch (state.name) {
  case 'connecting':
    return showState('connecting');
  case 'open':
    showState('live');
    return refresh();
  case 'waiting':
    return showState('lost', { until: state.until });
  case 'closed':
    return closed(state);
  }
}

function showOut() {
  showState('out', { session: false });
  byId('login-name').focus();
}

function closed({ code, reason }) {
  const wasIn = document.body.dataset.user === 'in';
  if (code !== SESSION_ENDED)
    return showState('refused', { reason: `Refused: ${reason || code}` });
  if (isLeaving)
    return showOut();
  showState('refused', { reason: 'Your session ended', session: false });
  if (wasIn)
    notice('Your session ended, so the gateway has closed this connection.');
}

/* ---- user actions ---- */

async function logIn(event) {
  event.preventDefault();
  const user = byId('login-name').value.trim();
  try {
    const answer = await post('/login', { user });
    if (!answer.ok)
      throw new Error((await answer.text()) || `the server answered ${answer.status}`);
    notice('');
    showUser(user);
    isLeaving = false;
    start();
    byId('logout').focus();
  } catch (error) {
    notice(`Not logged in: ${error.message}`);
  }
}

/* Does not close the connection: the gateway does, once the session is gone. */
async function logOut() {
  isLeaving = true;
  try {
    const answer = await post('/logout');
    if (!answer.ok)
      throw new Error(`the server answered ${answer.status}`);
    if (sluice.state.name === 'closed')
      showOut();
    else
      sluice.open();
  } catch (error) {
    isLeaving = false;
    notice(`The session may still exist: ${error.message}`);
  }
}

async function withNotice(action) {
  try {
    await action();
  } catch (error) {
    notice(`Not published: ${error.message}`);
  }
}

async function publishSamples() {
  byId('map').scrollIntoView({ block: 'nearest' });
  for (let i = 0; i < SAMPLES; i++) {
    await publish('news', sampleEvent());
    await new Promise((done) => setTimeout(done, SAMPLE_GAP_MS));
  }
}

async function copy(button) {
  const line = byId(button.dataset.copy);
  const label = button.firstChild;
  try {
    await navigator.clipboard.writeText(line.textContent);
    label.textContent = 'Copied';
    setTimeout(() => { label.textContent = 'Copy'; }, COPIED_MS);
  } catch {
    getSelection().selectAllChildren(line);
    notice('The browser blocked copying. The line is selected instead.');
  }
}

function listen() {
  byId('login-form').addEventListener('submit', logIn);
  byId('logout').addEventListener('click', logOut);
  byId('retry').addEventListener('click', start);
  byId('hello').addEventListener('click',
    () => withNotice(() => publish('news', { text: 'hello' })));
  byId('samples').addEventListener('click', () => withNotice(publishSamples));
  for (const button of document.querySelectorAll('[data-copy]'))
    button.addEventListener('click', () => copy(button));
  document.addEventListener('visibilitychange', lookAgain);
}

/* Another tab may have logged in meanwhile. */
function lookAgain() {
  if (!document.hidden && document.body.dataset.user === 'out')
    begin();
}

/* When the server cannot be reached, sluice.js retries. */
async function begin() {
  await showServer().catch(() => {});
  const user = await readUser().catch(() => undefined);
  if (user !== undefined)
    showUser(user);
  if (user !== null)
    start();
  else if (!sluice)
    showState('out');
}

listen();
begin();
