/* sluice.d.ts: what it accepts, what it rejects, and that it is complete. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import ts from 'typescript';
import { Sluice } from '../../src/client/sluice.js';

const CLIENT = fileURLToPath(new URL('../../src/client/', import.meta.url));
const OPTIONS = {
  strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
  types: [], exactOptionalPropertyTypes: true,
};

/* The compiler's messages for a source that has a name beside the client. */
function complaints(text) {
  const name = `${CLIENT}made_up.ts`;
  const host = ts.createCompilerHost(OPTIONS);
  const { getSourceFile, fileExists } = host;
  host.fileExists = file => file === name || fileExists(file);
  host.getSourceFile = (file, ...rest) => file === name
    ? ts.createSourceFile(file, text, OPTIONS.target) : getSourceFile(file, ...rest);
  const program = ts.createProgram([name], OPTIONS, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) =>
    `${file?.getLineAndCharacterOfPosition(start).line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
}

const IMPORT = "import { Sluice, type State, type Gap } from 'sluice';\n";

const GOOD = `${IMPORT}
new Sluice();
new Sluice(new URL('wss://gateway.example.com/ws'), { share: 'chat' });
new Sluice(() => '/ws');
new Sluice(async () => ({ url: '/ws', ticket: null }));
new Sluice('/ws', { ticket: async () => (await fetch('/ticket')).text() });
const s = new Sluice('/ws', { share: true, ticket: () => undefined });

const off: () => void = s.subscribe('a', (data, meta) => {
  const name: string = meta.channel;
  const id: bigint = BigInt(meta.text ?? '0');
  if (typeof data === 'number') data.toFixed(name.length);
});
s.subscribe<{ n: number }>('a', ({ n }) => n.toFixed());
s.subscribe('a', (data: { n: number }) => data.n.toFixed());
off();

const show = (state: State): string => {
  switch (state.name) {
  case 'connecting': return '';
  case 'open': return state.user ?? state.connection;
  case 'waiting': return String(state.until - Date.now()) + state.reason;
  case 'closed': return state.code === 4401 ? 'log in' : state.reason;
  }
};
const offState: () => void = s.on('state', show);
offState();
s.on('gap', ({ channels }: Gap) => channels.map(one => one.length));
s.on('error', ({ channel, code }) => code === 'limit' && channel?.length);
s.on('subscribed', ({ channel }) => channel.length);
s.on('unsubscribed', ({ channel, reason }) => reason === 'revoked' && channel.length);
s.on('publication', ({ channel, data, text }) => { const any: unknown = data; return [channel, any, text?.length]; });
s.open();
await s.close();
if (s.state.name === 'open') s.state.user?.length;
export {};
`;

const BAD = {
  'a number as the address': 'new Sluice(7);',
  'an option that does not exist': "new Sluice('/ws', { tickets: () => 'a' });",
  'a ticket that is not a function': "new Sluice('/ws', { ticket: 'a' });",
  'a function that returns a number as the address': 'new Sluice(() => 7);',
  'a target without an address': "new Sluice(() => ({ ticket: 'a' }));",
  'a channel that is not a string': 's.subscribe(7, () => {});',
  'a missing handler': "s.subscribe('a');",
  'use of data without its type': "s.subscribe('a', data => data.text);",
  'an event that does not exist': "s.on('open', () => {});",
  'a field of another event': "s.on('gap', gap => gap.code);",
  'a field of another state': "if (s.state.name === 'open') s.state.until;",
  'a field of the state without a check of its name': 's.state.until;',
  'a state that does not exist': "s.state.name === 'live';",
  'a close code that does not stop it': "if (s.state.name === 'closed') s.state.code === 1012;",
  'an assignment to the state': "s.state = { name: 'connecting' };",
  'an error code that does not exist': "s.on('error', ({ code }) => code === 'nope');",
  'the text without a check that there is one': "s.subscribe('a', (data, { text }) => text.length);",
  'the result of close() as a value': 'const n: number = s.close();',
  'use of a private member': 's.wishes;',
};

test('correct code is accepted', () => {
  assert.deepEqual(complaints(GOOD), []);
});

for (const [what, line] of Object.entries(BAD))
  test(`${what} is rejected`, () => {
    const found = complaints(`${IMPORT}declare const s: Sluice;\n${line}\nexport {};\n`);
    assert.notDeepEqual(found, []);
    for (const one of found) assert.match(one, /^3: /);
  });

test('the class has exactly the members of its type', async () => {
  const text = await readFile(`${CLIENT}sluice.d.ts`, 'utf8');
  const [body] = /export class Sluice \{[^]*/.exec(text);
  const typed = [...body.matchAll(/^  (?:readonly )?(\w+)(?=[<(:])/gm)].map(match => match[1]);
  const there = Object.getOwnPropertyNames(Sluice.prototype);
  assert.deepEqual(typed.filter(name => name !== 'state').sort(), there.sort());
});
