/*
 * The shape of the earth: from latitude and longitude to a flat map, and from one place to another.
 *
 * The projection is Natural Earth (T. Patterson, B. Jenny): y is a polynomial of the latitude, and x is
 * another polynomial of it times the longitude. It keeps familiar shapes and bends the far edges gently.
 * The unit of the map is a radian of the equator, with y northwards and 0, 0 in the middle.
 *
 * The path between two places takes the shorter way round the globe and leans towards the nearer pole, as
 * a great circle does. A great circle between far places would leave the flat map at its top; this path
 * stays on the map.
 */

export const NORTH = 84;
export const SOUTH = -57;

const RADIANS = Math.PI / 180;
const LEAN = 0.2;
const MARGIN = 3;

export function project(lon, lat) {
  const l = lon * RADIANS;
  const p = lat * RADIANS;
  const p2 = p * p;
  const p4 = p2 * p2;
  return {
    x: l * (0.8707 - 0.131979 * p2 + p4 * (-0.013791 + p4 * (0.003971 * p2 - 0.001529 * p4))),
    y: p * (1.007226 + p2 * (0.015085 + p4 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4))),
  };
}

/* The difference of two longitudes by the shorter way round, in -180 … 180. */
function eastwards(from, to) {
  return ((to - from + 540) % 360) - 180;
}

function wrap(lon) {
  return ((lon + 540) % 360) - 180;
}

/* How far an arc may lean before it leaves the map, at its northern or southern edge. */
function room(source, target, north) {
  const edge = north ? NORTH - Math.max(source.lat, target.lat)
    : Math.min(source.lat, target.lat) - SOUTH;
  return Math.max(0, edge - MARGIN);
}

export function pointsBetween(source, target, steps) {
  const east = eastwards(source.lon, target.lon);
  const up = target.lat - source.lat;
  const north = source.lat + target.lat >= 0;
  const lean = Math.min(LEAN * Math.hypot(east, up), room(source, target, north));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const t = i / steps;
    const bow = (north ? lean : -lean) * 4 * t * (1 - t);
    return { lon: wrap(source.lon + east * t), lat: source.lat + up * t + bow };
  });
}
