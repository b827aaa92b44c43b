// The nodes and their links. Nodes are buttons, for the keyboard and screen readers and so that style.css gives them
// their shapes; links are thousands, and lines on a canvas. What is linked with what is said in words in a node's panel.
//
// Rules: one node at a time is in the order of the Tab key, arrows go on from there; all moves of nodes go through
// `positions`, from which nodes and links are drawn in the same frame.

import { h, keyed, moves, ranges, setAttribute, setText } from "./dom.js";
import { neighbour, place, sideOf } from "./layout.js";

const CAPTIONED = 60; // nodes with a text of their own below them
const NUMBERED = 150; // nodes with their ordinal in them
const MOVING = 300; // nodes that glide to another place
const GLIDE = 450; // milliseconds
const DETAILED = 4000; // links with arrows
const DRAG = 6; // pixels: less is a click

const STATES = {
  synced: "synced",
  ready: "ready, not asked",
  behind: "behind",
  unreachable: "unreachable",
  restarting: "restarting",
};

export class Graph {
  /**
   * @param onSelect takes an ordinal, or null.
   * @param onChosen takes the set of ordinals on one side of a cut, each time it changes.
   */
  constructor(root, onSelect, onChosen) {
    this.root = root;
    this.onSelect = onSelect;
    this.onChosen = onChosen;
    this.canvas = root.appendChild(h("canvas", { "aria-hidden": "true" }));
    this.nodes = root.appendChild(h("div", { class: "nodes", role: "group", "aria-label": "Nodes" }));
    this.positions = new Map();
    this.targets = new Map();
    this.elements = new Map();
    this.tips = new Map(); // by ordinal, the block it was last seen at
    this.scene = { nodes: [], links: [], groups: [], letterOf: () => "", selected: null };
    this.isCutting = false;
    this.chosen = new Set();
    this.line = null;
    this.tabStop = null;
    this.pairs = null; // links by how they look; null: to be found out anew
    new ResizeObserver(() => this.resize()).observe(root);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    this.nodes.addEventListener("click", (event) => this.clicked(event));
    this.nodes.addEventListener("keydown", (event) => this.pressed(event));
    this.nodes.addEventListener("focusin", (event) => this.focused(event));
    root.addEventListener("pointerdown", (event) => this.grabbed(event));
  }

  render(scene) {
    const isOther = scene.id !== this.scene.id;
    this.scene = scene;
    this.pairs = null;
    if (isOther) this.tips.clear();
    // What the browser is asked is asked before there are nodes: their style would be found out for it, and then once more.
    this.size ??= this.measure();
    this.colours ??= colours(this.root);
    this.flashes = scene.nodes.length <= NUMBERED && moves();
    const count = scene.nodes.length;
    this.detail = count <= CAPTIONED ? "full" : count <= NUMBERED ? "numbers" : "dots";
    const keyOf = (node) => `${scene.id}/${node.ordinal}/${this.detail}`;
    keyed(this.nodes, scene.nodes, keyOf, (node) => makeNode(node, this.detail), (element, node) => {
      this.elements.set(node.ordinal, element);
      this.dress(element, node);
    });
    const there = new Set(scene.nodes.map((node) => node.ordinal));
    for (const ordinal of [...this.elements.keys()]) if (!there.has(ordinal)) this.elements.delete(ordinal);
    if (!there.has(this.tabStop)) this.tabStop = scene.nodes[0]?.ordinal ?? null;
    this.markTabStop();
    this.arrange(isOther);
  }

  dress(element, node) {
    const letter = this.scene.letterOf(node.best);
    const name = node.isHung ? "unreachable" : node.state;
    setAttribute(element, "data-state", name);
    setAttribute(element, "data-letter", letter || null);
    setAttribute(element, "data-chosen", this.isCutting && this.chosen.has(node.ordinal) ? "yes" : null);
    setAttribute(element, "aria-pressed", String(this.isCutting ? this.chosen.has(node.ordinal) : this.scene.selected === node.ordinal));
    const height = node.height >= 0 ? `height ${node.height}` : "height not known";
    const facts = [STATES[name], node.isHung ? "stopped" : "", height, node.peers >= 0 ? `${node.peers} peers` : ""];
    const tip = letter ? `tip ${letter}` : "";
    setAttribute(element, "aria-label", `Node ${node.ordinal}: ${[...facts, tip].filter(Boolean).join(", ")}`);
    if (element.parts.caption) setText(element.parts.caption, node.height >= 0 ? `${node.height}` : "–");
    if (element.parts.letter) setText(element.parts.letter, letter);
    const before = this.tips.get(node.ordinal);
    if (this.flashes && before && node.best && before !== node.best) flash(element);
    if (node.best) this.tips.set(node.ordinal, node.best);
  }

