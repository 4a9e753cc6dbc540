/* Where the sources are, and how many in one folder, so that a folder's list of files can be read. */
import { floorOf, moduleOf } from './floors.js';

const MOST_SOURCES = 16;
const LARGEST_SHARE = 0.3;

/* How much there is by key, of [key, amount]. */
function totals(amounts) {
  const sums = new Map();
  for (const [key, amount] of amounts) sums.set(key, (sums.get(key) ?? 0) + amount);
  return [...sums];
}

function crowdedFolders(paths) {
  const sources = paths.filter(path => path.endsWith('.c'));
  return totals(sources.map(path => [path.slice(0, path.lastIndexOf('/')), 1]))
    .filter(([, count]) => count > MOST_SOURCES)
    .map(([folder, count]) => `${folder} has ${count} sources, more than ${MOST_SOURCES}`);
}

function largeFloors(files) {
  const lines = [...files].map(([path, text]) => [floorOf(moduleOf(path)), text.split('\n').length - 1]);
  const all = lines.reduce((sum, [, count]) => sum + count, 0);
  return totals(lines).filter(([, count]) => count > all * LARGEST_SHARE)
    .map(([floor, count]) => `${floor} has ${count} of ${all} lines, more than ${100 * LARGEST_SHARE} %`);
}

/* A header stands where its source does: include/sluice/proto/ws/ws_frame.h. */
function misplacedHeaders(paths) {
  const sources = paths.filter(path => path.endsWith('.c'));
  const nameOf = path => path.split('/').pop().slice(0, -2);
  return paths.filter(path => path.startsWith('include/')).flatMap(header => {
    if (!/^include\/sluice\/\w+\//.test(header)) return [`${header} is on no floor`];
    const named = sources.filter(source => nameOf(source) === nameOf(header));
    if (named.length === 0 || named.some(source => moduleOf(source) === moduleOf(header))) return [];
    return [`${header} is the header of ${named.join(', ')}`];
  });
}

/* What is wrong with the places of these files (path to text), one string for each problem. */
export function layoutProblems(files) {
  const paths = [...files.keys()];
  return [...crowdedFolders(paths), ...largeFloors(files), ...misplacedHeaders(paths)];
}
