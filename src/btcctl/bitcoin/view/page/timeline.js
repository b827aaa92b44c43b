// Conditions, and what has happened.

import { ago, clockTime, h, keyed, setAttribute, setText } from "./dom.js";

const SIGNS = { yes: "✓", no: "!", unknown: "?" };

export function renderConditions(root, conditions) {
  keyed(root, conditions, (each) => each.type, makeCondition, (element, each) => {
    const good = each.status === "Unknown" ? "unknown" : each.isGood ? "yes" : "no";
    setAttribute(element, "data-good", good);
    setText(element.parts.sign, SIGNS[good]);
    setText(element.parts.type, each.type);
    setText(element.parts.status, `${each.status === "True" ? "" : `is ${each.status}: `}${each.reason}`);
    setText(element.parts.message, each.message);
    ago(element.parts.since, each.since, (text) => `for ${text}`);
  });
}

function makeCondition() {
  const element = h("li", { class: "condition" });
  element.parts.sign = element.appendChild(h("span", { class: "sign", "aria-hidden": "true" }));
  for (const [part, tag] of [["type", "strong"], ["status", "span"], ["since", "span"], ["message", "span"]]) {
    element.parts[part] = element.appendChild(h(tag, { class: part }));
  }
  return element;
}

export function renderEvents(root, events) {
  keyed(root, [...events].reverse(), (each) => each.uid, makeEvent, (element, each) => {
    setAttribute(element, "data-type", each.type);
    setText(element.parts.reason, each.reason);
    setText(element.parts.message, each.message);
    setText(element.parts.about, `${each.about}${each.count > 1 ? ` · ${each.count} times` : ""}`);
    setText(element.parts.time, clockTime(each.at));
    setAttribute(element.parts.time, "datetime", each.at ? new Date(each.at * 1000).toISOString() : null);
    ago(element.parts.ago, each.at, (text) => `${text} ago`);
  });
}

function makeEvent() {
  const element = h("li", { class: "event" });
  const head = element.appendChild(h("div", { class: "event-head" }));
  element.parts.reason = head.appendChild(h("strong", { class: "reason" }));
  element.parts.ago = head.appendChild(h("span", { class: "ago" }));
  element.parts.time = head.appendChild(h("time", { class: "time" }));
  element.parts.message = element.appendChild(h("span", { class: "message" }));
  element.parts.about = element.appendChild(h("span", { class: "about" }));
  return element;
}
