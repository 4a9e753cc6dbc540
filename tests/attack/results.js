/* The cost of the attacks as a table. Figures are rounded up, so that the table changes only when the cost
 * does: time to the next of 1, 2, 5, 10, 20 …, memory to the next of 1, 2, 4, 8, 16, 32, 48 … MiB. */
import { MIB } from './siege.js';

const HEAD = `# Under attack

Written by \`tests/run attack\`. Each attack runs by itself against a gateway of its own: the release build with
two workers. Meanwhile, 200 good connections get 20 publications a second each. They must receive every
publication in order, 99 % of them within 100 ms, and a new connection must open within a second. An attack
that misses one of these times is tried once more. After each attack, no connection and no descriptor is left,
and the memory is free again. The attackers are processes on the same machine, at the lowest priority
(nice 19), because real attackers would not use the gateway's CPUs.

"p99" is the 99th percentile of the good connections' delivery time. "Memory, peak" is how much the gateway's
resident memory grew during the attack, and "allowed" is the growth at which the test fails. "CPU" is the CPU
time of the gateway. Figures are rounded up.

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

/* `rows`: the figures of siege() by name. An attack without figures has failed. */
export function resultsTable(attacks, rows) {
  return HEAD + [
    '| attack | delivery, p99 | memory, peak | allowed | CPU |',
    '|---|---|---|---|---|',
    ...attacks.map(({ name }) => `| ${name} | ${rows.has(name) ? cells(rows.get(name)) : 'failed | | |'} |`),
    '',
  ].join('\n');
}
