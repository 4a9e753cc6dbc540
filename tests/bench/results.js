/* The results as text: tables in the terminal's width, and RESULTS.md. */
import { SUBJECTS } from './subjects.js';

const number = (value, digits) =>
  Number.isFinite(value) ? value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }) : '–';

function labelOf(one) {
  return one.label ?? SUBJECTS[one.subject].name;
}

function table(headers, rows) {
  const line = cells => `| ${cells.join(' | ')} |`;
  return [line(headers), line(headers.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

export function tableOf({ measure, cases, medians, ratio }) {
  if (measure.rows) {
    const { headers, rows } = measure.rows(medians, ratio);
    return table(headers, rows.map(([label, ...cells]) => [label, ...cells.map(cell => number(...cell))]));
  }
  const rows = cases.filter(({ key }) => medians[key]).map(one => {
    const { numbers, trouble } = medians[one.key];
    const cells = measure.columns.map(([, key, digits]) => number(numbers[key], digits));
    return [labelOf(one) + (trouble ? ` (not valid: ${trouble})` : ''), ...cells];
  });
  return table(['', ...measure.columns.map(([header]) => header)], rows);
}

function verdict(value, how, wanted) {
  if (how === 'about') return '';
  if (!Number.isFinite(value)) return 'not measured';
  return (how === '<=' ? value <= wanted : value >= wanted) ? 'reached' : '**not reached**';
}

const SIGNS = { '<=': 'at most', '>=': 'at least', about: 'about' };

export function goalsTable(goals) {
  return table(['goal', 'measured', 'wanted', ''], goals.map(([what, value, how, wanted]) =>
    [what, number(value, 2), `${SIGNS[how]} ${number(wanted, 2)}`, verdict(value, how, wanted)]));
}

/* For the terminal: without what is only for Markdown. */
export function plain(text) {
  return text.replace(/\*\*|`/g, '');
}

/* Sums the goals up, and shows tables in the order of measuring. */
export function markdown({ machine, done, skipped, rounds, pinned, seconds, others }) {
  const goals = done.flatMap(one => one.goals).filter(([, , how]) => how !== 'about');
  const parts = done.map(one => {
    const picture = one.name === 'growth' ? '\n\n![CPU per delivery by connections and by payload](growth.svg)' : '';
    const compared = one.goals.length > 0 ? `\n\n${goalsTable(one.goals)}` : '';
    return `## ${one.measure.title}\n\n${one.measure.text}\n\n${tableOf(one)}${compared}${picture}`;
  });
  const left = skipped.length > 0 ? `\nNot measured: ${skipped.join('; ')}.\n` : '';
  const places = pinned
    ? 'The server has one CPU, the generator and Redis share the others, unless a section says otherwise.'
    : 'The server, the generator and Redis share one CPU.';
  return `# What Sluice costs

Written by \`tests/bench/run\` (${Math.round(seconds / 60)} min): ${machine.sluice}, build type ${machine.buildtype}; ${machine.cpu}, ${machine.system},
Linux ${machine.kernel}, Redis ${machine.redis}, Node ${machine.node}. ${places} All over
the loopback. Medians of ${rounds} round${rounds > 1 ? 's' : ''}, in which the servers take turns; ratios are made within a round. Whatever else
ran on the machine meanwhile took ${number(others, 0)} % of a CPU at the median.
Sluice runs with one worker, sessions, channel rules and every limit switched on. "The floor" is one thread on raw epoll
that has none of that (\`tests/bench/floor.c\`): what it costs is the kernel's. CPU is the process' own clock, user and
system, of all threads. Every delivery was counted and its order checked. Figures wander from machine to machine and from run to
run; ratios within one run hold better.
${left}
## Goals

${goalsTable(goals)}

${parts.join('\n\n')}

## What this does not show

The loopback has no loss, no delay and no network card; a connection of real browsers is slower and its
segments are smaller. Where the generator and Redis come near 100 % busy, it was them that were measured.
Latency is from before the command is written to after the read, so it contains Redis and the generator's own reading.
`;
}
