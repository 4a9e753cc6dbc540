/* The runner behind tests/bench/run: measures, prints, and writes the results. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GROWTH, MEASURES, QUICK, median } from './measures.js';
import { growthPicture } from './picture.js';
import { goalsTable, markdown, plain, tableOf } from './results.js';
import { Stand, describeMachine } from './stand.js';
import { SUBJECTS } from './subjects.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    build: { type: 'string' },
    sluice: { type: 'string' },
    output: { type: 'string' },
  },
});

const everything = Object.keys(MEASURES).filter(name => !MEASURES[name].onlyWhenAsked);
const wanted = positionals.length > 0 ? positionals : options.quick ? QUICK : everything;
const unknown = wanted.find(name => !MEASURES[name]);
if (unknown) {
  console.error(`bench: "${unknown}" is none of: ${Object.keys(MEASURES).join(' ')}`);
  process.exit(2);
}
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
const output = options.output ??
  (options.quick || positionals.length > 0 ? null : fileURLToPath(new URL('.', import.meta.url)));

/* Other processes may use this many percent of a CPU before it is mentioned. */
const NOISE = 20;

async function runOnce(stand, one) {
  const subject = SUBJECTS[one.subject];
  const settings = { ...one.settings, ...(await one.prepare?.(stand)) };
  const server = await subject.start(stand, settings);
  try {
    return await one.run(stand, server);
  } finally {
    await server.end();
  }
}

function say(measure, one, round, numbers) {
  const [header, key, digits] = measure.columns[0];
  const label = plain(one.label ?? SUBJECTS[one.subject].name);
  const trouble = numbers.trouble ? `  NOT VALID: ${numbers.trouble}` : '';
  const noise = numbers.others > NOISE ? `  (other processes used ${Math.round(numbers.others)} % of a CPU)` : '';
  console.log(`  round ${round + 1} of ${rounds}  ${label}: ${numbers[key].toFixed(digits)} ${header}${trouble}${noise}`);
}

/* { key: { numbers, trouble } } from { key: [numbers of each round] } */
function mediansOf(samples) {
  return Object.fromEntries(Object.entries(samples).map(([key, all]) => {
    const names = Object.keys(all[0]).filter(name => name !== 'trouble');
    const numbers = Object.fromEntries(names.map(name => [name, median(all.map(one => one[name]))]));
    return [key, { numbers, trouble: all.map(one => one.trouble).find(Boolean) }];
  }));
}

/* The median of the ratios of two cases' numbers, round by round. */
function ratioOf(samples) {
  return (over, under, name) => (samples[over] && samples[under]
    ? median(samples[over].map((one, round) => one[name] / samples[under][round][name]))
    : NaN);
}

async function runMeasure(stand, name, skipped) {
  const measure = MEASURES[name];
  console.log(`\n${name}: ${measure.title}`);
  if (measure.needs && !(await measure.needs(stand))) {
    const why = measure.lacking ?? 'this version of Sluice does not have it';
    console.log(`  not measured: ${why}`);
    skipped.add(`${name}: ${why}`);
    return null;
  }
  const cases = measure.cases(options.quick).filter(one => {
    const why = SUBJECTS[one.subject].missing();
    if (why) skipped.add(`${plain(SUBJECTS[one.subject].name)}: ${why}`);
    return !why;
  });
  const samples = {};
  for (let round = 0; round < rounds; round++)
    for (const one of cases) {
      const numbers = await runOnce(stand, one);
      (samples[one.key] ??= []).push(numbers);
      others.push(numbers.others);
      say(measure, one, round, numbers);
    }
  if (cases.length === 0) return null;
  const [medians, ratio] = [mediansOf(samples), ratioOf(samples)];
  const value = (key, number) => medians[key]?.numbers[number] ?? NaN;
  return { name, measure, cases, medians, ratio, goals: measure.goals(ratio, value) };
}

function growthPanels({ medians }) {
  const axes = ['connections', 'bytes of payload'];
  return GROWTH.map(({ title, prefix, points }, i) => ({
    title: `by ${title}`, axis: axes[i],
    points: points.map(([label, x]) => ({
      x, label, sluice: medians[`${prefix} ${x} sluice`].numbers.cpu,
      floor: medians[`${prefix} ${x} floor`].numbers.cpu })) }));
}

async function write(done, skipped, stand, seconds) {
  const machine = await describeMachine(stand);
  const text = markdown({ machine, done, skipped: [...skipped], rounds, pinned: stand.canPin, seconds, others: median(others) });
  await writeFile(join(output, 'RESULTS.md'), text);
  const growth = done.find(one => one.name === 'growth');
  if (growth) await writeFile(join(output, 'growth.svg'), growthPicture(growthPanels(growth)));
  console.log(`\nwritten: ${join(output, 'RESULTS.md')}`);
}

const stand = new Stand();
const others = [];
const skipped = new Set();
const done = [];
const began = performance.now();
try {
  await stand.start(options);
  for (const name of wanted) {
    const result = await runMeasure(stand, name, skipped);
    if (!result) continue;
    done.push(result);
    console.log(`\n${plain(tableOf(result))}`);
    if (result.goals.length > 0) console.log(`\n${plain(goalsTable(result.goals))}`);
  }
  if (skipped.size > 0) console.log(`\nnot measured: ${[...skipped].join('; ')}`);
  if (output) await write(done, skipped, stand, (performance.now() - began) / 1000);
} finally {
  await stand.end();
}
