// Where nodes stand. Pure, and the same for the same nodes: a picture that is drawn again looks as it did.
//
// A few nodes stand on a ring, many on a spiral on which consecutive ordinals are neighbours: those are most likely to
// be linked. The groups of a partition stand apart, each as if it were alone.

const RING = 28; // nodes: more of them would stand too close
const MARGIN = 16;

/** @returns {{places: Map<number, {x: number, y: number}>, radius: number}} `radius`: of a node, in pixels. */
export function place(ordinals, groups, width, height) {
  const parts = partsOf(ordinals, groups);
  const radius = radiusFor(parts, width, height);
  const places = new Map();
  for (const { members, box } of boxes(parts, width, height)) {
    const room = radius + MARGIN;
    const rx = Math.max(1, Math.min(box.width / 2 - room, (box.height / 2 - room) * 1.7));
    const ry = Math.max(1, box.height / 2 - room - radius * 0.4);
    const x = box.x + box.width / 2;
    const y = box.y + box.height / 2 - radius * 0.2;
    members.forEach((ordinal, index) => {
      const at = members.length <= RING ? onRing(index, members.length) : onSpiral(index, members.length);
      places.set(ordinal, { x: x + rx * at.x, y: y + ry * at.y });
    });
  }
  return { places, radius };
}

function partsOf(ordinals, groups) {
  const there = new Set(ordinals);
  const parts = groups.map((group) => group.filter((ordinal) => there.has(ordinal))).filter((part) => part.length);
  const placed = new Set(parts.flat());
  const rest = ordinals.filter((ordinal) => !placed.has(ordinal));
  return rest.length ? [...parts, rest] : parts;
}

function radiusFor(parts, width, height) {
  const nodes = parts.reduce((sum, part) => sum + part.length, 0);
  const spread = Math.sqrt((width * height) / Math.max(1, nodes));
  return Math.max(3, Math.min(26, spread * (nodes <= RING ? 0.13 : 0.22)));
}

/** Side by side, or one below the other in what is higher than wide; larger groups get more of it. */
function boxes(parts, width, height) {
  const isWide = width >= height;
  const weights = parts.map((part) => Math.sqrt(part.length) + 0.6);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let start = 0;
  return parts.map((members, index) => {
    const share = weights[index] / total;
    const box = isWide
      ? { x: start * width, y: 0, width: share * width, height }
      : { x: 0, y: start * height, width, height: share * height };
    start += share;
    return { members, box };
  });
}

function onRing(index, count) {
  if (count === 1) return { x: 0, y: 0 };
  const angle = (index / count) * 2 * Math.PI - Math.PI / 2;
  return { x: Math.cos(angle), y: Math.sin(angle) };
}

/** A spiral of Archimedes with steps as long as its arms are apart. */
function onSpiral(index, count) {
  const distance = Math.sqrt((index + 0.5) / count);
  const angle = Math.sqrt(4 * Math.PI * (index + 0.5));
  return { x: distance * Math.cos(angle), y: distance * Math.sin(angle) };
}

/** On which side of the line from `a` to `b` a point is: negative, 0 or positive. */
export function sideOf(a, b, point) {
  return Math.sign((b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x));
}

/** The groups that come of splitting each of `groups` by who is in `chosen`; empty ones are left out. */
export function split(ordinals, groups, chosen) {
  return partsOf(ordinals, groups)
    .flatMap((part) => [part.filter((each) => !chosen.has(each)), part.filter((each) => chosen.has(each))])
    .filter((part) => part.length);
}

/** The node next to `from` in a direction: "ArrowLeft" and so on; undefined if there is none. */
export function neighbour(places, from, arrow) {
  const { x, y } = places.get(from);
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[arrow];
  let best;
  let least = Infinity;
  for (const [ordinal, at] of places) {
    const along = (at.x - x) * dx + (at.y - y) * dy;
    if (ordinal === from || along <= 0.5) continue;
    const aside = Math.abs((at.x - x) * dy) + Math.abs((at.y - y) * dx);
    const cost = along + 2 * aside;
    if (cost < least) [best, least] = [ordinal, cost];
  }
  return best;
}
