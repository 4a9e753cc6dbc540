/* The results as tables, which change only with the results. */
import { AUTOBAHN } from './autobahn.js';
import { ONE_BY_ONE } from './conversation.js';

const HEAD = `# Conformance to RFC 6455 and RFC 7692

Written by \`tests/run conformance\`: each case of the tables beside this file, run in four ways with the echo
of a sanitized build. "One byte at a time": the first ${ONE_BY_ONE} bytes of a case (all of most cases) are sent in
one write each; the request only if the case is about it. Section numbers are those of RFC 6455, or of RFC 7692
with that number before them.

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
  return `## Comparison with the Autobahn test suite

The cases above on subjects of that suite (version 25.10.1), by its groups. The other ${beyond} are *beyond* it: no
case of that suite covers their subject. In its groups 12 and 13, each case sends a thousand compressed messages;
ours send 4 to 50. Besides these tables, other files test back-pressure, the closing handshake started by the
gateway, the end of TCP, and the cost of an announced length.

${rows(row('group', 'subject', 'cases of Autobahn', 'our cases', 'in sections'), lines)}
`;
}
