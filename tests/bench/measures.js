/*
 * What is measured. A measure has cases. Each round runs all of them in turn and gives numbers for each; the
 * results show each number's median over the rounds. A ratio is taken within a round, between runs that are
 * close in time, so that a machine that is slow for a while is slow for both; the median ratio counts.
 */
import { generatorHasTls, privateOperation, withTls } from './tls.js';
import { sluiceTakes } from './subjects.js';
import { SESSIONS } from './stand.js';

export const median = values => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/* ---- numbers from the generator's reports ---- */

/* What went wrong. A case with trouble is not valid. */
function troubleIn(reports) {
  const { refused, lost } = reports.at(-1);
  const sum = key => reports.reduce((total, one) => total + one[key], 0);
  const missing = sum('expected') - sum('deliveries');
  return Object.entries({ refused, lost, missing, misordered: sum('misordered') })
    .filter(([, count]) => count !== 0).map(([what, count]) => `${count} ${what}`).join(', ');
}

function ofDelivery(reports) {
  const last = reports.at(-1);
  const busy = usage => (100 * usage.cpu_us) / 1e6 / last.seconds;
  return {
    cpu: last.server.cpu_us / last.deliveries,
    perPublication: last.server.cpu_us / last.publications,
    rate: last.deliveries / last.seconds / 1e6,
    p50: last.latency_us.p50 / 1000,
    p99: last.latency_us.p99 / 1000,
    max: last.latency_us.max / 1000,
    bytes: last.bytes / last.deliveries,
    others: last.others,
    receivers: last.receivers,
    redis: last.redis.cpu_us / last.publications,
    busy: busy(last.server),
    loadBusy: busy(last.load) + busy(last.redis),
  };
}

function ofConnections(reports) {
  const [first, last] = [reports[0], reports.at(-1)];
  return {
    accept: first.server.cpu_us / first.open,
    seconds: first.seconds,
    kib: (last.server.own_kib[1] - first.server.own_kib[0]) / last.open,
    idleBusy: (100 * last.server.cpu_us) / 1e6 / last.seconds,
    others: last.others,
  };
}

function ofHandshakes([only]) {
  return {
    shake: only.server.cpu_us / only.open / 1000,
    rate: only.open / only.seconds,
    resumed: only.resumed,
    others: only.others,
  };
}

/* ---- cases ---- */

/* `doubt`: a function that finds what else is wrong with the numbers. */
function one(subject, { key = subject, label, settings, options, phases, prepare, numbers = ofDelivery, doubt = () => '' }) {
  return { key, subject, label, settings, prepare, async run(stand, server) {
    const reports = await stand.load(server, phases, { pinned: settings?.pinned, ...options });
    const found = numbers(reports);
    return { ...found, trouble: [troubleIn(reports), doubt(found)].filter(Boolean).join(', ') };
  } };
}

const each = (subjects, rest) => subjects.map(subject => one(subject, rest));

const CPU = ['CPU µs per delivery', 'cpu', 2];
const RATE = ['deliveries/s, M', 'rate', 2];
const LATENCIES = [['p50 ms', 'p50', 1], ['p99 ms', 'p99', 1], ['max ms', 'max', 1]];
const BUSY = [['server busy %', 'busy', 0], ['generator and Redis busy %', 'loadBusy', 0]];

const SIZES = [['64 B', 64, 100], ['1 KiB', 1024, 100], ['16 KiB', 16384, 100], ['256 KiB', 262144, 10]];
const CROWDS = [['10', 10, 100], ['100', 100, 100], ['1,000', 1000, 100], ['10,000', 10000, 10]];

function growthCases(quick) {
  const seconds = quick ? 1 : 4;
  const cases = [];
  for (const [label, connections, rate] of CROWDS)
    for (const subject of ['sluice', 'floor'])
      cases.push(one(subject, {
        key: `connections ${connections} ${subject}`, label: `${label} connections: ${subject}`,
        phases: ['open', 'paced'], options: { connections, rate, seconds } }));
  for (const [label, size, rate] of SIZES)
    for (const subject of ['sluice', 'floor'])
      cases.push(one(subject, {
        key: `size ${size} ${subject}`, label: `${label}: ${subject}`,
        phases: ['open', 'paced'], options: { connections: 100, rate, seconds, size } }));
  return cases;
}

