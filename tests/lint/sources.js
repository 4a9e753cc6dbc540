/* The C sources of the tree, as the lint tests read them. */
import { readFile, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

async function walk(folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = await Promise.all(entries.map(entry => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return walk(path);
    return /\.[ch]$/.test(entry.name) ? [path] : [];
  }));
  return lists.flat();
}

/* The paths of all sources and headers, relative to the root and sorted: "src/base/log.c". */
export async function sourceFiles(...folders) {
  const lists = await Promise.all(folders.map(folder => walk(join(ROOT, folder))));
  return lists.flat().map(path => relative(ROOT, path)).sort();
}

/* A map of path to text. */
export async function readSources(...folders) {
  const paths = await sourceFiles(...folders);
  const texts = await Promise.all(paths.map(path => readFile(join(ROOT, path), 'utf8')));
  return new Map(paths.map((path, i) => [path, texts[i]]));
}

/* The text with comments and literals replaced by spaces; lines keep their numbers. */
export function codeOf(text) {
  const blank = part => part.replace(/[^\n]/g, ' ');
  return text.replace(/\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, blank);
}

/* All matches of a pattern outside comments and literals, as "path:line: what". */
export function findInCode(path, text, pattern, what) {
  const code = codeOf(text);
  return [...code.matchAll(pattern)].map(match => {
    const line = code.slice(0, match.index).split('\n').length;
    return `${path}:${line}: ${what ?? match[0]}`;
  });
}
