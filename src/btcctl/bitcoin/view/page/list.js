// All networks. A thousand lines are in the page, so that searching in it and screen readers find them; the browser lays
// out those that are in view (`content-visibility` in style.css).

import { counted, h, keyed, setAttribute, setText } from "./dom.js";
import { idOf } from "./state.js";

export const HEALTHS = {
  ready: "ready",
  progressing: "on its way",
  trouble: "in trouble",
  resting: "at rest",
  deleting: "on its way out",
};

export class List {
  constructor() {
    this.root = document.getElementById("networks");
    this.empty = document.getElementById("networks-empty");
    this.count = document.getElementById("networks-count");
    this.filter = document.getElementById("filter");
    this.shown = [[], ""];
    this.filter.addEventListener("input", () => this.render(...this.shown));
    this.root.addEventListener("keydown", (event) => this.pressed(event));
  }

  render(networks, current) {
    this.shown = [networks, current];
    const words = this.filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const found = networks.filter((network) => words.every((word) => textOf(network).includes(word)));
    keyed(this.root, found, idOf, makeRow, (row, network) => update(row, network, idOf(network) === current));
    setText(this.count, words.length ? `${found.length} of ${networks.length}` : `${networks.length}`);
    this.empty.hidden = found.length > 0;
    const example = "kubectl apply -f manifests/examples/ makes one";
    setText(this.empty, words.length ? `No network has “${words.join(" ")}”` : `No networks yet: ${example}`);
  }

  pressed(event) {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!step) return;
    event.preventDefault();
    event.target.closest("li")[step]?.querySelector("a").focus();
  }
}

function textOf(network) {
  const { namespace, name, health, reason, version, isPartitioned } = network;
  return `${namespace}/${name} ${health} ${HEALTHS[health]} ${reason} ${version} ${isPartitioned ? "partitioned" : ""}`.toLowerCase();
}

function makeRow(network) {
  const row = h("li");
  row.parts.link = row.appendChild(h("a", { href: `#/${idOf(network)}` }));
  row.parts.link.append(
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("span", { class: "name", text: network.name }),
    h("span", { class: "namespace", text: network.namespace }),
  );
  row.parts.says = row.parts.link.appendChild(h("span", { class: "says" }));
  row.parts.tips = row.parts.link.appendChild(h("span", { class: "badge" }));
  return row;
}

function update(row, network, isCurrent) {
  setAttribute(row.parts.link, "data-health", network.health);
  setAttribute(row.parts.link, "aria-current", isCurrent ? "page" : null);
  const height = network.height ? `, height ${network.height}` : "";
  const state = network.health === "ready" ? "" : `, ${network.reason || HEALTHS[network.health]}`;
  setText(row.parts.says, `${network.nodesReady} of ${network.nodesWanted} ready${height}${state}`);
  const tips = network.tips > 1 ? counted(network.tips, "tip") : network.isPartitioned ? "partitioned" : "";
  setText(row.parts.tips, tips);
  row.parts.tips.hidden = !tips;
}
