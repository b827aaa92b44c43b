// One node: what it has and does, and what it printed last. And all nodes as a table.

import { ago, h, keyed, setAttribute, setText, shortHash } from "./dom.js";
import { linksInWords } from "./graph.js";

const LINES = 60;
const LOG_SECONDS = 2;

const FACTS = [
  ["State", (node) => (node.isHung ? "stopped: it takes connections, and never answers" : stateOf(node))],
  ["Version", (node) => node.version],
  ["Height", (node) => known(node.height)],
  ["Tip", (node) => shortHash(node.best)],
  ["Peers", (node) => known(node.peers)],
  ["Dialled", (node, links) => links.dialled || "none"],
  ["Dialled by", (node, links) => links.dialledBy || "none"],
  ["Greeting", (node, links) => links.greeting],
  ["Mempool", (node) => (node.mempool < 0 ? "" : `${node.mempool} (${node.mempoolBytes} vB)`)],
  ["Restarts", (node) => `${node.restarts}`],
  ["Side", (node) => (node.group < 0 ? "" : `${node.group + 1} of the partition`)],
  ["Address", (node) => node.address],
  ["Pod", (node) => node.pod],
  ["Image", (node) => node.image],
];

const known = (number) => (number < 0 ? "" : `${number}`);
const stateOf = (node) => [node.state, node.reason, node.message].filter(Boolean).join(": ");

export class NodePanel {
  /** @param buttons makes the buttons of the actions on a node, given a way to learn its ordinal. */
  constructor(root, onClose, buttons) {
    this.root = root;
    const close = h("button", { type: "button", class: "quiet", text: "Close", onclick: onClose });
    this.title = h("h2", { id: "node-title" });
    this.facts = h("dl", { class: "facts-list" });
    this.started = h("p", { class: "ago" });
    this.log = h("pre", { class: "log scroll", tabindex: 0, role: "region", "aria-label": "What the node prints" });
    this.buttons = h("div", { class: "buttons", role: "group", "aria-label": "What can be done with this node" });
    root.append(
      h("div", { class: "card-head" }, this.title, h("span", { class: "grow" }), close),
      this.buttons,
      this.facts,
      this.started,
      h("h3", { text: "Log" }),
      this.log,
    );
    this.fill = buttons;
    this.of = null; // whose log is shown
    setInterval(() => this.readLog(), LOG_SECONDS * 1000);
  }

  render(network, ordinal) {
    const node = network?.nodes.find((each) => each.ordinal === ordinal);
    this.root.hidden = !node;
    if (!node) {
      this.of = null;
      return;
    }
    setText(this.title, `Node ${node.ordinal}`);
    this.fill(this.buttons, node);
    const links = linksInWords(node, network.links);
    const facts = FACTS.map(([name, of]) => [name, of(node, links)]).filter(([, text]) => text);
    keyed(this.facts, facts, ([name]) => name, makeFact, (element, [, text]) => setText(element.parts.value, text));
    ago(this.started, node.startedAt, (text) => `running for ${text}`);
    const of = `network=${encodeURIComponent(`${network.namespace}/${network.name}`)}&node=${node.ordinal}`;
    if (of !== this.of) {
      this.of = of;
      setText(this.log, "…");
      this.readLog();
    }
  }

  async readLog() {
    const { of } = this;
    if (!of || document.hidden) return;
    let text;
    try {
      const answer = await fetch(`log?${of}&lines=${LINES}`, { cache: "no-store" });
      const tail = answer.ok ? await answer.json() : { lines: [], problem: (await answer.text()).trim() };
      text = tail.problem ? `No log: ${tail.problem}` : tail.lines.join("\n") || "It has printed nothing yet";
    } catch {
      return; // the banner says that there is no connection
    }
    if (of !== this.of) return;
    const isAtEnd = this.log.scrollTop + this.log.clientHeight >= this.log.scrollHeight - 8;
    setText(this.log, text);
    if (isAtEnd) this.log.scrollTop = this.log.scrollHeight;
  }
}

function makeFact([name]) {
  const element = h("div", {}, h("dt", { text: name }));
  element.parts.value = element.appendChild(h("dd"));
  return element;
}

export function renderTable(body, network, letters) {
  keyed(body, network.nodes, (node) => node.ordinal, () => h("tr", {}, ...Array.from({ length: 9 }, () => h("td"))), (row, node) => {
    const { dialled } = linksInWords(node, network.links);
    const letter = letters.size > 1 ? (letters.get(node.best) ?? "") : "";
    const tip = [letter, shortHash(node.best)].filter(Boolean).join(" ");
    const state = node.isHung ? "stopped" : stateOf(node);
    const cells = [node.ordinal, state, known(node.height), tip, known(node.peers), known(node.mempool), node.restarts, dialled, node.version];
    cells.forEach((text, index) => setText(row.children[index], `${text}`));
    setAttribute(row, "data-state", node.isHung ? "unreachable" : node.state);
  });
}

