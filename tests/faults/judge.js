/* Says whether anything was lost silently. It reads the ledger of what was published, and what each connection has seen.
 *
 * Every publication that Redis accepted while a connection was open and had the channel must have arrived once and in
 * order; or the connection was closed; or a `gap` covers it, sent after the publication and soon after the fault was
 * over. Plain connections know no gap: they may miss only what falls into a time in which the gateway's metrics say that a
 * link was down, or what came at most FOUND_MS before that.
 *
 * A client that leaves a channel may miss what was still on its way, and a gap of which it was not told yet. So of its
 * stay only holes count, and only those at other times than that of the fault.
 *
 * A publication whose PUBLISH was not answered may arrive or not. */

export const FOUND_MS = 4000; // a link that is dead or deaf is found within that time
export const HEALED_MS = 6000; // from the end of the fault until all is as before

/* The times in which the metrics of a gateway say that a subscribed link was down, with the time before it was known.
 * `samples`: { at, up, reconnects } in their order: whether all subscribed links are up, and how often they were lost. */
export function outages(samples) {
  const times = [];
  for (let n = 1; n < samples.length; n++) {
    const [before, after] = [samples[n - 1], samples[n]];
    if (!before.up || !after.up || after.reconnects > before.reconnects)
      times.push({ from: before.at - FOUND_MS, to: after.at });
  }
  if (samples.at(-1)?.up === false) times.push({ from: samples.at(-1).at - FOUND_MS, to: Infinity });
  return times;
}

/* A connection's stay on a channel: from the time that it was told that it has the channel, to its end there. */
function* stays(events) {
  const open = new Map();
  for (const event of events) {
    if (event.kind === 'joined') {
      open.set(event.channel, { channel: event.channel, from: event.at, to: Infinity, seen: [] });
    } else if (event.kind === 'publication') {
      const stay = open.get(event.channel);
      if (stay) stay.seen.push(event);
      else yield { channel: event.channel, stray: event };
    } else if (event.kind === 'left' && open.has(event.channel)) {
      yield { ...open.get(event.channel), to: event.asked };
      open.delete(event.channel);
    }
  }
  for (const stay of open.values()) yield stay;
}

function orderFaults(stay, publications) {
  const faults = [];
  let last = -1;
  for (const { number } of stay.seen) {
    if (number === last || (number < last && stay.seen.filter(one => one.number === number).length > 1))
      faults.push({ what: 'arrived twice', number });
    else if (number < last) faults.push({ what: 'out of order', number });
    if (!publications[number]) faults.push({ what: 'was never published', number });
    last = Math.max(last, number);
  }
  return faults;
}

/* Numbers of the publications that should have arrived during the stay and have not. */
function missing(stay, publications, { began, healed, end }) {
  const seen = new Set(stay.seen.map(({ number }) => number));
  const left = stay.to !== Infinity;
  const last = Math.max(-1, ...seen);
  const counts = ({ sent }, number) =>
    !left || (number < last && (sent < began - FOUND_MS || sent > healed + HEALED_MS));
  return publications.flatMap((entry, number) =>
    entry.accepted !== null && entry.sent > stay.from && entry.accepted < end && !seen.has(number) &&
    counts(entry, number) ? [number] : []);
}

/* Judges one connection: { kind, onGap, events, outages }. `end`: no later publication counts. `began` and
 * `healed`: the times between which the fault was. Returns { received, covered, faults }. */
export function judge(connection, ledger, { began, healed, end }) {
  const { kind, events } = connection;
  const faults = [];
  let received = 0;
  let covered = 0;
  const closed = events.find(event => event.kind === 'closed');
  const isCovered = (channel, { sent }) => {
    const until = Math.max(sent, healed) + HEALED_MS;
    const inTime = ({ at }) => at >= sent && at <= until;
    if (closed && inTime(closed)) return true;
    if (kind === 'v1')
      return events.some(event => event.kind === 'gap' && inTime(event) &&
        (event.channel === undefined || event.channel === channel));
    return connection.onGap === 'continue' && connection.outages.some(({ from, to }) => sent >= from && sent <= to);
  };
  for (const stay of stays(events)) {
    const publications = ledger.get(stay.channel) ?? [];
    const add = fault => faults.push({ connection: connection.name, channel: stay.channel, ...fault });
    if (stay.stray) {
      add({ what: 'arrived on a channel that the connection does not have', number: stay.stray.number });
      continue;
    }
    received += stay.seen.length;
    orderFaults(stay, publications).forEach(add);
    for (const number of missing(stay, publications, { began, healed, end: Math.min(end, closed?.at ?? end) })) {
      if (isCovered(stay.channel, publications[number])) covered += 1;
      else add({ what: 'is missing, and nothing says so', number, ...publications[number] });
    }
  }
  return { received, covered, faults };
}
