/* The includes of the sources: floors and circles (floors.js), and the libraries that a module may include. */
import { MAY_USE, floorOf, moduleOf, problemsOfUses } from './floors.js';

/* The modules that may include a library. */
const LIBRARIES = [
  { header: /^llhttp\.h$/, modules: /^proto\/http\/llhttp_versions$/ },
  { header: /^(cjson\/|cJSON)/, modules: /^(settings\/(json|print))$/ },
  { header: /^(mbedtls|psa)\//, modules: /^(base\/mbed|net\/tls\/\w+|proto\/(text\/digest|record\/laravel_cookie))$/ },
  { header: /^zlib\.h$/, modules: /^proto\/ws\/ws_(de|in)flate$/ },
  { header: /^hiredis\//, modules: /^redis\/reply$/ },
  { header: /^sanitizer\/asan_interface\.h$/, modules: /^base\/pool$/ },
  { header: /^uv\.h$/, modules: /^(net|redis|auth|feed|conn|process|dev|main)\/[\w/]+$/ },
];
const OF_THE_SYSTEM = /^[a-z]+[0-9]*\.h$|^(sys|netinet|arpa|net|linux)\/[\w-]+\.h$/;

/* The path of a file that is included in quotes. */
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
  if (library) return library.modules.test(module) ? null : `may not include <${header}>`;
  return OF_THE_SYSTEM.test(header) ? null : `<${header}> is of no library on the list`;
}

/* What is wrong with the includes of these files (path to text), one string for each problem. */
export function layerProblems(files) {
  const problems = [];
  const uses = [];
  for (const [path, text] of files) {
    const module = moduleOf(path);
    if (!MAY_USE[floorOf(module)]) {
      problems.push(`${path}: "${floorOf(module)}" is not a floor`);
      continue;
    }
    for (const { own, name } of includesOf(text)) {
      const problem = own ? null : problemOfLibrary(module, name);
      const included = resolve(path, name);
      if (problem) problems.push(`${path}: ${problem}`);
      else if (own && files.has(included)) uses.push({ from: module, to: moduleOf(included), by: name });
      else if (own) problems.push(`${path}: there is no ${included}`);
    }
  }
  return [...problems, ...problemsOfUses(uses)];
}
