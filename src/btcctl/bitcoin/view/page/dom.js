// Elements: made, kept up to date, and nothing more. Text is only ever set as text, so nothing that a cluster says can
// become markup; styles are only ever set through properties, which a strict Content-Security-Policy allows.

const SVG = "http://www.w3.org/2000/svg";

/** An element of HTML. Props: `class`, `text`, `on…` handlers, `data` (a mapping), properties of elements, attributes. */
export function h(tag, props = {}, ...children) {
  return dressed(document.createElement(tag), props, children);
}

/** An element of SVG. */
export function s(tag, props = {}, ...children) {
  return dressed(document.createElementNS(SVG, tag), props, children);
}

function dressed(element, props, children) {
  element.parts = {}; // what its owner wants to find again: names of its own could be names of the DOM's
  for (const [name, value] of Object.entries(props)) {
    if (name === "text") element.textContent = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Set what differs: a text that stays as it is keeps the reader's selection, and makes no screen reader speak. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value == null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

const kept = new WeakMap();

/** Have `parent` show `items` in order: an item that was there keeps its element, and so its focus. */
export function keyed(parent, items, keyOf, make, update) {
  const before = kept.get(parent) ?? new Map();
  const now = new Map(items.map((item) => [keyOf(item), null]));
  // First: what stays would otherwise be moved in front of what goes, and who is moved loses its focus.
  for (const [key, gone] of before) if (!now.has(key)) gone.remove();
  let next = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    const element = before.get(key) ?? now.get(key) ?? make(item);
    now.set(key, element);
    update?.(element, item);
    if (element === next) next = next.nextSibling;
    else parent.insertBefore(element, next);
  }
  kept.set(parent, now);
}

/** Ordinals for people: 0–2, 4. */
export function ranges(ordinals, dash = "–", comma = ", ") {
  const sorted = [...ordinals].sort((a, b) => a - b);
  const parts = [];
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (sorted[end + 1] === sorted[end] + 1) end += 1;
    if (end - i >= 2) parts.push(`${sorted[i]}${dash}${sorted[end]}`);
    else for (let each = i; each <= end; each += 1) parts.push(`${sorted[each]}`);
    i = end + 1;
  }
  return parts.join(comma);
}

/** "1 node", "2 nodes". */
export function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** The end of a hash: its beginning is zeros. */
export function shortHash(hash) {
  return hash ? `…${hash.slice(-8)}` : "";
}

let skew = 0; // seconds by which the server's clock is ahead of ours

export function setServerTime(at) {
  const apart = at - Date.now() / 1000;
  skew = Math.abs(apart) > 2 ? apart : 0;
}

export function serverTime() {
  return Date.now() / 1000 + skew;
}

/** How long a number of seconds is, as kubectl says it. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${whole % 60 ? `${whole % 60}s` : ""}`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h${Math.floor((whole % 3600) / 60)}m`;
  return `${Math.floor(whole / 86400)}d${Math.floor((whole % 86400) / 3600)}h`;
}

export function milliseconds(seconds) {
  const ms = seconds * 1000;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${seconds.toFixed(1)} s`;
}

/** The time of day. */
export function clockTime(at) {
  return new Date(at * 1000).toLocaleTimeString([], { hour12: false });
}

const ticking = new Set();

/** A text that says how long ago, or in how long, `at` is, and goes on saying it. `phrase` makes the text of it. */
export function ago(element, at, phrase = (text) => text) {
  element.tickAt = at;
  element.tickPhrase = phrase;
  ticking.add(element);
  tick(element);
}

function tick(element) {
  const { tickAt: at, tickPhrase: phrase } = element;
  setText(element, at ? phrase(duration(Math.abs(serverTime() - at))) : "");
}

setInterval(() => {
  for (const element of ticking) {
    if (element.isConnected) tick(element);
    else ticking.delete(element);
  }
}, 1000);

export const moves = () => !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
