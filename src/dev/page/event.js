/*
 * Events of type "enriched": something that went from one place on earth to another.
 *
 * Anybody may have published an event, so it is not trusted: a place must have a valid latitude and
 * longitude, a long name is cut, and an unknown severity counts as low. Publishers write coordinates in
 * several ways, which are all accepted. These are the same event:
 *
 *     {"type":"enriched","source":{"lat":52.5,"lon":13.4,"name":"Berlin"},"target":{…}}
 *     {"type":"enriched","src":{"lat":52.5,"lon":13.4},"dst":{…}}
 *     {"type":"enriched","from":[52.5,13.4],"to":[35.7,139.7]}
 *     {"type":"enriched","srcLat":52.5,"srcLon":13.4,"dstLat":35.7,"dstLon":139.7}
 */

const NAME_LENGTH = 40;

export const SEVERITIES = ['low', 'medium', 'high'];

function number(value) {
  const text = typeof value === 'string' ? value.trim() : value;
  return typeof text === 'number' || text ? Number(text) : NaN;
}

function place(lat, lon, name) {
  const latitude = number(lat);
  const longitude = number(lon);
  if (!(Math.abs(latitude) <= 90) || !(Math.abs(longitude) <= 180))
    return null;
  return {
    lat: latitude,
    lon: longitude,
    name: typeof name === 'string' ? name.slice(0, NAME_LENGTH) : '',
  };
}

function readPlace(value) {
  if (Array.isArray(value))
    return place(value[0], value[1]);
  if (value === null || typeof value !== 'object')
    return null;
  return place(value.lat ?? value.latitude, value.lon ?? value.lng ?? value.longitude, value.name);
}

function readSource(event) {
  return readPlace(event.source ?? event.src ?? event.from) ?? place(event.srcLat, event.srcLon);
}

function readTarget(event) {
  return readPlace(event.target ?? event.dst ?? event.to) ?? place(event.dstLat, event.dstLon);
}

/* The arc that an event describes; null for any other event. */
export function readArc(event) {
  if (event?.type !== 'enriched')
    return null;
  const source = readSource(event);
  const target = readTarget(event);
  if (!source || !target)
    return null;
  const severity = SEVERITIES.includes(event.severity) ? event.severity : 'low';
  return { source, target, severity };
}

export function placeName({ name, lat, lon }) {
  return name || `${lat.toFixed(1)}, ${lon.toFixed(1)}`;
}

/* ---- samples ---- */

const CITIES = [
  ['Amsterdam', 52.4, 4.9], ['Auckland', -36.8, 174.8], ['Bogotá', 4.7, -74.1],
  ['Cairo', 30, 31.2], ['Cape Town', -33.9, 18.4], ['Jakarta', -6.2, 106.8],
  ['Lagos', 6.5, 3.4], ['Lisbon', 38.7, -9.1], ['Los Angeles', 34.1, -118.2],
  ['Mexico City', 19.4, -99.1], ['Mumbai', 19.1, 72.9], ['Nairobi', -1.3, 36.8],
  ['New York', 40.7, -74], ['Perth', -31.9, 115.9], ['Reykjavík', 64.1, -21.9],
  ['Santiago', -33.4, -70.7], ['São Paulo', -23.6, -46.6], ['Seoul', 37.6, 127],
  ['Singapore', 1.4, 103.8], ['Stockholm', 59.3, 18.1], ['Sydney', -33.9, 151.2],
  ['Tokyo', 35.7, 139.7], ['Vancouver', 49.3, -123.1], ['Warsaw', 52.2, 21],
].map(([name, lat, lon]) => ({ name, lat, lon }));

function anyOf(list) {
  return list[Math.floor(Math.random() * list.length)];
}

export function sampleEvent() {
  const source = anyOf(CITIES);
  const target = anyOf(CITIES.filter((city) => city !== source));
  const severity = anyOf(['low', 'low', 'low', 'medium', 'medium', 'high']);
  return { type: 'enriched', source, target, severity };
}
