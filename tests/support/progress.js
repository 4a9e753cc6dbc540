/* A reporter for Node's test runner: a line for each file, and the whole of each failure. */
import { basename } from 'node:path';
import { inspect } from 'node:util';

/* Files whose hook has failed: that failure repeats for each test, and is shown once. */
const told = new Set();

function failure({ name, file, line, details }) {
  const { failureType } = details.error;
  if (failureType === 'subtestsFailed' || (failureType === 'hookFailed' && told.has(file))) return '';
  if (failureType === 'hookFailed') told.add(file);
  const error = details.error.cause ?? details.error;
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  return `  FAILED ${basename(file ?? '')}:${line ?? '?'} ${name}\n${text.replace(/^/gm, '    ')}\n`;
}

/* A test that a helper declares has the helper's file as its own. The file that counts is that of the
 * outermost test or suite. */
export default async function* progress(events) {
  let file = null;
  let passed = 0;
  let milliseconds = 0;
  let inside = { passed: 0, words: '' }; // of the outermost test or suite that is running
  const finished = () => `  ${basename(file)}: ${passed} passed (${Math.round(milliseconds)} ms)\n`;

  for await (const { type, data } of events) {
    if (type === 'test:diagnostic' && data.file) inside.words += `  ${data.message}\n`; // a measured value
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (type === 'test:pass') inside.passed += data.details.type === 'suite' ? 0 : 1;
    else inside.words += failure(data);
    if (data.nesting > 0) continue;
    if (data.file && data.file !== file) {
      if (file) yield finished();
      file = data.file;
      passed = 0;
      milliseconds = 0;
    }
    yield inside.words;
    passed += inside.passed;
    milliseconds += data.details.duration_ms;
    inside = { passed: 0, words: '' };
  }
  yield inside.words;
  if (file) yield finished();
}
