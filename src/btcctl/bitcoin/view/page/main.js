// The page: what is told goes into the state, what has changed of it is drawn once a frame.
//
// Rules:
// * A message never draws: it marks what has changed, and the next frame draws that. However many messages come in a
//   frame, it draws each part once.
// * The address says which network is looked at (`#/NAMESPACE/NAME`): a link to it, the back button and a reload work.
// * How long it took from a message to the screen is a measure, `btcctl:message-to-screen`, for the tools of the browser.

import { Actions } from "./actions.js";
import { clockTime, counted, serverTime, setAttribute, setServerTime, setText } from "./dom.js";
import { Graph } from "./graph.js";
import { Inside } from "./inside.js";
import { HEALTHS, List } from "./list.js";
import { NodePanel, renderTable } from "./node.js";
import { idOf, State } from "./state.js";
import { Stream } from "./stream.js";
import { renderConditions, renderEvents } from "./timeline.js";
import { Tree } from "./tree.js";

const MEASURE = "btcctl:message-to-screen";
const MOST_MEASURES = 2000;
const of = (id) => document.getElementById(id);

const state = new State();
const list = new List();
const graph = new Graph(of("graph"), select, (chosen) => actions.say(chosen));
const actions = new Actions(state, graph);
const tree = new Tree(of("chain"));
const inside = new Inside();
const panel = new NodePanel(of("node"), () => closePanel(), (root, node) => actions.fillNode(root, node));
const stream = new Stream(take, connected);

let wanted = ""; // id of the network to look at; "" before one is chosen
let selected = null; // ordinal
const changed = new Set();
let since = 0; // when the oldest message that is not drawn yet came
let measured = 0;
let lostAt = 0;
let hasConnected = false;

function take(name, data) {
  if (name === "snapshot") setServerTime(data.at);
  const parts = state.apply(name, data);
  if ((name === "snapshot" || name === "network") && !state.network && chooseOne()) return;
  if (!parts.length) return;
  if (!changed.size) {
    since = performance.now();
    requestAnimationFrame(draw);
  }
  for (const part of parts) changed.add(part);
}

function draw() {
  const parts = new Set(changed);
  changed.clear();
  for (const [part, drawIt] of Object.entries(DRAWN)) if (parts.has(part)) drawIt();
  const begin = since;
  // What a frame has drawn is on the screen when a task that it has posted begins.
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    performance.measure(MEASURE, { start: begin, end: performance.now(), detail: [...parts] });
    if (++measured % MOST_MEASURES === 0) performance.clearMeasures(MEASURE);
  };
  channel.port2.postMessage(null);
}

const DRAWN = {
  server: drawServer,
  networks: () => list.render([...state.networks.values()], wanted),
  about: drawAbout,
  nodes: drawNodes,
  tree: drawTree,
  events: () => state.network && renderEvents(of("timeline"), state.network.events),
  controller: () => inside.render(state.controller),
  steps: () => inside.renderSteps(state.controller.steps),
};

function drawServer() {
  const { server } = state;
  setText(of("cluster"), server.cluster);
  of("read-only").hidden = !server.isReadOnly;
  of("network").hidden = !state.network;
  of("nothing").hidden = Boolean(state.network);
  setText(of("nothing").firstElementChild, whatIsMissing());
  document.title = state.network ? `${state.network.name} · btcctl` : "btcctl";
  banner();
}

function whatIsMissing() {
  if (wanted) return `There is no network ${wanted}${state.networks.size ? ": choose one on the left" : ""}`;
  return state.networks.size ? "Choose a network on the left" : "There are no networks yet";
}

function drawAbout() {
  if (!state.network) return;
  const { about } = state.network;
  const { summary } = about;
  setText(of("title"), summary.name);
  setText(of("health"), HEALTHS[summary.health]);
  setAttribute(of("health"), "data-health", summary.health);
  drawFacts();
  setText(of("message"), [summary.message, about.rpcProblem].filter(Boolean).join(". "));
  renderConditions(of("conditions"), about.conditions);
  actions.render();
}

