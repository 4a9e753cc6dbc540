/*
 * The world map, and the arcs on it.
 *
 * The land changes only on a resize, so it is painted once on a canvas of its own and copied into each
 * frame. Frames are painted only while there is an arc: an idle page costs nothing. There are at most
 * MOST_ARCS at a time. In a flood the others are left out, so that each arc on the screen can be followed
 * to its end, and the cost of a frame has a limit.
 *
 *     0 ........ GROW_MS ........ + HOLD_MS ........ + FADE_MS
 *     grows from its source       a ring at its target   fades
 *
 * An arc goes the shorter way round the globe, so it may leave the map at one edge and come back at the
 * other. With "prefers-reduced-motion" each arc is shown whole and still for the same time.
 */

import { LAND } from '/land.js';
import { SEVERITIES } from '/event.js';
import { NORTH, SOUTH, pointsBetween, project } from '/globe.js';

const GRID_DEGREES = 30;
const EAST_EDGE = project(180, 0).x;
const NORTH_EDGE = project(0, NORTH).y;
const SOUTH_EDGE = project(0, SOUTH).y;

const MOST_ARCS = 80;
const ARC_POINTS = 48;
const GROW_MS = 1100;
const HOLD_MS = 1500;
const FADE_MS = 1400;
const LIFE_MS = GROW_MS + HOLD_MS + FADE_MS;
const STILL_FRAME_MS = 500;
const STILL_AGE = GROW_MS + 500;
const TAIL = 0.35;
const RING_PIXELS = 16;
const NAME_WIDTH = 90;
const NAME_HEIGHT = 15;

const WIDTHS = { low: 1.25, medium: 1.75, high: 2.25 };

