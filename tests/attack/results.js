/* What the attacks cost, as a table that changes only when that does, hence rounded up: time to the
 * next of 1, 2, 5, 10, 20 …, memory to the next of 1, 2, 4, 8, 16, 32, 48 … MiB. */
import { MIB } from './siege.js';

const HEAD = `# Under attack

Written by \`tests/run attack\`: each attack in turn, against the release build with two workers, on a gateway of
its own that serves 200 good connections 20 publications a second meanwhile. They must get every one, in order,
99 of 100 within 100 ms, and somebody new must get in within a second; an attack in which that was too late is
made once more. After each attack no connection and no descriptor is left, and the memory is back. Attackers are processes on the same machine that give way to the
others (nice). Figures are rounded up.

`;

function roundUp(value) {
  let step = 10 ** Math.floor(Math.log10(value));
  for (const factor of [1, 2, 5, 10])
    if (value <= step * factor) return step * factor;
}

function roundUpMemory(mib) {
  return mib > 16 ? Math.ceil(mib / 16) * 16 : 2 ** Math.ceil(Math.log2(Math.max(mib, 1)));
}

function cells({ p99, growth, allowed, cpu }) {
  return `${roundUp(p99)} ms | +${roundUpMemory(growth / MIB)} MiB | +${allowed} MiB | ` +
    `${Number(roundUp(Math.max(cpu, 0.1)).toFixed(1))} s`;
}

/* `rows`: what siege() gave, by name; an attack that is not there has failed. */
export function resultsTable(attacks, rows) {
  return HEAD + [
    '| attack | delivery, p99 | memory, peak | allowed | CPU |',
    '|---|---|---|---|---|',
    ...attacks.map(({ name }) => `| ${name} | ${rows.has(name) ? cells(rows.get(name)) : 'failed | | |'} |`),
    '',
  ].join('\n');
}
