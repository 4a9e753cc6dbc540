/*
 * growth.svg: CPU per delivery of Sluice and the floor, by connections and by payload, on logarithmic
 * axes. It has colours for light and for dark, and the viewer's setting selects them.
 */
const PANEL = { width: 380, height: 300, left: 62, top: 66, gap: 70 };
const SERIES = [
  { key: 'sluice', name: 'Sluice', mark: 'circle' },
  { key: 'floor', name: 'the floor', mark: 'square' },
];

const STYLE = `
  svg { background: #ffffff; }
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 14px; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .line { fill: none; stroke-width: 2.5; }
  .sluice { stroke: #0969da; } .sluice-mark { fill: #0969da; }
  .floor { stroke: #9a6700; stroke-dasharray: 6 4; } .floor-mark { fill: #9a6700; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; }
    text { fill: #e6edf3; }
    .grid { stroke: #30363d; }
    .sluice { stroke: #58a6ff; } .sluice-mark { fill: #58a6ff; }
    .floor { stroke: #e3b341; } .floor-mark { fill: #e3b341; }
  }`;

/* The ticks around the values: 1, 2 and 5 times the powers of ten. */
function ticksFor(values) {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.ceil(Math.log10(Math.max(...values)));
  const all = [];
  for (let power = from; power <= to; power++) for (const step of [1, 2, 5]) all.push(step * 10 ** power);
  const low = all.findLast(tick => tick <= Math.min(...values)) ?? all[0];
  const high = all.find(tick => tick >= Math.max(...values)) ?? all.at(-1);
  return all.filter(tick => tick >= low && tick <= high);
}

function mark(kind, series, x, y) {
  if (kind === 'circle') return `<circle class="${series}-mark" cx="${x}" cy="${y}" r="4.5"/>`;
  return `<rect class="${series}-mark" x="${x - 4}" y="${y - 4}" width="8" height="8"/>`;
}

function panel({ title, axis, points, ticks }, originX) {
  const { width, height, top } = PANEL;
  const xs = points.map(({ x }) => Math.log10(x));
  const placeX = x => originX + 20 + ((Math.log10(x) - xs[0]) / (xs.at(-1) - xs[0])) * (width - 40);
  const [low, high] = [Math.log10(ticks[0]), Math.log10(ticks.at(-1))];
  const placeY = y => top + height - ((Math.log10(y) - low) / (high - low)) * height;
  const round = value => value.toFixed(1);
  const parts = [`<text class="title" x="${originX}" y="${top - 14}">${title}</text>`];
  for (const tick of ticks) {
    const y = round(placeY(tick));
    parts.push(`<line class="grid" x1="${originX}" x2="${originX + width}" y1="${y}" y2="${y}"/>`);
    parts.push(`<text x="${originX - 8}" y="${Number(y) + 4}" text-anchor="end">${tick.toLocaleString('en')}</text>`);
  }
  for (const { x, label } of points)
    parts.push(`<text x="${round(placeX(x))}" y="${top + height + 22}" text-anchor="middle">${label}</text>`);
  parts.push(`<text x="${originX + width / 2}" y="${top + height + 44}" text-anchor="middle">${axis}</text>`);
  for (const { key, mark: kind } of SERIES) {
    const places = points.map(point => [round(placeX(point.x)), round(placeY(point[key]))]);
    parts.push(`<polyline class="line ${key}" points="${places.map(place => place.join(',')).join(' ')}"/>`);
    for (const [x, y] of places) parts.push(mark(kind, key, x, y));
  }
  return parts.join('\n');
}

function legend(x) {
  return SERIES.map(({ key, name, mark: kind }, i) => {
    const at = x + i * 110;
    return `<line class="line ${key}" x1="${at}" x2="${at + 30}" y1="20" y2="20"/>${mark(kind, key, at + 15, 20)}` +
      `<text x="${at + 38}" y="24">${name}</text>`;
  }).join('\n');
}

/* panels: [{ title, axis, points: [{ x, label, sluice, floor }] }], all on the same scale. */
export function growthPicture(panels) {
  const { width, height, left, top, gap } = PANEL;
  const ticks = ticksFor(panels.flatMap(({ points }) => points.flatMap(({ sluice, floor }) => [sluice, floor])));
  const whole = { width: left + panels.length * width + (panels.length - 1) * gap + 20, height: top + height + 60 };
  const bodies = panels.map((one, i) => panel({ ...one, ticks }, left + i * (width + gap)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${whole.width} ${whole.height}" width="${whole.width}" height="${whole.height}" role="img" aria-label="CPU microseconds per delivery of Sluice and the floor">
<style>${STYLE}
</style>
<text x="${left}" y="24">CPU µs per delivery (both axes logarithmic)</text>
${legend(whole.width - 260)}
${bodies.join('\n')}
</svg>
`;
}
