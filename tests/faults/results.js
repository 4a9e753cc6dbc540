/* What happened, as a table. Times are rounded up, so that the table changes only when they do. */

const HEAD = `# Faults

Written by \`tests/run faults\`. Two gateways with two workers each reach one Redis through a network that fails in each of
these ways. Four channels get 100 publications a second. Listeners of all kinds are connected to both gateways; newcomers
come all the time, some come and go on their channels, and one session ends during the fault. A ledger has all
publications that Redis accepted, and a judge compares it with what each connection has seen: every publication arrived once
and in order, or a \`gap\` told of it, or the connection was closed. Plain connections, which know no \`gap\`, may miss only
what the metrics say: at one gateway they stay, at the other one (\`"on_gap": "close"\`) they are closed.

"Healed within" is the time from the end of the fault, when all could be well again, until everything was: every connection
received again, newcomers were let in, the gateways were ready, and the connections were closed whose session had ended.
"Not ready": whether \`/readyz\` said 503. "Told": whether publications were missed, and \`gap\` or a close said so.

`;

const STEPS = [0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 6];

function seconds(ms) {
  return `${STEPS.find(step => ms / 1000 <= step)} s`;
}

const yes = value => (value ? 'yes' : 'no');

function cells({ recovered, unready, covered }) {
  return `${seconds(recovered)} | ${yes(unready)} | ${yes(covered > 0)} | 0`;
}

/* `rows`: what play() gave, by name. A fault that has none has failed. */
export function resultsTable(faults, rows) {
  return HEAD + [
    '| fault | healed within | not ready | told | lost silently |',
    '|---|---|---|---|---|',
    ...faults.map(({ name }) => `| ${name} | ${rows.has(name) ? cells(rows.get(name)) : 'failed | | | '} |`),
    '',
  ].join('\n');
}
