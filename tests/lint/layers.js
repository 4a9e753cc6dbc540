/* The floors and who may include whom. A module is a header with its source; a floor may include
 * itself and what is below, and inside a floor the includes form no circle. */
/* From the ground up. proto and net are blind to each other; the hub is pure: no socket, no Redis. */
const MAY_INCLUDE = {
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

/* Which modules may know a library. */
const LIBRARIES = [
  { header: /^llhttp\.h$/, modules: /^proto\/http\/http_request$/ },
  { header: /^(cjson\/|cJSON)/, modules: /^(proto\/(record\/session_value|envelope)|settings\/\w+)$/ },
  { header: /^(mbedtls|psa)\//, modules: /^(net\/tls|proto\/(ws\/ws_handshake|text\/digest|record\/laravel_cookie))$/ },
  { header: /^zlib\.h$/, modules: /^proto\/ws\/ws_(de|in)flate$/ },
  { header: /^hiredis\//, modules: /^(redis|auth|feed|dev)\/\w+$/ },
  { header: /^sanitizer\/asan_interface\.h$/, modules: /^base\/pool$/ },
  { header: /^uv\.h$/, modules: /^(net|redis|auth|feed|conn|process|dev|main)\/[\w/]+$/ },
];
const OF_THE_SYSTEM = /^[a-z]+[0-9]*\.h$|^(sys|netinet|arpa|net|linux)\/[\w-]+\.h$/;

/* "src/net/tls.c" and "include/sluice/net/tls.h" are both { floor: 'net', name: 'net/tls' }; so is
 * "src/net/tls_internal.h", which is what the several sources of one module share. A floor may have
 * folders: "src/proto/ws/ws_frame.c" is { floor: 'proto', name: 'proto/ws/ws_frame' }. */
function moduleOf(path) {
  if (path === 'src/main.c') return { floor: 'main', name: 'main/main' };
  const name = path.replace(/^(include\/sluice|src)\//, '').replace(/(_internal)?\.[ch]$/, '');
  return { floor: name.slice(0, name.indexOf('/')), name };
}

/* The path that an include in quotes means. */
function resolve(from, included) {
  if (included.startsWith('sluice/')) return `include/${included}`;
  return `${from.slice(0, from.lastIndexOf('/'))}/${included}`;
}

function includesOf(text) {
  return [...text.matchAll(/^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]/gm)].map(
    ([, quote, name]) => ({ own: quote === '"', name }));
}

function problemOfLibrary(module, header) {
  const library = LIBRARIES.find(one => one.header.test(header));
  if (library) return library.modules.test(module.name) ? null : `may not know <${header}>`;
  return OF_THE_SYSTEM.test(header) ? null : `<${header}> is no header that we know`;
}

/* The first circle in a graph of name to set of names, as a list of names; or null. */
function findCircle(graph) {
  const done = new Set();
  const visit = (name, trail) => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (done.has(name)) return null;
    for (const next of graph.get(name) ?? []) {
      const circle = visit(next, [...trail, name]);
      if (circle) return circle;
    }
    done.add(name);
    return null;
  };
  for (const name of graph.keys()) {
    const circle = visit(name, []);
    if (circle) return circle;
  }
  return null;
}

/* What is wrong with the includes of these files (path to text), one line each. */
export function layerProblems(files) {
  const problems = [];
  const graph = new Map();
  for (const [path, text] of files) {
    const module = moduleOf(path);
    if (!MAY_INCLUDE[module.floor]) {
      problems.push(`${path}: "${module.floor}" is no floor`);
      continue;
    }
    if (!graph.has(module.name)) graph.set(module.name, new Set());
    for (const { own, name } of includesOf(text)) {
      const included = own ? resolve(path, name) : null;
      if (!own) {
        const problem = problemOfLibrary(module, name);
        if (problem) problems.push(`${path}: ${problem}`);
      } else if (!files.has(included)) {
        problems.push(`${path}: there is no ${included}`);
      } else {
        const target = moduleOf(included);
        if (!MAY_INCLUDE[module.floor].includes(target.floor))
          problems.push(`${path}: ${module.floor} may not include ${target.floor} (${name})`);
        if (target.name !== module.name) graph.get(module.name).add(target.name);
      }
    }
  }
  const circle = findCircle(graph);
  if (circle) problems.push(`a circle: ${circle.join(' -> ')}`);
  return problems;
}
