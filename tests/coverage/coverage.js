/* The line coverage of the codecs by their tests: node coverage.js BUILD
 *
 * BUILD is compiled with -Db_coverage=true, and its tests have been run. gcov, which comes with gcc,
 * gives for each object how often each line ran; a line is covered if it ran in any of them, and an
 * object that no test has linked counts as not run. The exit status is 1 below LINES_MIN per cent. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/* The codecs: all of proto, and two of redis, which are a library of their own. */
const FOLDERS = ['src/proto', 'src/redis/libredis_codecs.a.p'];
const IS_CODEC = /^src\/(proto\/|redis\/(resp|redis_url)\.c$)/;
const LINES_MIN = 95;

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/* The compiler's notes on every object, even if it has no counts. */
function notes(build) {
  return FOLDERS.flatMap(folder => readdirSync(join(build, folder), { recursive: true })
    .filter(name => name.endsWith('.gcno'))
    .map(name => join(build, folder, name)));
}

function gcov(note) {
  const text = execFileSync('gcov', ['--json-format', '--stdout', note], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(text);
}

/* path => Map of line => count */
function readLines(build) {
  const files = new Map();
  for (const note of notes(build)) {
    const report = gcov(note);
    for (const { file, lines } of report.files) {
      const path = relative(root, resolve(report.current_working_directory, file));
      if (!IS_CODEC.test(path)) continue;
      const counts = files.get(path) ?? new Map();
      for (const { line_number: line, count } of lines)
        counts.set(line, (counts.get(line) ?? 0) + count);
      files.set(path, counts);
    }
  }
  return new Map([...files].sort());
}

/* [3, 4, 5, 9] => "3-5, 9" */
function ranges(numbers) {
  const found = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    if (found.at(-1)?.[1] === number - 1) found.at(-1)[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ');
}

function row(path, n, covered, missed) {
  const percent = ((100 * covered) / n).toFixed(1);
  show(path, n, covered, percent, missed.length ? `not run: ${ranges(missed)}` : '');
}

function show(path, n, covered, percent, remark) {
  const columns = [path.padEnd(30), `${n}`.padStart(6), `${covered}`.padStart(8), percent.padStart(6)];
  console.log(`${columns.join(' ')}   ${remark}`.trimEnd());
}

let n = 0;
let covered = 0;
show('file', 'lines', 'covered', '%', '');
for (const [path, counts] of readLines(resolve(process.argv[2]))) {
  const missed = [...counts.keys()].filter(line => counts.get(line) === 0);
  row(path, counts.size, counts.size - missed.length, missed);
  n += counts.size;
  covered += counts.size - missed.length;
}
row('all', n, covered, []);
const good = n > 0 && 100 * covered >= LINES_MIN * n;
if (!good) console.log(`fewer than ${LINES_MIN} % of the lines`);
process.exitCode = good ? 0 : 1;
