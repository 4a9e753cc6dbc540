/* Sessions as Spring Session leaves them in Redis with Java's own serialization, and its cookies.
 * A JDK is no small thing to install for a test, so they are written here; the bytes were seen of
 * Spring Session 3.3 and Spring Security 6.3. */
import { readFileSync } from 'node:fs';

const NAME = 'SPRING_SECURITY_CONTEXT';
const PREFIX = 'spring:session:sessions:';

/* A SecurityContextImpl with the user "ada". */
const CONTEXT = Buffer.from(
  readFileSync(new URL('spring_security_context.base64', import.meta.url), 'latin1'), 'base64');

const NUMBER = 'java.lang.Number\x86\xac\x95\x1d\x0b\x94\xe0\x8b\x02\x00\x00xp';
const LONG = `sr\x00\x0ejava.lang.Long;\x8b\xe4\x90\xcc\x8f#\xdf\x02\x00\x01J\x00\x05valuexr\x00\x10${NUMBER}`;
const INTEGER = `sr\x00\x11java.lang.Integer\x12\xe2\xa0\xa4\xf7\x81\x878\x02\x00\x01I\x00\x05valuexr\x00\x10${NUMBER}`;

function serialized(...parts) {
  return Buffer.concat([Buffer.from([0xac, 0xed, 0, 5]), ...parts.map(part => Buffer.from(part, 'latin1'))]);
}

function long(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return serialized(LONG, bytes);
}

function integer(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return serialized(INTEGER, bytes);
}

/* As Java writes a String of at most 65535 bytes. */
function text(value) {
  const bytes = Buffer.from(value);
  return serialized('t', Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes);
}

/* The base64 of the id, and of what stands behind it where a load balancer wants that. */
export function springCookie(id, route = '') {
  return `SESSION=${Buffer.from(id + route).toString('base64')}`;
}

/* The fields of a session, of somebody who has logged in; `userId` is the application's own. */
export function springSession({ userId, seconds = 1800, context = CONTEXT } = {}) {
  const fields = {
    creationTime: long(1795403437952),
    lastAccessedTime: long(1795403437952),
    maxInactiveInterval: integer(seconds),
    'sessionAttr:cart': text('a book'),
  };
  if (context) fields[`sessionAttr:${NAME}`] = context;
  if (userId) fields['sessionAttr:userId'] = text(userId);
  return fields;
}

/* What the repository has in Redis of a session: the one with indexes has a second key. */
export function springRecords(id, fields, { indexed = true } = {}) {
  const records = { [PREFIX + id]: fields };
  if (indexed) records[`${PREFIX}expires:${id}`] = '';
  return records;
}

/* An attribute that is taken away stays, with nothing in it. */
export function withoutUser(fields) {
  return { ...fields, [`sessionAttr:${NAME}`]: '' };
}
