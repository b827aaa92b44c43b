// What can be done, and which command stands for it. What an action is called, needs and stands for is the server's to
// say; here it gets buttons.

import { clockTime, counted, h, keyed, ranges, serverTime, setText } from "./dom.js";
import { split } from "./layout.js";
import { idOf } from "./state.js";

const ON_NODE = ["mine", "restart", "hang", "release"];
const LABELS = {
  mine: "Mine a block",
  partition: "Partition …",
  heal: "Heal",
  restart: "Restart",
  hang: "Hang",
  release: "Let go on",
  rotate: "Rotate the secret",
};
const MOST_DONE = 4;
const MOST_SIDES = 4; // with a button of their own

/** The token is the first part of the address; whoever acts sends it once more, which no page of another site can. */
const token = () => location.pathname.split("/")[1];

/** A command, with what it is about filled in. */
export function commandOf(action, values) {
  return action.command.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Groups as btcctl and the API have them: 0-2|3,4. */
export function groupsText(groups) {
  return groups.map((group) => ranges(group, "-", ",")).join("|");
}

export class Actions {
  /** @param graph is told to take part in cutting. @param state is asked what there is. */
  constructor(state, graph) {
    this.state = state;
    this.graph = graph;
    for (const id of ["actions", "buttons", "cutting", "groups", "command", "done", "half", "copy"]) {
      this[id] = document.getElementById(id);
    }
    this.doCut = document.getElementById("do-cut");
    this.dialog = document.getElementById("ask");
    this.past = [];
    this.pending = new Set();
    this.doCut.addEventListener("click", () => this.cut());
    document.getElementById("cancel-cut").addEventListener("click", () => this.endCut());
    this.half.addEventListener("click", () => this.chooseHalf());
    this.copy.addEventListener("click", () => this.copyCommand());
    document.getElementById("ask-no").addEventListener("click", () => this.dialog.close());
    window.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.graph.isCutting) this.endCut();
    });
  }

  render() {
    const { state } = this;
    this.actions.hidden = !state.network || state.actions.length === 0;
    if (this.actions.hidden) {
      if (this.graph.isCutting) this.endCut();
      return;
    }
    const names = ["mine", "scale", "partition", "heal", "rotate"].filter((name) => state.action(name));
    const { groups } = state.network.about;
    const buttons = names.flatMap((name) => (name === "mine" && groups.length > 1 ? groups.slice(0, MOST_SIDES).map(mineOn) : [{ name }]));
    keyed(this.buttons, buttons, keyOfButton, (button) => this.makeAction(button), (element, { name }) => {
      if (name === "heal") element.disabled = !state.network.about.groups.length;
      if (name === "partition") element.disabled = state.network.nodes.length < 2;
      if (name === "rotate") element.hidden = !state.network.about.secret;
      if (name === "scale") setText(element.parts.number, counted(state.network.about.summary.nodesWanted, "node"));
      if (name === "scale") element.parts.fewer.disabled = state.network.about.summary.nodesWanted < 1;
    });
    if (this.graph.isCutting) this.say(this.graph.chosen);
    if (!this.command.textContent) this.hint("mine", {});
  }

  makeButton(name, order = () => ({})) {
    const button = h("button", { type: "button", text: LABELS[name] ?? name, data: { action: name } });
    button.title = this.state.action(name).about;
    button.addEventListener("click", () => (name === "partition" ? this.beginCut() : this.ask(name, order())));
    const hint = () => this.hint(name, order());
    button.addEventListener("pointerenter", hint);
    button.addEventListener("focus", hint);
    return button;
  }

  makeAction({ name, group }) {
    if (name === "scale") return this.makeScale();
    if (!group) return this.makeButton(name, () => (name === "mine" ? { count: 1 } : {}));
    const button = this.makeButton(name, () => ({ node: this.firstOf(group), count: 1 }));
    setText(button, `Mine on ${ranges(group)}`);
    return button;
  }

  /** The node of a side that is asked to mine: one that answers, if any does. */
  firstOf(group) {
    const nodes = this.state.network.nodes.filter((node) => group.includes(node.ordinal));
    const best = nodes.find((node) => node.height >= 0 && !node.isHung && !["unreachable", "restarting"].includes(node.state));
    return (best ?? nodes[0])?.ordinal ?? group[0];
  }

  makeScale() {
    const order = (by) => () => ({ count: Math.max(0, this.state.network.about.summary.nodesWanted + by) });
    const element = h("span", { class: "stepper", role: "group", "aria-label": "How many nodes" });
    element.parts.fewer = element.appendChild(this.makeButton("scale", order(-1)));
    element.parts.number = element.appendChild(h("span", { class: "number", role: "status" }));
    element.parts.more = element.appendChild(this.makeButton("scale", order(1)));
    for (const [button, sign, label] of [[element.parts.fewer, "−", "One node less"], [element.parts.more, "+", "One more node"]]) {
      setText(button, sign);
      button.setAttribute("aria-label", label);
    }
    return element;
  }

  /** The buttons of one node. */
  fillNode(root, node) {
    const names = ON_NODE.filter((name) => this.state.action(name) && name !== (node.isHung ? "hang" : "release"));
    keyed(root, names, (name) => `${name} ${node.ordinal}`, (name) => {
      const button = this.makeButton(name, () => ({ node: node.ordinal, ...(name === "mine" ? { count: 1 } : {}) }));
      if (name === "mine") setText(button, "Mine here");
      return button;
    });
    root.hidden = !names.length;
  }

  values(order) {
    const { network } = this.state;
    const node = network.nodes.find((each) => each.ordinal === order.node) ?? network.nodes[0];
    return {
      network: network.name,
      namespace: network.namespace,
      secret: network.about.secret,
      node: order.node ?? node?.ordinal ?? 0,
      pod: node?.pod ?? "",
      count: order.count ?? 1,
      groups: order.groups ? groupsText(order.groups) : "",
    };
  }

  /** Show the command of an action. */
  hint(name, order) {
    const action = this.state.action(name);
    if (action && this.state.network) setText(this.command, commandOf(action, this.values(order)));
  }

  async copyCommand() {
    try {
      await navigator.clipboard.writeText(this.command.textContent);
      setText(this.copy, "Copied");
    } catch {
      window.getSelection().selectAllChildren(this.command); // the browser forbids it: Ctrl-C is left
      setText(this.copy, "Selected");
    }
    setTimeout(() => setText(this.copy, "Copy"), 1500);
  }

  /** Do it, after a question if it breaks something. */
  ask(name, order) {
    const action = this.state.action(name);
    const isMore = name === "scale" && order.count > this.state.network.about.summary.nodesWanted;
    if (!action.isDisruptive || name === "partition" || isMore) return this.act(name, order);
    const of = (id) => document.getElementById(id);
    const what = order.node === undefined ? this.state.id : `node ${order.node}`;
    setText(of("ask-title"), `${LABELS[name] ?? (name === "scale" ? "Scale" : name)}: ${what}`);
    setText(of("ask-about"), action.about);
    setText(of("ask-command"), commandOf(action, this.values(order)));
    setText(of("ask-yes"), LABELS[name] ?? "Do it");
    of("ask-yes").onclick = () => {
      this.dialog.close();
      this.act(name, order);
    };
    this.dialog.showModal();
  }

  async act(name, order) {
    const action = this.state.action(name);
    const command = commandOf(action, this.values(order));
    setText(this.command, command);
    const entry = this.note({ command, said: "…", isDone: null });
    try {
      const answer = await fetch(`actions/${name}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-btcctl-token": token() },
        body: JSON.stringify({ network: idOf(this.state.network), ...order }),
      });
      const text = await answer.text();
      const isJson = answer.headers.get("content-type")?.startsWith("application/json");
      const outcome = isJson ? JSON.parse(text) : { isDone: false, said: text.trim() };
      Object.assign(entry, { said: outcome.said, isDone: outcome.isDone, command: outcome.command || command });
    } catch {
      Object.assign(entry, { said: "no connection to btcctl: nothing is known of what became of it", isDone: false });
    }
    this.showPast();
    return entry.isDone;
  }

  note(entry) {
    entry.at = serverTime();
    entry.number = (this.past[0]?.number ?? 0) + 1;
    this.past = [entry, ...this.past].slice(0, MOST_DONE);
    this.showPast();
    return entry;
  }

  showPast() {
    keyed(this.done, this.past, (entry) => entry.number, makeEntry, (element, entry) => {
      element.dataset.done = entry.isDone === null ? "waits" : entry.isDone ? "yes" : "no";
      setText(element.parts.said, entry.said);
      setText(element.parts.command, entry.command);
    });
  }

  // Cutting a network into sides.

  beginCut() {
    this.hint("partition", { groups: [] });
    this.graph.cut(true);
    this.cutting.hidden = false;
    this.say(new Set());
    this.cutting.scrollIntoView({ block: "nearest" });
    this.half.focus();
  }

  endCut() {
    this.graph.cut(false);
    this.cutting.hidden = true;
    this.buttons.querySelector("[data-action=partition]")?.focus();
  }

  chooseHalf() {
    const ordinals = this.state.network.nodes.map((node) => node.ordinal);
    this.graph.cut(true, ordinals.slice(Math.ceil(ordinals.length / 2)));
    this.say(this.graph.chosen);
  }

  groupsOf(chosen) {
    const { nodes, about } = this.state.network;
    return split(nodes.map((node) => node.ordinal), about.groups, chosen);
  }

  say(chosen) {
    const groups = this.groupsOf(chosen);
    const isMore = groups.length > Math.max(1, this.state.network.about.groups.length);
    this.doCut.disabled = !isMore;
    setText(this.groups, isMore ? groups.map((group) => ranges(group)).join("  |  ") : "All nodes are on one side");
    if (isMore) this.hint("partition", { groups });
  }

  async cut() {
    const groups = this.groupsOf(this.graph.chosen);
    this.endCut();
    await this.act("partition", { groups });
  }
}

const mineOn = (group) => ({ name: "mine", group });
const keyOfButton = ({ name, group }) => (group ? `${name} ${group.join()}` : name);

function makeEntry(entry) {
  const element = h("li");
  element.append(h("time", { text: clockTime(entry.at) }));
  element.parts.said = element.appendChild(h("span", { class: "said" }));
  element.parts.command = element.appendChild(h("code"));
  return element;
}
