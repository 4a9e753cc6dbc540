/* The form of a case: a row of a table,
 *
 *   [name, send, back, code, reason, more]
 *
 * `send`: the client's bytes, and steps between them (see below); `back`: the frames that come back for
 * them, before a close frame with `code` and `reason`. A code of null: a close frame without a code;
 * undefined: the client closes with 1000, and that comes back. Large values are functions, so that they
 * exist only while their case runs.
 *
 * `more`, all optional:
 *   like        the group of Autobahn with this subject; a case without it is beyond that suite
 *   request     arguments of handshake() of raw_client.js, or the bytes of the head
 *   status      of the answer, if not 101; null: there is no answer
 *   answer      headers of the answer
 *   early       the frames follow the request at once, not after the answer
 *   apart       each element of `send` is a write of its own
 *   chops       writes of this many bytes
 *   target      another path than TARGET
 *   closes      false: TCP is ended without a close frame
 *   deflate     the negotiated parameters: see deflate.js */
import { closePayload } from '../support/raw_client.js';
import { close, closing } from './bytes.js';

/* Steps: wait for `count` frames before sending the rest; end the client's side of TCP. */
export const come = count => ({ come: count });
export const END = { end: true };

/* Rows on the subject of a group of Autobahn. */
export const like = (group, ...rows) => rows.map(([name, send, back, code, reason, more]) =>
  [name, send, back, code, reason, { ...more, like: group }]);

const made = thing => typeof thing === 'function' ? thing() : thing;

/* A longer answer is read before the client closes, as the gateway holds unread bytes for only two seconds
 * after that. */
const LARGE = 262144;
const bytesOf = frames => frames.reduce((sum, [, payload]) => sum + payload.length, 0);

/* The row, ready to run. */
export function caseOf([, send, back, code, reason = '', { status = 101, closes = true, ...more } = {}]) {
  const steps = [...made(send)];
  const frames = [...made(back)];
  if (status === 101 && closes) {
    if (code === undefined && bytesOf(frames) > LARGE) steps.push(come(frames.length));
    if (code === undefined) steps.push(closing(1000));
    frames.push([close, code === null ? Buffer.alloc(0) : closePayload(code ?? 1000, reason)]);
  }
  return { steps, back: frames, status, ...more };
}

/* Makes a thing once for `takers` takers, one after another or at once, and then forgets it. */
function shared(make, takers) {
  let thing;
  let left = 0;
  return () => {
    if (left === 0) [thing, left] = [make(), takers];
    const taken = thing;
    if (--left === 0) thing = null;
    return taken;
  };
}

/* "5.1 Masking" -> its cases, numbered: 5.1.1, 5.1.2, … (7692/5.1 is another RFC's §5.1). Sections that
 * share a number continue the count. Each case is made for `ways` ways to run it. */
export function numbered(tables, ways) {
  const counts = new Map();
  const sections = tables.flatMap(table => Object.entries(table)).map(([title, rows]) => {
    const number = title.split(' ')[0];
    const cases = rows.map(row => {
      counts.set(number, (counts.get(number) ?? 0) + 1);
      return { id: `${number}.${counts.get(number)}`, name: row[0], like: row[5]?.like, make: shared(() => caseOf(row), ways) };
    });
    return { title, cases };
  });
  return sections.sort(bySection);
}

const parts = title => title.split(' ')[0].split(/[./]/).map(Number);
function bySection(one, other) {
  const [a, b] = [parts(one.title), parts(other.title)];
  for (let i = 0; i < Math.max(a.length, b.length); i++)
    if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) - (b[i] ?? 0);
  return 0;
}