  arrange(isAtOnce) {
    const { width, height } = this.size ?? this.measure();
    if (!width || !height) return;
    const { nodes, groups } = this.scene;
    const { places, radius } = place(nodes.map((node) => node.ordinal), groups, width, height);
    const isSame = places.size === this.targets.size && [...places].every(([ordinal, at]) => same(at, this.targets.get(ordinal)));
    this.targets = places;
    this.radius = radius;
    this.nodes.style.setProperty("--r", `${radius.toFixed(1)}px`);
    setAttribute(this.nodes, "data-detail", this.detail);
    const glides = !isAtOnce && !isSame && moves() && nodes.length <= MOVING && this.positions.size > 0;
    if (glides) this.glide();
    else if (!this.gliding || isAtOnce) this.settle();
    else this.draw();
  }

  settle() {
    cancelAnimationFrame(this.gliding);
    this.gliding = null;
    this.positions = new Map(this.targets);
    this.draw(true);
  }

  glide() {
    const from = new Map([...this.targets].map(([ordinal, at]) => [ordinal, this.positions.get(ordinal) ?? at]));
    const begin = performance.now();
    cancelAnimationFrame(this.gliding);
    const step = (now) => {
      const t = Math.min(1, Math.max(0, (now - begin) / GLIDE));
      if (t >= 1) return this.settle();
      const eased = 1 - (1 - t) ** 3;
      this.positions = new Map(
        [...this.targets].map(([ordinal, to]) => {
          const at = from.get(ordinal) ?? to;
          return [ordinal, { x: at.x + (to.x - at.x) * eased, y: at.y + (to.y - at.y) * eased }];
        }),
      );
      this.draw(true);
      this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }

  measure() {
    this.size = { width: this.root.clientWidth, height: this.root.clientHeight };
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = this.size.width * scale;
    this.canvas.height = this.size.height * scale;
    return this.size;
  }

  resize() {
    this.measure();
    this.arrange(true);
  }

  recolour() {
    this.colours = null;
    this.draw();
  }

  draw(hasMoved = false) {
    if (hasMoved) {
      for (const [ordinal, { x, y }] of this.positions) {
        const element = this.elements.get(ordinal);
        if (element) element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
      }
    }
    this.drawLinks();
  }

  drawLinks() {
    const { width, height } = this.size ?? this.measure();
    const context = this.canvas.getContext("2d");
    const scale = window.devicePixelRatio || 1;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    this.colours ??= colours(this.root);
    const sides = this.isCutting ? this.chosen : null;
    this.pairs ??= styled(this.scene.links, this.scene.nodes, sides);
    for (const [style, pairs] of this.pairs) this.stroke(context, style, pairs);
    if (this.line) {
      context.setLineDash([8, 6]);
      context.lineWidth = 2.5;
      context.strokeStyle = this.colours.cut;
      context.beginPath();
      context.moveTo(this.line.a.x, this.line.a.y);
      context.lineTo(this.line.b.x, this.line.b.y);
      context.stroke();
    }
  }

  /** One path for all lines that look the same: that is what makes thousands of them quick. */
  stroke(context, style, pairs) {
    const isDense = pairs.length > DETAILED / 4;
    const { hue, dash, both } = STYLES[style];
    context.strokeStyle = context.fillStyle = this.colours[hue];
    context.globalAlpha = Math.min(1, Math.max(0.12, 700 / pairs.length));
    context.setLineDash(dash);
    context.lineWidth = isDense ? 0.8 : both ? 2 : 1.3;
    context.beginPath();
    const heads = [];
    for (const { from, to } of pairs) {
      const a = this.positions.get(from);
      const b = this.positions.get(to);
      if (!a || !b) continue;
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
      if (!both && pairs.length <= DETAILED / 4) heads.push([a, b]);
    }
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    for (const [a, b] of heads) arrow(context, a, b, this.radius);
    context.fill();
    context.globalAlpha = 1;
  }

  // Choosing, by pointer and keyboard.

  clicked(event) {
    const element = event.target.closest(".node");
    if (!element || this.hasDragged) return;
    const ordinal = Number(element.dataset.ordinal);
    if (this.isCutting) this.toggle(ordinal);
    else this.onSelect(ordinal === this.scene.selected ? null : ordinal);
  }

  pressed(event) {
    if (event.key === "Escape" && !this.isCutting) return this.onSelect(null);
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    const next = neighbour(this.targets, Number(event.target.dataset.ordinal), event.key);
    if (next !== undefined) this.elements.get(next).focus();
  }

  focused(event) {
    const ordinal = event.target.dataset.ordinal;
    if (ordinal === undefined) return;
    this.tabStop = Number(ordinal);
    this.markTabStop();
  }

  markTabStop() {
    for (const [ordinal, element] of this.elements) element.tabIndex = ordinal === this.tabStop ? 0 : -1;
  }

  cut(isOn, chosen = []) {
    this.isCutting = isOn;
    this.chosen = new Set(chosen);
    this.line = null;
    setAttribute(this.root, "data-cutting", isOn ? "yes" : null);
    this.redress();
  }

  toggle(ordinal) {
    if (!this.chosen.delete(ordinal)) this.chosen.add(ordinal);
    this.line = null;
    this.redress();
    this.onChosen(this.chosen);
  }

  redress() {
    this.pairs = null;
    for (const node of this.scene.nodes) this.dress(this.elements.get(node.ordinal), node);
    this.draw();
  }

  grabbed(event) {
    this.hasDragged = false;
    if (!this.isCutting || event.button !== 0) return;
    const a = this.at(event);
    const move = (later) => {
      const b = this.at(later);
      if (Math.hypot(b.x - a.x, b.y - a.y) < DRAG && !this.hasDragged) return;
      this.hasDragged = true;
      this.line = { a, b };
      this.chosen = new Set([...this.targets].filter(([, point]) => sideOf(a, b, point) > 0).map(([ordinal]) => ordinal));
      this.redress();
    };
    const end = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", end);
      if (this.hasDragged) this.onChosen(this.chosen);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", end);
  }

  at(event) {
    const box = this.root.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  focus(ordinal) {
    this.elements.get(ordinal)?.focus();
  }
}

/** In words, for the panel of a node. */
export function linksInWords(node, links) {
  const to = links.filter((link) => link.from === node.ordinal);
  const from = links.filter((link) => link.to === node.ordinal);
  const said = (of, who, isGreeted) => ranges(of.filter((link) => link.greeted === isGreeted).map(who));
  return {
    dialled: said(to, (link) => link.to, true),
    dialledBy: said(from, (link) => link.from, true),
    greeting: said([...to], (link) => link.to, false),
  };
}

const STYLES = {
  greeting: { hue: "greeting", dash: [2, 5], both: false },
  oneWay: { hue: "link", dash: [], both: false },
  mutual: { hue: "link", dash: [], both: true },
  crossing: { hue: "cut", dash: [6, 4], both: true },
};

/** Each pair of linked nodes once, by how its line looks: those that go across a partition, or are to, by themselves. */
function styled(links, nodes, chosen) {
  const groupOf = new Map(nodes.map((node) => [node.ordinal, node.group]));
  const pairs = new Map();
  for (const { from, to, greeted } of links) {
    const key = from < to ? from * 65536 + to : to * 65536 + from;
    const pair = pairs.get(key);
    if (pair) {
      pair.both ||= greeted && pair.greeted && pair.from !== from;
      pair.greeted ||= greeted;
    } else pairs.set(key, { from, to, greeted, both: false });
  }
  const looks = new Map(Object.keys(STYLES).map((name) => [name, []]));
  for (const pair of pairs.values()) {
    const isAcross = chosen ? chosen.has(pair.from) !== chosen.has(pair.to) : groupOf.get(pair.from) !== groupOf.get(pair.to);
    const look = isAcross ? "crossing" : !pair.greeted ? "greeting" : pair.both ? "mutual" : "oneWay";
    looks.get(look).push(pair);
  }
  return [...looks].filter(([, found]) => found.length);
}

function arrow(context, a, b, radius) {
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const [ux, uy] = [(b.x - a.x) / length, (b.y - a.y) / length];
  const [x, y] = [b.x - ux * (radius + 3), b.y - uy * (radius + 3)];
  context.moveTo(x, y);
  context.lineTo(x - ux * 8 - uy * 4, y - uy * 8 + ux * 4);
  context.lineTo(x - ux * 8 + uy * 4, y - uy * 8 - ux * 4);
}

/** Of a thousand nodes each is but a shape: what could not be read is not made. */
function makeNode(node, detail) {
  const element = h("button", { class: "node", type: "button", data: { ordinal: node.ordinal }, tabindex: -1 });
  const shape = element.appendChild(h("span", { class: "shape" }));
  if (detail === "dots") return element;
  shape.append(h("span", { class: "number", text: `${node.ordinal}` }));
  element.parts.letter = element.appendChild(h("span", { class: "letter" }));
  if (detail === "full") element.parts.caption = element.appendChild(h("span", { class: "caption" }));
  return element;
}

function flash(element) {
  element.firstElementChild.animate([{ transform: "scale(1.3)" }, { transform: "none" }], { duration: 600, easing: "ease-out" });
}

function same(a, b) {
  return b !== undefined && Math.abs(a.x - b.x) < 0.5 && Math.abs(a.y - b.y) < 0.5;
}

function colours(root) {
  const style = getComputedStyle(root);
  const of = (name) => style.getPropertyValue(name).trim();
  return { link: of("--link"), greeting: of("--muted"), cut: of("--cut") };
}
