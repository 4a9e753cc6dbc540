/* How a case is written: a row of a table,
 *
 *   [name, send, back, code, reason, more]
 *
 * `send`: the client's bytes, and steps between them (see below); `back`: the frames that come back for
 * them; then a close frame comes with `code` and `reason`. A code of null: with none in it; none at
 * all (undefined): the client closes with 1000, and that comes back. What is large is a function, so
 * that it is there only while its case runs.
 *
 * `more` says what is not as usual:
 *   like        the group of Autobahn's whose subject this is; a case without is beyond that suite
 *   request     what handshake() of raw_client.js takes, or the very bytes of the head
 *   status      that answers the request, if not 101; null: nothing does
 *   answer      headers of the answer
 *   early       the frames come right behind the request, not after the answer
 *   apart       each of `send` leaves by itself
 *   chops       writes of so many octets
 *   target      another path than TARGET
 *   closes      false: TCP is ended without a close frame
 *   deflate     what is negotiated: see deflate.js */
import { closePayload } from '../support/raw_client.js';
import { close, closing } from './octets.js';

/* Steps: the rest is sent when so many frames have come back; the client ends its side of TCP. */
export const come = count => ({ come: count });
export const END = { end: true };

/* Rows whose subject is a group of Autobahn's, too. */
export const like = (group, ...rows) => rows.map(([name, send, back, code, reason, more]) =>
  [name, send, back, code, reason, { ...more, like: group }]);

const made = thing => typeof thing === 'function' ? thing() : thing;

/* So much is read first, and the connection closed then: what the client has yet to read when it
 * closes, the gateway holds for two seconds. */
const LARGE = 262144;
const octetsOf = frames => frames.reduce((sum, [, payload]) => sum + payload.length, 0);

/* The row, ready to run. */
export function caseOf([, send, back, code, reason = '', { status = 101, closes = true, ...more } = {}]) {
  const steps = [...made(send)];
  const frames = [...made(back)];
  if (status === 101 && closes) {
    if (code === undefined && octetsOf(frames) > LARGE) steps.push(come(frames.length));
    if (code === undefined) steps.push(closing(1000));
    frames.push([close, code === null ? Buffer.alloc(0) : closePayload(code ?? 1000, reason)]);
  }
  return { steps, back: frames, status, ...more };
}

/* Makes it once for so many takers, one after another or all at once, and forgets it then. */
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
 * share a number go on counting. Each case is made for so many ways to run it. */
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