/** In the heading: what the status says, and the height as the nodes have it, which the status follows in steps of 10 s. */
function drawFacts() {
  const { about } = state.network;
  const { summary } = about;
  const behind = about.observedGeneration < about.generation ? "the controller has not seen the latest change yet" : "";
  const facts = [
    summary.namespace,
    `${summary.nodesReady} of ${summary.nodesWanted} nodes ready`,
    `height ${state.height}`,
    summary.chain,
    about.topology && `topology ${about.topology}`,
    about.groups.length ? `partitioned into ${about.groups.length}` : "",
    summary.version,
    behind,
  ];
  setText(of("facts"), facts.filter(Boolean).join(" · "));
}

function drawNodes() {
  const { network, letters } = state;
  if (!network) return;
  const hasTips = letters.size > 1;
  const letterOf = (hash) => (hasTips ? (letters.get(hash) ?? "") : "");
  graph.render({ id: state.id, nodes: network.nodes, links: network.links, groups: network.about.groups, letterOf, selected });
  drawFacts();
  panel.render(network, selected);
  if (of("table").open) renderTable(of("rows"), network, letters);
  actions.render();
}

function drawTree() {
  if (!state.network) return;
  const { letters } = state;
  tree.render(state.id, state.network.tree, letters);
  setText(of("tips-count"), letters.size ? counted(letters.size, "tip") : "not known");
  setAttribute(of("tips-count"), "data-many", letters.size > 1 ? "yes" : null);
}

function select(ordinal) {
  selected = ordinal;
  drawNodes();
}

function closePanel() {
  const before = selected;
  select(null);
  graph.focus(before);
}

// Which network.

function chooseOne() {
  if (wanted || !state.networks.size) return false;
  location.replace(`#/${idOf(state.networks.values().next().value)}`);
  return true;
}

function route() {
  const id = idInAddress();
  if (id === wanted && stream.path !== null) return;
  wanted = id;
  selected = null;
  if (graph.isCutting) actions.endCut();
  stream.open(id ? `events?network=${encodeURIComponent(id)}` : "events");
}

/** Somebody may have typed it. */
function idInAddress() {
  const text = location.hash.replace(/^#\//, "");
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// How it stands with the connection.

function connected({ connected: is, why = "" }) {
  if (is) {
    hasConnected = true;
    lostAt = 0;
  } else lostAt ||= serverTime();
  const pill = of("connection");
  setAttribute(pill, "data-state", is ? "live" : "lost");
  setText(pill, is ? "live" : hasConnected ? `no connection since ${clockTime(lostAt)}` : "no connection");
  document.body.toggleAttribute("data-stale", !is);
  banner(why);
}

function banner(why = "") {
  const element = of("banner");
  const lost = lostAt ? `No connection since ${clockTime(lostAt)}: ${why}. What is shown is as it was then.` : "";
  const problem = state.problem ? `The cluster cannot be seen: ${state.problem}` : "";
  setText(element, lost || problem);
  element.hidden = !element.textContent;
}

// Light and dark: the system's, until somebody chooses.

const THEMES = ["system", "light", "dark"];

let chosenTheme = "system";

/** What a browser keeps for us; it may be told to keep nothing, and then even asking fails. */
function kept(use) {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
}

function theme(name) {
  chosenTheme = name;
  kept((store) => store.setItem("theme", name));
  setAttribute(document.documentElement, "data-theme", name === "system" ? null : name);
  setText(of("theme"), `Theme: ${name}`);
  graph.recolour();
}

of("theme").addEventListener("click", () => theme(THEMES[(THEMES.indexOf(chosenTheme) + 1) % THEMES.length]));

of("table").addEventListener("toggle", () => drawNodes());
window.addEventListener("hashchange", route);
const before = kept((store) => store.getItem("theme"));
theme(THEMES.includes(before) ? before : "system");
route();
