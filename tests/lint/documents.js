/* What can be wrong with a document without anybody noticing: a link that leads nowhere, a name that has
 * changed in the source, a table that is out of date. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT } from './sources.js';

/* ---- Markdown ---- */

/* The text without what stands in code blocks; lines stay where they are. */
export function proseOf(text) {
  let fence = null;
  return text.split('\n').map(line => {
    const [, mark] = /^\s*(```+|~~~+)/.exec(line) ?? [];
    if (fence) {
      if (mark?.startsWith(fence)) fence = null;
      return '';
    }
    if (mark) fence = mark;
    return mark || /^( {4}|\t)/.test(line) ? '' : line;
  }).join('\n');
}

/* As GitHub makes it from a heading. */
export function anchorOf(heading) {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').trim().toLowerCase();
  return text.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
}

export function anchorsOf(text) {
  const seen = new Map();
  const headings = [...proseOf(text).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)];
  return new Set(headings.map(([, heading]) => {
    const anchor = anchorOf(heading);
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times ? `${anchor}-${times}` : anchor;
  }));
}

function linksOf(text) {
  const prose = proseOf(text).replace(/`[^`\n]*`/g, code => code.replace(/[[\]()]/g, ' '));
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
}

/* `documents`: path to text; `exists`: is there a file or folder of this path? */
export function linkProblems(documents, exists) {
  const problems = [];
  for (const [path, text] of documents)
    for (const target of linksOf(text)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file, anchor] = target.split('#');
      const to = file ? normalize(join(dirname(path), file)) : path;
      if (!exists(to)) problems.push(`${path}: ${target}: there is no ${to}`);
      else if (anchor !== undefined && !(documents.has(to) && anchorsOf(documents.get(to)).has(anchor)))
        problems.push(`${path}: ${target}: ${to} has no heading #${anchor}`);
    }
  return problems;
}

/* What stands in backquotes in the prose. */
function codeSpansOf(text) {
  return [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code);
}

const PLACEHOLDER = /\b(FLOOR|MODULE|NAME)\b/;

/* Paths of files and folders that a document names. */
export function pathProblems(path, text, exists) {
  const named = codeSpansOf(text).filter(
    code => /^(src|include|tests|deploy|docs)\/[\w./-]+$/.test(code) && !PLACEHOLDER.test(code));
  return [...new Set(named)].filter(name => !exists(name)).map(name => `${path}: there is no ${name}`);
}

export function exists(path) {
  return existsSync(join(ROOT, path));
}

const OTHERS = /^(node_modules|subprojects|build.*)$/;

/* All documents of the tree, from its root: "docs/protocol.md". */
export function documentPaths(folder = '') {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true });
  if (entries.some(entry => entry.name === 'meson-info')) return [];
  return entries.flatMap(entry => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || OTHERS.test(entry.name)) return [];
    if (entry.isDirectory()) return documentPaths(path);
    return entry.name.endsWith('.md') ? [path] : [];
  }).sort();
}

/* ---- names ---- */

const METRIC = /\bsluice_[a-z_]+\b/g;

/* `sources`: path to text of C. A family that the document leaves out, and one that is only there. */
export function metricProblems(path, text, sources) {
  const named = new Set(text.match(METRIC));
  const real = new Set([...sources.values()].flatMap(source => source.match(METRIC) ?? []));
  return [...[...real].filter(name => !named.has(name)).map(name => `${path} does not name ${name}`),
    ...[...named].filter(name => !real.has(name)).map(name => `${path}: there is no metric ${name}`)];
}

/* The keys in the table that `sluice --print-settings` prints. */
export function keysOf(table) {
  return [...table.matchAll(/^\|\s*`([a-z_]+(?:\.[a-z_]+)?)`/gm)].map(([, key]) => key);
}

function variablesOf(keys) {
  const names = keys.flatMap(key => [key, key.split('.')[0]]);
  return new Set(names.map(name => `SLUICE_${name.replace('.', '_').toUpperCase()}`));
}

/* Variables of the tests, which are none of the program's; and names that a document makes up. */
const OTHER_VARIABLE = /^SLUICE_BINARY$/;
const MADE_UP = /example/i;

/* Settings that a document names as `group.key` or as a variable, and that are not there. */
export function settingProblems(path, text, keys) {
  const groups = new Set(keys.filter(key => key.includes('.')).map(key => key.split('.')[0]));
  const variables = variablesOf(keys);
  const problems = [];
  for (const [variable] of text.matchAll(/\bSLUICE_[A-Z_]*[A-Z]\b/g))
    if (!variables.has(variable) && !OTHER_VARIABLE.test(variable) && !MADE_UP.test(variable))
      problems.push(`${path}: there is no variable ${variable}`);
  for (const code of codeSpansOf(text)) {
    const [, key] = /^([a-z]+\.[a-z_]+)$/.exec(code) ?? [];
    if (key && groups.has(key.split('.')[0]) && !keys.includes(key) && !MADE_UP.test(key))
      problems.push(`${path}: there is no setting ${key}`);
  }
  return problems;
}

/* Flags behind the program's name, and those that --help does not have. */
export function flagProblems(path, text, help) {
  const known = new Set(help.match(/--[a-z][a-z-]*/g));
  const lines = [...text.matchAll(/\bsluice((?: +--[a-z][a-z-]*(?:[ =](?!--)[^\s`|]+)?)+)/g)];
  const named = lines.flatMap(([, flags]) => flags.match(/--[a-z][a-z-]*/g));
  return [...new Set(named)].filter(flag => !known.has(flag)).map(flag => `${path}: there is no flag ${flag}`);
}

/* ---- configurations ---- */

/* The configurations that a document shows, each as a file of its own: a list of rules and a few keys are
 * completed. Secrets in files become secrets, as the files are not there. */
export function configurationsOf(text) {
  const blocks = [...text.matchAll(/^```jsonc?\n([^]*?)^```$/gm)].map(([, block]) => block.trim());
  return blocks.map(block => {
    let whole = block.replace(/"file:\/[^"]*"/g, '"a secret"');
    if (/^\{\s*"match"/.test(whole)) whole = `"channels": [ ${whole} ]`;
    if (!whole.startsWith('{')) whole = `{ ${whole} }`;
    return whole;
  });
}

/* ---- the table of settings ---- */

export const TABLE_BEGIN = '<!-- settings: begin -->';
export const TABLE_END = '<!-- settings: end -->';

/* The text with `table` between the two marks; null: they are not there. */
export function withTable(text, table) {
  const begin = text.indexOf(TABLE_BEGIN), end = text.indexOf(TABLE_END);
  if (begin < 0 || end < begin) return null;
  return `${text.slice(0, begin + TABLE_BEGIN.length)}\n${table.trim()}\n${text.slice(end)}`;
}
