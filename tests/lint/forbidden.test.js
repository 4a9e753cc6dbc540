/* What C offers and this code does without. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findInCode, readSources } from './sources.js';

const FORBIDDEN = {
  'assert() is compiled out or aborts on what a peer sent; MUST() is for our own invariants':
    /(?<![\w.])assert\s*\(/g,
  'no bound: use snprintf': /\bv?sprintf\s*\(/g,
  'no bound: use a slice or a buffer': /\b(strcpy|strcat|stpcpy|gets)\s*\(/g,
  'does not end its text, or pads it': /\b(strncpy|strncat)\s*\(/g,
  'keeps state between calls': /\b(strtok|localtime|gmtime|asctime|ctime|inet_ntoa)\s*\(/g,
  'takes the stack\'s size from data': /\balloca\s*\(/g,
  'says nothing about what it could not read': /\b(atoi|atol|atoll|atof)\s*\(/g,
};

const files = await readSources('include', 'src');

function findings(text, pattern) {
  return findInCode('x.c', text, pattern);
}

describe('not in the sources', () => {
  for (const [why, pattern] of Object.entries(FORBIDDEN))
    test(`${pattern.source}: ${why}`, () => {
      assert.deepEqual([...files].flatMap(([path, text]) => findInCode(path, text, pattern)), []);
    });

  test('TODO in a comment', () => {
    const found = [...files].filter(([, text]) => /\b(TODO|FIXME|XXX)\b/.test(text));
    assert.deepEqual(found.map(([path]) => path), []);
  });
});

describe('the check itself', () => {
  const [assertion, sprintf, copy] = Object.values(FORBIDDEN);

  test('finds what is forbidden, with its line', () => {
    assert.deepEqual(findings('int x;\n\tassert(x);', assertion), ['x.c:2: assert(']);
    assert.equal(findings('sprintf(a, b); vsprintf (a, b, c);', sprintf).length, 2);
    assert.equal(findings('strcpy(a, b); strcat(a, b);', copy).length, 2);
  });

  test('lets other names, comments and texts be', () => {
    assert.deepEqual(findings('static_assert(1, ""); _Static_assert(1, ""); my_assert(x);', assertion), []);
    assert.deepEqual(findings('snprintf(a, 1, "sprintf("); /* sprintf( */ // sprintf(', sprintf), []);
  });
});
