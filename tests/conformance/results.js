/* What passed, as tables that change only when that does. */
import { AUTOBAHN } from './autobahn.js';
import { ONE_BY_ONE } from './conversation.js';

const HEAD = `# Conformance to RFC 6455 and RFC 7692

Written by \`tests/run conformance\`: each case of the tables beside this file, run in four ways against
the echo of a sanitized build. One octet at a time: the first ${ONE_BY_ONE} octets of a case, which are all of most,
each in a write of its own; of the request only where the case is about it. A section's number is RFC 6455's,
or with 7692 before it that RFC's.

`;

const rows = (head, lines) => [head, head.replace(/[^|]+/g, '---'), ...lines].join('\n');
const row = (...cells) => `| ${cells.join(' | ')} |`;

export function resultsTable(sections, ways, results) {
  const all = sections.flatMap(({ cases }) => cases);
  const passed = (cases, way) => cases.filter(({ id }) => results.get(id)?.includes(way)).length;
  const beyond = cases => cases.filter(({ like }) => !like).length;
  const line = (title, cases) => row(title, cases.length, beyond(cases), ...ways.map(way => passed(cases, way)));
  const failed = all.flatMap(({ id, name }) =>
    ways.filter(way => !results.get(id)?.includes(way)).map(way => `- ${id} ${name}, ${way}`));
  return HEAD + [
    rows(row('section', 'cases', 'beyond', ...ways), [
      ...sections.map(({ title, cases }) => line(title, cases)),
      line('**all**', all),
    ]),
    failed.length > 0 ? ['Not passed:', '', ...failed].join('\n') : 'Nothing failed.',
    comparison(sections, all),
  ].join('\n\n');
}

function comparison(sections, all) {
  const lines = AUTOBAHN.map(([group, subject, count]) => {
    const ours = all.filter(({ like }) => like === group);
    const where = sections.filter(({ cases }) => cases.some(one => ours.includes(one)));
    return row(group, subject, count, ours.length, where.map(({ title }) => title).join('; '));
  });
  const beyond = all.filter(({ like }) => !like).length;
  return `## Beside the Autobahn test suite

The cases above whose subject a group of that suite (version 25.10.1) has too. The other ${beyond} are *beyond* it:
no case of that suite looks at their subject. It sends a thousand compressed messages in each case of its groups
12 and 13; these send 4 to 50. Beside the tables, files of their own look at back-pressure, at the closing
handshake that the gateway begins, at the end of TCP, and at what an announced length costs.

${rows(row('Autobahn\'s group', 'subject', 'its cases', 'ours', 'in sections'), lines)}
`;
}
