/* What passed, as a table that changes only when that does. */
const HEAD = `# Conformance to RFC 6455

Written by \`tests/run conformance\`: each case of the tables beside this file, run in three ways against
the echo of a sanitized build. A section's number is the RFC's.

`;

export function resultsTable(sections, ways, results) {
  const passed = (cases, way) => cases.filter(({ id }) => results.get(id)?.includes(way)).length;
  const row = (title, cases) => `| ${[title, cases.length, ...ways.map(way => passed(cases, way))].join(' | ')} |`;
  const all = sections.flatMap(({ cases }) => cases);
  const failed = all.flatMap(({ id, name }) =>
    ways.filter(way => !results.get(id)?.includes(way)).map(way => `- ${id} ${name}, ${way}`));
  return HEAD + [
    `| section | cases | ${ways.join(' | ')} |`,
    `|---|---|${ways.map(() => '---|').join('')}`,
    ...sections.map(({ title, cases }) => row(title, cases)),
    row('**all**', all),
    '',
    ...(failed.length > 0 ? ['Not passed:', '', ...failed] : ['Nothing failed.']),
    '',
  ].join('\n');
}