/* A row for each point, with both programs. */
function growthRows(medians, ratio) {
  const headers = ['', 'Sluice', 'the floor', 'ratio', 'Sluice: p99 ms', 'the floor: p99 ms'];
  const rows = GROWTH.flatMap(({ prefix, unit, points }) => points.map(([label, x]) => {
    const [ours, theirs] = ['sluice', 'floor'].map(subject => `${prefix} ${x} ${subject}`);
    const [a, b] = [medians[ours].numbers, medians[theirs].numbers];
    const trouble = medians[ours].trouble || medians[theirs].trouble;
    return [`${label}${unit}${trouble ? ` (not valid: ${trouble})` : ''}`,
      [a.cpu, 2], [b.cpu, 2], [ratio(ours, theirs, 'cpu'), 2], [a.p99, 1], [b.p99, 1]];
  }));
  return { headers, rows };
}

export const GROWTH = [
  { title: 'connections, 128 B', prefix: 'connections', unit: ' connections', points: CROWDS },
  { title: 'payload, 100 connections', prefix: 'size', unit: ' of payload', points: SIZES },
];

const COMPRESSIBLE = 1024;

function compressionCases(quick) {
  const seconds = quick ? 1 : 4;
  const on = { compression: { enabled: true, threshold: 256 } };
  return [10, 100, 1000].flatMap(connections => [false, true].map(isOn => one('sluice', {
    key: `${connections} ${isOn ? 'on' : 'off'}`, label: `${connections} connections, compression ${isOn ? 'on' : 'off'}`,
    settings: isOn ? { config: on } : {}, phases: ['open', 'paced'],
    doubt: ({ bytes }) => (isOn && bytes > COMPRESSIBLE ? 'nothing was compressed' : ''),
    options: {
      connections, seconds, rate: 100, size: COMPRESSIBLE,
      ...(isOn ? { header: 'Sec-WebSocket-Extensions: permessage-deflate' } : {}) } })));
}

function handshakeCase(subject, kind, name, connections, options = {}) {
  const isResumed = Boolean(options.resume);
  const wanted = isResumed ? connections - 1 : 0;
  return one(subject, {
    key: `${name} ${subject}`, label: `${name}: ${subject === 'sluice' ? '**Sluice**' : 'nginx'}`,
    phases: ['secure'], numbers: ofHandshakes, prepare: withTls(kind),
    options: { connections, tls: true, 'at-once': 20, ...options },
    doubt: ({ resumed }) => (resumed === wanted ? '' : `${resumed} resumed instead of ${wanted}`) });
}

function handshakeCases(quick) {
  const [full, resumed] = quick ? [200, 1000] : [500, 4000];
  const pair = (...rest) => ['sluice', 'nginxTls'].map(subject => handshakeCase(subject, ...rest));
  return [
    ...pair('ecdsa', 'ECDSA P-256', full), privateOperation('ecdsa'),
    ...pair('rsa', 'RSA-2048', full), privateOperation('rsa'),
    ...pair('ecdsa', 'resumed', resumed, { resume: true })];
}

const NO_TLS = 'the generator was built without OpenSSL (deploy/setup bench)';

