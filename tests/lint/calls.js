/* Which module uses which, read from the object files of a build: a module uses another if its
 * object needs a symbol, a function or data, that the other's object defines. A call through a table
 * of functions does not count; the table itself does. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { moduleOf, problemsOfUses } from './floors.js';
import { ROOT } from './sources.js';

/* Global code, data, read-only data, zeroed data, common and weak symbols; and undefined symbols.
 * Small letters are local symbols, which no other object can use. */
const DEFINED = /^[TDRBCVWGSui]$/;
const NEEDED = /^[Uwv]$/;

/* Path of each object to the path of its source, for all that is compiled from `src`, the files that
 * the build generates there included. Their paths are as if they stood in the tree. */
export function objectsOf(build) {
  const commands = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'));
  const objects = new Map();
  for (const { directory, file, output } of commands) {
    const path = resolve(directory, file);
    const roots = [directory, ROOT].filter(root => path.startsWith(join(root, 'src/')));
    if (roots.length > 0) objects.set(resolve(directory, output), relative(roots[0], path));
  }
  return objects;
}

/* What nm says of objects: a line "path: symbol kind ..." for each symbol. */
export function symbolsOf(objects) {
  const { stdout, stderr, status } = spawnSync('nm', ['-A', '-P', ...objects.keys()], {
    encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`nm: ${stderr}`);
  return stdout;
}

/* The uses (floors.js) that nm's output shows; `objects` maps an object's path to its source's. */
export function usesOf(symbols, objects) {
  const rows = symbols.split('\n').map(line => /^(.+): (\S+) (\w)\b/.exec(line)).filter(Boolean)
    .map(([, object, symbol, kind]) => ({ module: moduleOf(objects.get(object)), symbol, kind }));
  const definedBy = new Map(rows.filter(({ kind }) => DEFINED.test(kind))
    .map(({ symbol, module }) => [symbol, module]));
  return rows.filter(({ symbol, kind }) => NEEDED.test(kind) && definedBy.has(symbol))
    .map(({ symbol, module }) => ({ from: module, to: definedBy.get(symbol), by: symbol }))
    .filter(({ from, to }) => from !== to);
}

/* What is wrong with the calls, one string for each problem. */
export function callProblems(symbols, objects) {
  return problemsOfUses(usesOf(symbols, objects));
}
