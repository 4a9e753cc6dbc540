/* Every fault, with a ledger of all publications and a judge that reads afterwards what each connection has seen.
 *
 *	FAULT=text       only those with this text in their name
 *	FAULT_SEED=n     repeats a run
 *	FAULT_SECONDS=n  goes on with faults drawn at random, for so long
 *	FAULT_RESULTS=f  writes the table of what happened to this file */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { faults } from './faults.js';
import { play } from './play.js';
import { Random, seedOf } from './random.js';
import { resultsTable } from './results.js';
import { setStage } from './stage.js';

const { FAULT = '', FAULT_SEED = Math.floor(Math.random() * 1e6), FAULT_SECONDS = 0, FAULT_RESULTS } = process.env;
const chosen = faults.filter(({ name }) => name.includes(FAULT));
const rows = new Map();

let stage;
before(async () => (stage = await setStage(file)));

/* The numbers of all publications on a channel, as the network forges them: one is doubled, and so the next is lost. */
const forged = bytes => Buffer.from(bytes.toString('latin1').replace(/(room:1 \d*)7(?=\r)/g, '$16'), 'latin1');

async function judged(t, fault, random) {
  t.diagnostic(`FAULT_SEED=${FAULT_SEED}`);
  const result = await play(stage, fault, random);
  const { lasted, recovered, accepted, received, covered, closed, stayers } = result;
  t.diagnostic(`${fault.name}: lasted ${Math.round(lasted)} ms, healed after ${Math.round(recovered)} ms; ${accepted} ` +
    `accepted, ${received} received, ${covered} told as missing; ${closed} of ${stayers} closed`);
  return result;
}

describe('the judge', () => {
  test('sees that a publication is lost and another one doubled', async () => {
    const run = async ({ wait }) => {
      stage.each(proxy => proxy.each(wire => (wire.down.forge = forged)));
      await wait(1000);
    };
    await assert.rejects(play(stage, { run }, new Random(1)), /arrived twice[^]*is missing, and nothing says so/);
  });

  test('sees that nobody is told of a gap', async () => {
    const cut = faults.find(({ name }) => name.startsWith('half-open'));
    const fault = { ...cut, hides: event => event.kind === 'gap' || event.kind === 'closed' };
    await assert.rejects(play(stage, fault, new Random(1)), /is missing, and nothing says so/);
  });
});

describe('faults', () => {
  for (const fault of chosen) {
    test(fault.name, async t => {
      rows.set(fault.name, await judged(t, fault, new Random(seedOf(`${FAULT_SEED} ${fault.name}`))));
    });
  }

  if (FAULT_SECONDS > 0) {
    test(`faults drawn at random, for ${FAULT_SECONDS} s`, async t => {
      const random = new Random(seedOf(`${FAULT_SEED} drawn`));
      for (const over = performance.now() + 1000 * FAULT_SECONDS; performance.now() < over;)
        await judged(t, random.pick(chosen), random);
    });
  }

  after(async () => {
    if (FAULT_RESULTS) await writeFile(FAULT_RESULTS, resultsTable(faults, rows));
  });
});