export const MEASURES = {
  check: {
    title: 'The floor against itself',
    onlyWhenAsked: true,
    text: 'Paced as below, with the same program twice: the ratio differs from 1 by the noise of this machine.',
    cases: quick => each(['floor', 'floorAgain'], {
      phases: ['open', 'paced'], options: { connections: 1000, seconds: quick ? 2 : 5 } }),
    columns: [CPU, ...LATENCIES, ...BUSY],
    goals: ratio => [
      ['CPU per delivery, relative to itself', ratio('floorAgain', 'floor', 'cpu'), 'about', 1],
      ['p99 latency, relative to itself', ratio('floorAgain', 'floor', 'p99'), 'about', 1]],
  },

  paced: {
    title: 'Paced: 1,000 connections, 100 publications a second',
    text: '128-byte payloads, all connections on one channel.',
    cases: quick => each(quick ? ['sluice', 'floor'] : ['sluice', 'floor', 'floorEach', 'nchan', 'ws'], {
      phases: ['open', 'paced'], options: { connections: 1000, seconds: quick ? 2 : 5 } }),
    columns: [CPU, ...LATENCIES, ...BUSY],
    goals: ratio => [
      ['1: CPU per delivery relative to the floor\'s', ratio('sluice', 'floor', 'cpu'), '<=', 1.1],
      ['1: p99 latency relative to the floor\'s', ratio('sluice', 'floor', 'p99'), '<=', 1.2]],
  },

  flat: {
    title: 'Flat out, 32 publications in flight',
    text: '1,000 connections, 128-byte payloads. The next publication follows when one has reached all connections.',
    cases: quick => each(quick ? ['sluice', 'floor'] : ['sluice', 'floor', 'floorEach', 'nchan', 'ws'], {
      phases: ['open', 'flat'], options: { connections: 1000, seconds: quick ? 2 : 5, window: 32 } }),
    columns: [RATE, CPU, ...BUSY],
    goals: ratio => [['2: deliveries/s relative to the floor\'s', ratio('sluice', 'floor', 'rate'), '>=', 0.9]],
  },

  wide: {
    title: 'Flat out, 512 publications in flight',
    text: 'The same with longer batches: the cost of a send is spread over more publications, and copying weighs more.',
    cases: quick => each(['sluice', 'floor'], {
      phases: ['open', 'flat'], options: { connections: 1000, seconds: quick ? 2 : 5, window: 512 } }),
    columns: [RATE, ['CPU µs per delivery', 'cpu', 3], ...BUSY],
    goals: ratio => [['2: deliveries/s relative to the floor\'s', ratio('sluice', 'floor', 'rate'), '>=', 0.9]],
  },

  idle: {
    title: 'Log-ins, and idle connections',
    text: 'Each connection has its own session. 100 handshakes are in flight; then nothing happens for two seconds.',
    cases(quick) {
      const rest = {
        phases: ['open', 'idle'], numbers: ofConnections,
        options: { connections: SESSIONS, seconds: quick ? 1 : 2 } };
      return [
        one('sluice', { ...rest, label: '**Sluice**, one shared channel' }),
        one('sluice', {
          ...rest, key: 'private', label: '**Sluice**, and a private channel each', settings: { isPrivate: true } }),
        ...each(quick ? ['floor'] : ['floor', 'nchan', 'ws'], rest)];
    },
    columns: [
      ['KiB resident per connection', 'kib', 2], ['CPU µs per accepted connection', 'accept', 0],
      ['seconds until all are open', 'seconds', 2], ['busy while idle %', 'idleBusy', 1]],
    goals: (ratio, value) => [
      ['3: KiB per connection, shared channel', value('sluice', 'kib'), '<=', 0.75],
      ['3: KiB per connection, and a private channel', value('private', 'kib'), '<=', 1],
      ['4: CPU µs per accepted connection', value('sluice', 'accept'), '<=', 60],
      ['4: the same, and a private channel', value('private', 'accept'), '<=', 60],
      ['4: CPU per accepted connection relative to the floor\'s', ratio('sluice', 'floor', 'accept'), '<=', 1.6]],
  },

  handshakes: {
    title: 'TLS handshakes',
    text: 'TLS 1.2, X25519, AES-128-GCM, the same certificate. A connection ends after its handshake; 20 are in flight. ' +
      'The private operations are those of mbedTLS.',
    needs: generatorHasTls, lacking: NO_TLS,
    cases: handshakeCases,
    columns: [['CPU ms', 'shake', 2]],
    goals: (ratio, value) => [
      ['7: CPU ms of a full handshake, ECDSA P-256', value('ECDSA P-256 sluice', 'shake'), '<=', 2.5],
      ['7: CPU ms of a full handshake, RSA-2048, less 1.3 x the private operation',
        value('RSA-2048 sluice', 'shake') - 1.3 * value('rsa private', 'shake'), '<=', 2],
      ['7: CPU of a resumed handshake relative to nginx\'', ratio('resumed sluice', 'resumed nginxTls', 'shake'), '<=', 1.5]],
  },

  tls: {
    title: 'Idle connections over TLS',
    text: 'ECDSA P-256. The memory includes the buffers of mbedTLS and of OpenSSL.',
    needs: generatorHasTls, lacking: NO_TLS,
    cases: quick => ['sluice', 'pair'].map(subject => one(subject, {
      label: subject === 'sluice' ? '**Sluice** over TLS' : undefined,
      phases: ['open', 'idle'], numbers: ofConnections, prepare: withTls('ecdsa'),
      options: { connections: quick ? 1000 : 2000, seconds: 1, tls: true } })),
    columns: [['KiB resident per connection', 'kib', 2], ['CPU µs per accepted connection', 'accept', 0]],
    goals: (ratio, value) => [['7: KiB per idle connection over TLS', value('sluice', 'kib'), '<=', 12]],
  },

  secure: {
    title: 'Deliveries over TLS: 1,000 connections, 100 publications a second',
    text: '128-byte payloads, all connections on one channel; TLS 1.2 with AES-128-GCM.',
    needs: generatorHasTls, lacking: NO_TLS,
    cases: quick => ['sluice', 'pair'].map(subject => one(subject, {
      label: subject === 'sluice' ? '**Sluice** over TLS' : undefined,
      phases: ['open', 'paced'], prepare: withTls('ecdsa'),
      options: { connections: 1000, seconds: quick ? 2 : 5, tls: true } })),
    columns: [CPU, ...LATENCIES, ...BUSY],
    goals: ratio => [['7: CPU per delivery relative to nginx with a plain Sluice', ratio('sluice', 'pair', 'cpu'), '<=', 1]],
  },

  storm: {
    title: `A storm: ${SESSIONS.toLocaleString('en')} connect at once`,
    text: 'All TCP connections start at once. A connection is open when its 101 has arrived.',
    cases: quick => each(quick ? ['sluice'] : ['sluice', 'floor', 'nchan', 'ws'], {
      phases: ['storm'], numbers: ofConnections, options: { connections: SESSIONS } }),
    columns: [['seconds until all are open', 'seconds', 2], ['CPU µs per accepted connection', 'accept', 0]],
    goals: (ratio, value) => [['4: seconds until all are open', value('sluice', 'seconds'), '<=', 5]],
  },

  many: {
    title: 'Many channels',
    text: `${SESSIONS.toLocaleString('en')} connections with a private channel each, and 20,000 publications a second over all.`,
    cases(quick) {
      const options = { connections: SESSIONS, rate: 20000, seconds: quick ? 1 : 4, channel: 'user:u{n}' };
      const phases = ['open', 'idle', 'paced'];
      return [
        one('sluice', { phases, options, settings: { isPrivate: true } }),
        one('floorPerChannel', { phases, options: { ...options, path: '/ws?channel=user:u{n}' } })];
    },
    columns: [CPU, ...LATENCIES, ['Redis: CPU µs per publication', 'redis', 1], ...BUSY],
    goals: ratio => [
      ['5: CPU per delivery relative to the floor\'s', ratio('sluice', 'floorPerChannel', 'cpu'), '<=', 1.5]],
  },

  workers: {
    title: 'One worker and two',
    text: 'Paced as above, but without pinning: the workers, Redis and the generator share all CPUs.',
    cases: quick => [1, 2].map(workers => one('sluice', {
      key: String(workers), label: `${workers} worker${workers > 1 ? 's' : ''}`,
      settings: { workers, pinned: false }, phases: ['open', 'paced'],
      options: { connections: 1000, seconds: quick ? 2 : 5 } })),
    columns: [CPU, ...LATENCIES, ['deliveries by Redis per publication', 'receivers', 2],
      ['Redis: CPU µs per publication', 'redis', 1]],
    goals: (ratio, value) => [
      ['6: deliveries by Redis per publication, two workers', value('2', 'receivers'), '<=', 1],
      ['6: CPU per delivery, two workers relative to one', ratio('2', '1', 'cpu'), '<=', 1.1]],
  },

  growth: {
    title: 'Growth',
    text: '100 publications a second (10 for 10,000 connections and for 256 KiB). CPU µs per delivery.',
    cases: growthCases,
    columns: [CPU],
    rows: growthRows,
    goals: () => [],
  },

  compression: {
    title: 'Compression',
    text: '1 KiB of JSON, 100 publications a second. A publication is compressed once, for all its connections.',
    needs: stand => sluiceTakes(stand, { compression: { enabled: true, threshold: 256 } }),
    cases: compressionCases,
    columns: [CPU, ['CPU µs per publication', 'perPublication', 0], ['bytes per delivery', 'bytes', 0]],
    goals: (ratio, value) => [
      ['8: additional CPU µs per delivery with compression, 1,000 connections', value('1000 on', 'cpu') - value('1000 off', 'cpu'), '<=', 0.5]],
  },

  batching: {
    title: 'Batching',
    text: 'Paced as above; `delivery.batch_milliseconds` 50.',
    needs: stand => sluiceTakes(stand, { delivery: { batch_milliseconds: 50 } }),
    cases: quick => [0, 50].map(milliseconds => one('sluice', {
      key: String(milliseconds), label: `${milliseconds} ms`,
      settings: { config: { delivery: { batch_milliseconds: milliseconds } } },
      phases: ['open', 'paced'], options: { connections: 1000, seconds: quick ? 2 : 5 } })),
    columns: [CPU, ...LATENCIES],
    goals: ratio => [['9: CPU per delivery, 50 ms relative to 0 ms', ratio('50', '0', 'cpu'), '<=', 1 / 3]],
  },
};

export const QUICK = ['paced', 'flat', 'idle', 'handshakes', 'secure', 'storm', 'many'];
