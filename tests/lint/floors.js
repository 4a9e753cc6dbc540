/* The floors of the house, and the circles that are forbidden in it. A module is one source with its
 * header. A floor may use itself and the floors below it; inside a floor, neither the modules nor the
 * folders form a circle. layers.js checks this for includes, calls.js for calls. */

/* From the ground up. proto and net do not know each other; hub is pure: no socket, no Redis. */
export const MAY_USE = {
  base: ['base'],
  proto: ['base', 'proto'],
  net: ['base', 'net'],
  redis: ['base', 'proto', 'net', 'redis'],
  hub: ['base', 'proto', 'hub'],
  settings: ['base', 'proto', 'net', 'redis', 'settings'],
  auth: ['base', 'proto', 'net', 'redis', 'settings', 'auth'],
  feed: ['base', 'proto', 'net', 'redis', 'hub', 'settings', 'feed'],
  conn: ['base', 'proto', 'net', 'redis', 'hub', 'settings', 'auth', 'feed', 'conn'],
  process: ['base', 'proto', 'net', 'redis', 'hub', 'settings', 'auth', 'feed', 'conn', 'process'],
  dev: ['base', 'proto', 'net', 'redis', 'hub', 'settings', 'auth', 'feed', 'conn', 'process', 'dev'],
  main: ['base', 'settings', 'process', 'dev'],
};

/* "proto/ws/ws_frame" for src/proto/ws/ws_frame.c and for include/sluice/proto/ws/ws_frame.h. Each
 * source is a module of its own, even when it shares an internal header with others. */
export function moduleOf(path) {
  if (path === 'src/main.c') return 'main/main';
  return path.replace(/^(include\/sluice|src)\//, '').replace(/(_internal)?\.[ch]$/, '');
}

export function floorOf(module) {
  return module.slice(0, module.indexOf('/'));
}

/* A use is { from, to, by }: two modules, and what the first one names of the second. */

/* The uses of another floor that the floor may not use, and the circles in each floor. */
export function problemsOfUses(uses) {
  return [...usesOfOtherFloors(uses), ...Object.keys(MAY_USE).flatMap(floor => circlesIn(floor, uses))];
}

function usesOfOtherFloors(uses) {
  return uses.filter(({ from, to }) => !MAY_USE[floorOf(from)].includes(floorOf(to)))
    .map(({ from, to, by }) => `${from} may not use ${to} (${by})`);
}

/* The shortest circle among the modules of a floor. If there is none: for each folder, the shortest
 * one among what lies in it, where a folder in it counts as one. */
function circlesIn(floor, uses) {
  const inside = uses.filter(({ from, to }) => floorOf(from) === floor && floorOf(to) === floor);
  const circle = shortestCircle(inside);
  if (circle) return [`a circle among modules of ${floor}:\n${circle}`];
  return foldersOf(inside).flatMap(folder => {
    const between = shortestCircle(contentsOf(folder, inside));
    return between ? [`a circle among what lies in ${folder}:\n${between}`] : [];
  });
}

/* All folders that hold these modules: "proto/", "proto/http/". */
function foldersOf(uses) {
  const folders = module => [...module.matchAll(/\//g)].map(({ index }) => module.slice(0, index + 1));
  return [...new Set(uses.flatMap(({ from, to }) => [...folders(from), ...folders(to)]))].sort();
}

/* The uses inside a folder, with the names that lie directly in it: in "proto/", the module
 * "proto/http/cookie" goes by "proto/http/". */
function contentsOf(folder, uses) {
  const nameOf = module => {
    const end = module.indexOf('/', folder.length);
    return end < 0 ? module : module.slice(0, end + 1);
  };
  return uses.filter(({ from, to }) => from.startsWith(folder) && to.startsWith(folder))
    .map(({ from, to, by }) => ({ from: nameOf(from), to: nameOf(to), by: `${from} -> ${to}: ${by}` }));
}

/* A line for each use of the circle, with what is named; or null. */
function shortestCircle(uses) {
  const graph = new Map();
  for (const { from, to, by } of uses) {
    if (from === to) continue;
    if (!graph.has(from)) graph.set(from, new Map());
    graph.get(from).set(to, [...graph.get(from).get(to) ?? [], by]);
  }
  const ways = [...graph.keys()].map(name => wayBack(graph, name)).filter(Boolean);
  if (ways.length === 0) return null;
  const names = ways.reduce((best, way) => (way.length < best.length ? way : best));
  return names.slice(1).map((to, i) =>
    `  ${names[i]} -> ${to} (${[...new Set(graph.get(names[i]).get(to))].sort().join(', ')})`).join('\n');
}

/* The shortest way from a name back to itself, as a list of names; or null. */
function wayBack(graph, start) {
  const ways = [[start]];
  const seen = new Set();
  for (const way of ways)
    for (const next of graph.get(way.at(-1))?.keys() ?? []) {
      if (next === start) return [...way, start];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  return null;
}