export class WorldMap {
  #canvas;
  #context;
  #land = document.createElement('canvas');
  #stillness = matchMedia('(prefers-reduced-motion: reduce)');
  #colors = {};
  #scale = 1;
  #arcs = [];
  #scheduled = false;
  #timer = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#resize());
  }

  add(arc) {
    if (this.#arcs.length >= MOST_ARCS)
      return;
    const points = pointsBetween(arc.source, arc.target, ARC_POINTS);
    this.#arcs.push({ ...arc, points, line: this.#project(points), born: performance.now() });
    this.#schedule();
  }

  clear() {
    this.#arcs = [];
    this.#schedule();
  }

  /* ---- layout ---- */

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.#canvas, this.#land]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.getContext('2d').setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.#scale = Math.min(width / (2 * EAST_EDGE), height / (NORTH_EDGE - SOUTH_EDGE));
    this.#readColors();
    this.#paintLand();
    for (const arc of this.#arcs)
      arc.line = this.#project(arc.points);
    this.#paint(performance.now());
  }

  #readColors() {
    const style = getComputedStyle(this.#canvas);
    for (const name of ['land', 'coast', 'grid', 'text', 'surface', ...SEVERITIES])
      this.#colors[name] = style.getPropertyValue(`--${name}`).trim();
  }

  #projectPoint(lon, lat) {
    const { x, y } = project(lon, lat);
    const middle = (NORTH_EDGE + SOUTH_EDGE) / 2;
    return {
      x: this.#canvas.clientWidth / 2 + x * this.#scale,
      y: this.#canvas.clientHeight / 2 + (middle - y) * this.#scale,
    };
  }

  /* The points on the canvas; `jump` marks the first after the edge of the map was crossed. */
  #project(points) {
    return points.map(({ lon, lat }, i) => ({
      ...this.#projectPoint(lon, lat),
      jump: i > 0 && Math.abs(lon - points[i - 1].lon) > 180,
    }));
  }

  /* ---- the land, once ---- */

  #paintLand() {
    const context = this.#land.getContext('2d');
    context.clearRect(0, 0, this.#canvas.clientWidth, this.#canvas.clientHeight);
    this.#paintGrid(context);
    context.beginPath();
    for (const ring of LAND) {
      for (let i = 0; i < ring.length; i += 2) {
        const { x, y } = this.#projectPoint(ring[i], ring[i + 1]);
        i === 0 ? context.moveTo(x, y) : context.lineTo(x, y);
      }
      context.closePath();
    }
    context.fillStyle = this.#colors.land;
    context.fill('evenodd');
    context.strokeStyle = this.#colors.coast;
    context.lineWidth = 0.75;
    context.lineJoin = 'round';
    context.stroke();
  }

  #paintGrid(context) {
    context.beginPath();
    for (let lon = -180; lon <= 180; lon += GRID_DEGREES)
      this.#trace(context, (t) => ({ lon, lat: SOUTH + (NORTH - SOUTH) * t }));
    for (let lat = -GRID_DEGREES; lat < NORTH; lat += GRID_DEGREES)
      this.#trace(context, (t) => ({ lon: 360 * t - 180, lat }));
    context.strokeStyle = this.#colors.grid;
    context.lineWidth = 0.75;
    context.stroke();
  }

  #trace(context, at) {
    for (let i = 0; i <= ARC_POINTS; i++) {
      const { lon, lat } = at(i / ARC_POINTS);
      const { x, y } = this.#projectPoint(lon, lat);
      i === 0 ? context.moveTo(x, y) : context.lineTo(x, y);
    }
  }

  /* ---- the arcs, each frame ---- */

  #schedule() {
    if (this.#scheduled)
      return;
    this.#scheduled = true;
    requestAnimationFrame((now) => {
      this.#scheduled = false;
      this.#frame(now);
    });
  }

  #frame(now) {
    this.#arcs = this.#arcs.filter(({ born }) => now - born < LIFE_MS);
    this.#paint(now);
    if (!this.#arcs.length)
      return;
    clearTimeout(this.#timer);
    if (this.#stillness.matches)
      this.#timer = setTimeout(() => this.#schedule(), STILL_FRAME_MS);
    else
      this.#schedule();
  }

  #age({ born }, now) {
    return this.#stillness.matches ? STILL_AGE : now - born;
  }

  #paint(now) {
    const { width, height } = this.#land;
    const context = this.#context;
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (width && height)
      context.drawImage(this.#land, 0, 0);
    context.restore();
    for (const arc of this.#arcs)
      this.#paintArc(arc, this.#age(arc, now));
    this.#paintNames(now);
    context.globalAlpha = 1;
  }

  #fade(age) {
    return Math.max(0, Math.min(1, (LIFE_MS - age) / FADE_MS));
  }

  #paintArc(arc, age) {
    const context = this.#context;
    const grown = Math.max(0, Math.min(1, age / GROW_MS));
    const head = 1 - (1 - grown) ** 3;
    const fade = this.#fade(age);
    context.strokeStyle = context.fillStyle = this.#colors[arc.severity];
    context.lineWidth = WIDTHS[arc.severity];
    context.lineCap = 'round';
    context.globalAlpha = 0.55 * fade;
    this.#strokeLine(arc.line, 0, head);
    context.globalAlpha = fade;
    if (head < 1)
      this.#strokeLine(arc.line, Math.max(0, head - TAIL), head);
    this.#dot(arc.line[0], 1.75);
    this.#dot(arc.line[Math.round(head * ARC_POINTS)], 2.5);
    this.#paintRing(arc, age - GROW_MS, fade);
  }

  #strokeLine(line, from, to) {
    const context = this.#context;
    const first = Math.round(from * ARC_POINTS);
    const last = Math.round(to * ARC_POINTS);
    context.beginPath();
    for (let i = first; i <= last; i++) {
      const { x, y, jump } = line[i];
      i === first || jump ? context.moveTo(x, y) : context.lineTo(x, y);
    }
    context.stroke();
  }

  #dot({ x, y }, radius) {
    this.#context.beginPath();
    this.#context.arc(x, y, radius, 0, 2 * Math.PI);
    this.#context.fill();
  }

  #paintRing({ line, severity }, age, fade) {
    const spread = age / HOLD_MS;
    if (spread < 0 || spread > 1)
      return;
    const context = this.#context;
    const { x, y } = line[ARC_POINTS];
    context.globalAlpha = (1 - spread) * fade;
    context.beginPath();
    context.arc(x, y, 3 + RING_PIXELS * spread * (severity === 'high' ? 1.5 : 1), 0, 2 * Math.PI);
    context.stroke();
  }

  /* Newest first. A label that would cover another is left out. */
  #paintNames(now) {
    const taken = [];
    for (const arc of this.#arcs.toReversed()) {
      const { x, y } = arc.line[ARC_POINTS];
      const age = this.#age(arc, now);
      const free = taken.every((other) =>
        Math.abs(other.x - x) > NAME_WIDTH || Math.abs(other.y - y) > NAME_HEIGHT);
      if (!arc.target.name || age < GROW_MS || !free)
        continue;
      taken.push({ x, y });
      this.#paintName(arc.target.name, x, y, Math.min((age - GROW_MS) / 300, this.#fade(age)));
    }
  }

  /* An outline in the surface's colour keeps the letters readable on land, sea and arcs. */
  #paintName(name, x, y, opacity) {
    const context = this.#context;
    const right = x > this.#canvas.clientWidth - NAME_WIDTH;
    context.font = '500 11px system-ui, sans-serif';
    context.textBaseline = 'middle';
    context.textAlign = right ? 'right' : 'left';
    context.globalAlpha = Math.min(1, opacity);
    context.lineWidth = 3;
    context.lineJoin = 'round';
    context.strokeStyle = this.#colors.surface;
    context.strokeText(name, x + (right ? -8 : 8), y);
    context.fillStyle = this.#colors.text;
    context.fillText(name, x + (right ? -8 : 8), y);
  }
}
