/* The results as tables for the terminal, and as RESULTS.md. */
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
  return table(['goal', 'measured', 'target', ''], goals.map(([what, value, how, wanted]) =>
    [what, number(value, 2), `${SIGNS[how]} ${number(wanted, 2)}`, verdict(value, how, wanted)]));
}

/* For the terminal: without the marks of Markdown. */
export function plain(text) {
  return text.replace(/\*\*|`/g, '');
}

/* The goals, then the tables in the order of measuring. */
export function markdown({ machine, done, skipped, rounds, pinned, seconds, others }) {
  const goals = done.flatMap(one => one.goals).filter(([, , how]) => how !== 'about');
  const parts = done.map(one => {
    const picture = one.name === 'growth' ? '\n\n![CPU per delivery by connections and by payload](growth.svg)' : '';
    const compared = one.goals.length > 0 ? `\n\n${goalsTable(one.goals)}` : '';
    return `## ${one.measure.title}\n\n${one.measure.text}\n\n${tableOf(one)}${compared}${picture}`;
  });
  const left = skipped.length > 0 ? `\nNot measured: ${skipped.join('; ')}.\n` : '';
  const places = pinned
    ? 'Unless a section says otherwise, the server has one CPU, and the generator and Redis share the others.'
    : 'The server, the generator and Redis share one CPU.';
  return `# What Sluice costs

Written by \`tests/bench/run\` (${Math.round(seconds / 60)} min): ${machine.sluice}, build type ${machine.buildtype}; ${machine.cpu}, ${machine.system},
Linux ${machine.kernel}, Redis ${machine.redis}, Node ${machine.node}. ${places}
All connections use the loopback interface. Figures are medians of ${rounds} round${rounds > 1 ? 's' : ''}, in which the servers take turns; a
ratio is taken within a round. Other processes on the machine used ${number(others, 0)} % of a CPU (median).

Sluice runs with one worker, sessions, channel rules and every limit enabled. "The floor" is a single-threaded server
on raw epoll without any of these (\`tests/bench/floor.c\`): its cost is the kernel's. CPU is the user and system time
of all threads of the server. The generator counts every delivery and checks its order. Figures vary from machine to
machine and from run to run; ratios within one run vary less.
${left}
## Goals

${goalsTable(goals)}

${parts.join('\n\n')}

## What this does not show

The loopback interface has no packet loss, no delay and no network card. Connections of real browsers are slower,
and their segments are smaller. Where the generator and Redis are nearly 100 % busy, they are the limit, and not the
server. Latency is the time from before the generator writes the command until after it reads the delivery, so it
includes Redis and the generator itself.
`;
}
