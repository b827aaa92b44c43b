// What is known, and how a message changes it. No element is touched here.
//
// Rules: a message says how things are, never how they differ, so telling one twice changes nothing; what concerns a
// network that is not looked at (any more) is ignored.

const MOST_STEPS = 400;
const MOST_EVENTS = 200;

export const idOf = (network) => `${network.namespace}/${network.name}`;

export class State {
  constructor() {
    this.server = null;
    this.networks = new Map(); // by id, in the order of ids
    this.network = null;
    this.controller = { isVisible: false, whyNot: "", queues: [], caches: [], steps: [] };
    this.actions = [];
    this.problem = "";
    this.letters = new Map(); // of tips, by hash: A, B, …; a branch keeps its letter while it grows
  }

  /** Take a message; returns the parts that have changed. */
  apply(name, data) {
    const take = TAKES[name];
    if (!take || (data.network && typeof data.network === "string" && data.network !== this.id)) return [];
    return take(this, data);
  }

  get id() {
    return this.network ? idOf(this.network) : "";
  }

  /** Of the highest block that a node has; what the status says as long as no node has said. */
  get height() {
    const heights = this.network.nodes.map((node) => node.height);
    const highest = heights.reduce((one, other) => Math.max(one, other), -1);
    return highest < 0 ? this.network.about.summary.height : highest;
  }

  action(name) {
    return this.actions.find((action) => action.name === name);
  }

  setTree(tree) {
    this.letters = lettersOf(tree, this.letters, this.network?.tree?.tips ?? []);
    this.network.tree = tree;
  }
}

const ALL = ["server", "networks", "about", "nodes", "tree", "events", "controller", "steps"];

const TAKES = {
  snapshot(state, data) {
    const before = state.id;
    const tips = state.network?.tree?.tips ?? [];
    state.server = data.server;
    state.networks = new Map(data.networks.map((each) => [idOf(each), each]));
    state.network = data.network;
    state.controller = data.controller;
    state.actions = data.actions;
    state.problem = data.problem;
    if (state.network) {
      if (before !== state.id) state.letters = new Map();
      const known = before === state.id ? tips : [];
      state.letters = lettersOf(state.network.tree, state.letters, known);
    }
    return ALL;
  },
  network(state, data) {
    const isNew = !state.networks.has(idOf(data));
    state.networks.set(idOf(data), data);
    if (isNew) state.networks = new Map([...state.networks].sort(([a], [b]) => (a < b ? -1 : 1)));
    return ["networks"];
  },
  "network-gone"(state, data) {
    state.networks.delete(idOf(data));
    if (state.id !== idOf(data)) return ["networks"];
    state.network = null;
    return ALL;
  },
  nodes(state, data) {
    const { network } = state;
    if (!network) return [];
    const gone = new Set(data.gone);
    const told = new Map(data.nodes.map((node) => [node.ordinal, node]));
    const left = network.nodes.filter((node) => !gone.has(node.ordinal) && !told.has(node.ordinal));
    network.nodes = [...left, ...told.values()].sort((a, b) => a.ordinal - b.ordinal);
    const links = network.links.filter((link) => !told.has(link.from) && !gone.has(link.from) && !gone.has(link.to));
    network.links = [...links, ...data.links];
    return ["nodes"];
  },
  tree(state, data) {
    if (!state.network) return [];
    state.setTree(data.tree);
    return ["tree", "nodes"];
  },
  about(state, data) {
    if (!state.network) return [];
    state.network.about = data.about;
    return ["about", "nodes"];
  },
  happened(state, data) {
    if (!state.network) return [];
    const told = new Map(data.events.map((event) => [event.uid, event]));
    const kept = state.network.events.filter((event) => !told.has(event.uid));
    state.network.events = [...kept, ...told.values()].sort((a, b) => a.at - b.at).slice(-MOST_EVENTS);
    return ["events"];
  },
  controller(state, data) {
    state.controller = { ...data, steps: state.controller.steps };
    return ["controller"];
  },
  steps(state, data) {
    const last = state.controller.steps.at(-1)?.number ?? -1;
    const fresh = data.steps.filter((step) => step.number > last);
    if (!fresh.length) return [];
    state.controller.steps = [...state.controller.steps, ...fresh].slice(-MOST_STEPS);
    return ["steps"];
  },
};

/** The tips of branches that nodes are on: who has merely not got the next block of a branch yet is on none of its own. */
export function branchesOf(tree) {
  const tips = tree.tips.filter((tip) => tip.nodes.length);
  const parents = new Map(tree.blocks.map((block) => [block.hash, block.parent]));
  const below = new Set();
  for (const tip of tips) for (let hash = parents.get(tip.hash); hash; hash = parents.get(hash)) below.add(hash);
  return tips.filter((tip) => !below.has(tip.hash) && !(tip.forkHeight >= 0 && tip.forkHeight >= tip.height));
}

/** A letter for each branch. The one that has most nodes of an earlier branch inherits its letter. */
export function lettersOf(tree, letters, before) {
  const taken = new Set();
  const found = new Map();
  const current = branchesOf(tree);
  if (current.length === 1) return new Map([[current[0].hash, "A"]]);
  const claims = [];
  for (const tip of current) {
    for (const old of before) {
      if (!letters.has(old.hash)) continue;
      const shared = tip.hash === old.hash ? Infinity : tip.nodes.filter((node) => old.nodes.includes(node)).length;
      if (shared) claims.push({ tip, letter: letters.get(old.hash), shared });
    }
  }
  for (const { tip, letter } of claims.sort((a, b) => b.shared - a.shared)) {
    if (found.has(tip.hash) || taken.has(letter)) continue;
    found.set(tip.hash, letter);
    taken.add(letter);
  }
  for (const tip of current) {
    if (found.has(tip.hash)) continue;
    const letter = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].find((each) => !taken.has(each)) ?? "Z";
    found.set(tip.hash, letter);
    taken.add(letter);
  }
  return found;
}
