/* The judge of the faults finds what is lost, doubled or out of order, and accepts what is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FOUND_MS, HEALED_MS, judge, outages } from './judge.js';

const LEDGER = new Map([['a', Array.from({ length: 10 }, (_, n) => ({ sent: 100 * n, accepted: 100 * n + 1 }))]]);
const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const END = { began: 300, healed: 500, end: 10000 };

const joined = { kind: 'joined', channel: 'a', at: -1 };
const arrival = number => ({ kind: 'publication', channel: 'a', number, at: 100 * number + 2 });

function sees(numbers, { kind = 'v1', more = [], ...rest } = {}) {
  const events = [joined, ...numbers.map(arrival), ...more];
  return judge({ name: 'c', kind, onGap: 'continue', outages: [], events, ...rest }, LEDGER, END);
}

const faultsOf = verdict => verdict.faults.map(({ what, number }) => `${number} ${what}`);

test('all in order is no fault', () => {
  assert.deepEqual(sees(ALL), { received: 10, covered: 0, faults: [] });
});

for (const kind of ['v1', 'plain']) {
  test(`${kind}: one that is missing is found, wherever it is`, () => {
    for (const lost of ALL)
      assert.deepEqual(faultsOf(sees(ALL.filter(n => n !== lost), { kind })), [`${lost} is missing, and nothing says so`]);
  });

  test(`${kind}: twice, out of order, never published and on another channel are found`, () => {
    assert.deepEqual(faultsOf(sees([0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9], { kind })), ['1 arrived twice']);
    assert.deepEqual(faultsOf(sees([0, 2, 1, 3, 4, 5, 6, 7, 8, 9], { kind })), ['1 out of order']);
    assert.deepEqual(faultsOf(sees([...ALL, 10], { kind })), ['10 was never published']);
    assert.deepEqual(faultsOf(sees([...ALL], { kind, more: [{ ...arrival(3), channel: 'b' }] })),
      ['3 arrived on a channel that the connection does not have']);
  });
}

test('a gap covers what was sent before it, and nothing that was sent after it', () => {
  const without = [0, 1, 2, 3, 4, 9];
  const gap = { kind: 'gap', at: 850 };
  assert.deepEqual(sees(without, { more: [gap] }), { received: 6, covered: 4, faults: [] });
  assert.deepEqual(sees(without, { more: [{ ...gap, channel: 'a' }] }).faults, []);
  assert.equal(sees(without, { more: [{ ...gap, channel: 'b' }] }).faults.length, 4);
  assert.deepEqual(faultsOf(sees(without, { more: [{ ...gap, at: 750 }] })), ['8 is missing, and nothing says so']);
});

test('a gap or a close that comes too late covers nothing', () => {
  const late = END.healed + HEALED_MS + 900;
  for (const kind of ['gap', 'closed'])
    assert.equal(sees([0, 1, 2, 3], { more: [{ kind, at: late, code: 1012 }] }).faults.length, 6);
});

test('a close covers what was lost, and ends what is expected', () => {
  assert.deepEqual(sees([0, 1, 3], { kind: 'plain', more: [{ kind: 'closed', at: 450, code: 1012 }] }).faults, []);
});

test('plain: an outage covers what was sent in it, but not where connections must be closed', () => {
  const without = [0, 1, 2, 6, 7, 8, 9];
  const times = [{ from: 250, to: 550 }];
  assert.deepEqual(sees(without, { kind: 'plain', outages: times }).faults, []);
  assert.equal(sees(without, { kind: 'plain', outages: times, onGap: 'close' }).faults.length, 3);
  assert.equal(sees(without, { kind: 'plain', outages: [{ from: 350, to: 550 }] }).faults.length, 1);
  assert.equal(sees(without, { kind: 'v1', outages: times }).faults.length, 3, 'sluice.v1 must be told');
});

test('what was sent before the channel was there, or was not accepted, need not arrive', () => {
  const events = [{ ...joined, at: 250 }, ...[3, 4, 6, 7, 8, 9].map(arrival)];
  const ledger = new Map([['a', LEDGER.get('a').map((entry, n) => (n === 5 ? { ...entry, accepted: null } : entry))]]);
  const connection = { name: 'c', kind: 'v1', onGap: 'continue', outages: [], events };
  assert.deepEqual(judge(connection, ledger, END), { received: 6, covered: 0, faults: [] });
});

test('a client that leaves may miss what is on its way, but nothing in the middle', () => {
  const times = { began: 1e6, healed: 1e6, end: 1e7 };
  const connection = numbers => ({ name: 'c', kind: 'v1', onGap: 'continue', outages: [], events: [
    joined, ...numbers.map(arrival), { kind: 'left', channel: 'a', asked: 950, at: 960 }] });
  assert.deepEqual(judge(connection([0, 1, 2, 3, 4, 5, 6, 7]), LEDGER, times).faults, []);
  assert.deepEqual(faultsOf(judge(connection([0, 1, 2, 4, 5, 6, 7]), LEDGER, times)), ['3 is missing, and nothing says so']);
});

test('outages are read from the metrics, with the time until they are found', () => {
  const samples = [[0, true, 0], [100, true, 0], [200, false, 1], [300, true, 1], [400, true, 2], [500, true, 2]]
    .map(([at, up, reconnects]) => ({ at, up, reconnects }));
  assert.deepEqual(outages(samples), [
    { from: 100 - FOUND_MS, to: 200 }, { from: 200 - FOUND_MS, to: 300 }, { from: 300 - FOUND_MS, to: 400 }]);
  assert.deepEqual(outages([{ at: 0, up: false, reconnects: 0 }]), [{ from: -FOUND_MS, to: Infinity }]);
});
