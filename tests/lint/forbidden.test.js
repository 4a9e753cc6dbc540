/* Functions of C that this code does not use. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findInCode, readSources } from './sources.js';

const FORBIDDEN = {
  'assert() is compiled out, or aborts on what a client sent: use MUST() for invariants':
    /(?<![\w.])assert\s*\(/g,
  'no bound: use snprintf': /\bv?sprintf\s*\(/g,
  'no bound: use a slice or a buffer': /\b(strcpy|strcat|stpcpy|gets)\s*\(/g,
  'does not terminate its string, or pads it': /\b(strncpy|strncat)\s*\(/g,
  'keeps state between calls': /\b(strtok|localtime|gmtime|asctime|ctime|inet_ntoa)\s*\(/g,
  'the size of the stack depends on data': /\balloca\s*\(/g,
  'reports no error': /\b(atoi|atol|atoll|atof)\s*\(/g,
};

/* These stop at the first difference, so their time reveals how much of a guess is right. */
const COMPARES = String.raw`\b(memcmp|bcmp|memmem|strn?(case)?cmp|slice_equal\w*|slice_starts_with)\s*\(`;
const ARGUMENTS = String.raw`(?:[^();]|\([^()]*\))*?`;
const COMPARES_A_SECRET = new RegExp(`${COMPARES}${ARGUMENTS}(secret|signature|digest|hmac)`, 'gi');
const COMPARES_NO_LITERAL = new RegExp(String.raw`${COMPARES}(?!${ARGUMENTS}\bSLICE\()`, 'g');

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

describe('a secret is compared in constant time', () => {
  test('no secret goes to a function that stops early', () => {
    assert.deepEqual([...files].flatMap(([path, text]) => findInCode(path, text, COMPARES_A_SECRET)), []);
  });

  test('where signatures are made, such functions compare only with literals', () => {
    const makers = [...files].filter(([, text]) => /\bmbedtls_md_hmac\s*\(/.test(text));
    assert.notEqual(makers.length, 0);
    const found = makers.flatMap(([path, text]) => findInCode(path, text, COMPARES_NO_LITERAL));
    assert.deepEqual(found, []);
  });
});

describe('the check itself', () => {
  const [assertion, sprintf, copy] = Object.values(FORBIDDEN);

  test('finds a forbidden call, with its line', () => {
    assert.deepEqual(findings('int x;\n\tassert(x);', assertion), ['x.c:2: assert(']);
    assert.equal(findings('sprintf(a, b); vsprintf (a, b, c);', sprintf).length, 2);
    assert.equal(findings('strcpy(a, b); strcat(a, b);', copy).length, 2);
  });

  test('finds a comparison of a secret', () => {
    assert.equal(findings('return memcmp(a, expected_signature,\n n) == 0;', COMPARES_A_SECRET).length, 1);
    assert.equal(findings('if (slice_equal(secrets[i], given))', COMPARES_A_SECRET).length, 1);
    assert.equal(findings('strcmp(a, b); memcpy(a, secret, 1);', COMPARES_A_SECRET).length, 0);
    assert.equal(findings('if (strcmp(a, b)) read_secret();', COMPARES_A_SECRET).length, 0);
    assert.equal(findings('memcmp(presented, expected, n)', COMPARES_NO_LITERAL).length, 1);
    assert.equal(findings('slice_equal(a, SLICE("sid"))', COMPARES_NO_LITERAL).length, 0);
  });

  test('ignores other names, comments and strings', () => {
    assert.deepEqual(findings('static_assert(1, ""); _Static_assert(1, ""); my_assert(x);', assertion), []);
    assert.deepEqual(findings('snprintf(a, 1, "sprintf("); /* sprintf( */ // sprintf(', sprintf), []);
  });
});
