// The inside of the controller: where changes are on their way from the API server to a reconcile, what is in hand, and
// how old the caches are.
//
// A journey is what led to one reconcile: the changes that were seen for it, and when each stage was reached first. Until
// a handler has made a key of it, a change is known by its informer and version; from then on by the id of the reconcile
// that it leads to.

import { ago, counted, h, keyed, milliseconds, moves, serverTime, setAttribute, setText } from "./dom.js";

const STAGES = {
  reflector: ["Reflector", "reads a line of a watch"],
  fifo: ["Delta FIFO", "keeps what happened, by key"],
  cache: ["Cache", "shows the object as it is now"],
  handler: ["Handler", "turns the object into a key"],
  queue: ["Work queue", "each key once, when it is due"],
  reconcile: ["Reconcile", "compares what is with what is wanted"],
  done: ["Done", "written, and what comes next"],
};
const NAMES = Object.keys(STAGES);
// Of the results of a reconcile, as metrics have them, those that are no words.
const RESULTS = { requeue_after: "success, looks again", conflict: "changed meanwhile, again", terminal_error: "error, no further try" };
const MOST_JOURNEYS = 20;
const MOST_LOOKS = 2;
const LIT = 700; // milliseconds for which a stage that was reached is lit

export class Inside {
  constructor() {
    const of = (id) => document.getElementById(id);
    this.root = of("inside");
    [this.where, this.why, this.seen, this.stages] = ["inside-where", "inside-why", "inside-seen", "stages"].map(of);
    [this.journeys, this.keys, this.caches] = ["journeys", "keys", "caches"].map(of);
    of("journeys-head").append(h("th", { text: "Change" }), ...NAMES.map((name) => h("th", { text: STAGES[name][0] })));
    keyed(this.stages, NAMES, (name) => name, makeStage);
    this.lit = new Map();
    this.shown = -1; // number of the last step that was shown
  }

  render(controller) {
    this.root.hidden = !controller.isVisible && !controller.whyNot;
    this.seen.hidden = !controller.isVisible;
    setText(this.why, controller.isVisible ? "" : controller.whyNot);
    this.why.hidden = controller.isVisible;
    const leads = controller.isLeading ? "leads" : "does not lead";
    setText(this.where, controller.isVisible ? `${controller.where}, ${leads}` : "");
    this.renderCounts(controller);
    this.renderKeys(controller.queues);
    this.renderCaches(controller.caches);
  }

  renderCounts({ queues, caches }) {
    const sum = (list, of) => list.reduce((total, each) => total + of(each), 0);
    const counts = {
      reflector: counted(sum(caches, (cache) => cache.events), "event"),
      fifo: `${sum(caches, (cache) => cache.queued)} waiting`,
      cache: counted(sum(caches, (cache) => cache.objects), "object"),
      queue: `${sum(queues, (queue) => queue.depth)} due, ${sum(queues, (queue) => queue.delayed)} later`,
      reconcile: `${sum(queues, (queue) => queue.running)} in hand`,
    };
    for (const stage of this.stages.children) setText(stage.parts.count, counts[stage.dataset.stage] ?? "");
  }

  renderSteps(steps) {
    for (const step of steps) {
      if (step.number <= this.shown) continue;
      this.shown = step.number;
      this.light(step.stage);
    }
    keyed(this.journeys, worthShowing(journeysOf(steps)), (journey) => journey.id, makeJourney, updateJourney);
  }

  light(name) {
    const stage = [...this.stages.children].find((each) => each.dataset.stage === name);
    if (!stage) return;
    setAttribute(stage, "data-lit", "yes");
    clearTimeout(this.lit.get(name));
    this.lit.set(name, setTimeout(() => stage.removeAttribute("data-lit"), moves() ? LIT : LIT * 2));
  }

  renderKeys(queues) {
    const keys = queues.flatMap((queue) => queue.keys.map((key) => ({ ...key, queue: queue.name })));
    keyed(this.keys, keys, (key) => `${key.queue} ${key.key}`, makeKey, (row, key) => {
      setAttribute(row, "data-failed", key.lastError ? "yes" : null);
      setText(row.parts.key, key.key);
      const failures = key.failures ? `, failed ${counted(key.failures, "time")} in a row` : "";
      setText(row.parts.now, `${key.state}${failures}`);
      setText(row.parts.why, key.why || "–");
      setText(row.parts.last, key.lastResult ? `${said(key.lastResult)} (took ${milliseconds(key.lastSeconds)})` : "–");
      setText(row.parts.error, key.lastError);
      if (key.nextAt) ago(row.parts.next, key.nextAt, (text) => (key.nextAt > serverTime() ? `in ${text}` : "now"));
      else ago(row.parts.next, 0);
    });
  }

  renderCaches(caches) {
    keyed(this.caches, caches, (cache) => cache.name, makeCache, (row, cache) => {
      setText(row.parts.name, short(cache.name));
      setAttribute(row.parts.name, "title", cache.name);
      setText(row.parts.objects, `${cache.objects}`);
      setText(row.parts.queued, `${cache.queued}`);
      ago(row.parts.changed, cache.changedAt, (text) => `${text} ago`);
      ago(row.parts.heard, cache.heardAt, (text) => `${text} ago`);
      setText(row.parts.state, cache.problem || (cache.isSynced ? "synced" : "not synced yet"));
      setAttribute(row, "data-failed", cache.problem ? "yes" : null);
    });
  }
}

/** Steps put together, by when their journeys began. A handler's step says which reconcile a change leads to. */
export function journeysOf(steps) {
  const informerOf = (step) => (step.stage === "handler" ? step.what : step.of);
  const changeOf = (step) => (step.version ? `${informerOf(step)} ${step.version}` : "");
  const leadsTo = new Map();
  for (const step of steps) {
    if (step.reconcile && step.version && !leadsTo.has(changeOf(step))) leadsTo.set(changeOf(step), step.reconcile);
  }
  const journeys = new Map();
  for (const step of steps) {
    const change = changeOf(step);
    const id = step.reconcile || leadsTo.get(change) || change || `${step.number}`;
    if (!journeys.has(id)) journeys.set(id, { id, at: {}, changes: new Set(), what: "", key: "", result: "" });
    const journey = journeys.get(id);
    journey.at[step.stage] ??= step.at;
    if (change) journey.changes.add(change);
    if (change && step.stage !== "handler") journey.what ||= `${step.what.toLowerCase()} ${short(step.of)} ${step.key}`;
    else journey.key = step.key;
    if (step.stage === "done") journey.result = said(step.what);
  }
  return [...journeys.values()];
}

/** The latest first. Looks that only the clock has led to are many, and all alike: the last few say that they go on. */
function worthShowing(journeys) {
  const changes = journeys.filter((journey) => journey.changes.size).slice(-MOST_JOURNEYS);
  const looks = journeys.filter((journey) => !journey.changes.size).slice(-MOST_LOOKS);
  const shown = new Set([...changes, ...looks]);
  return journeys.filter((journey) => shown.has(journey)).reverse();
}

/** How a reconcile ended; an error may follow the word. */
const said = (result) => result.replace(/^\w+/, (word) => RESULTS[word] ?? word);

/** A collection without its group: `bitcoinnetworks`. */
const short = (collection) => collection.split(".")[0];

function makeStage(name) {
  const [title, about] = STAGES[name];
  const stage = h("li", { class: "stage", data: { stage: name } }, h("strong", { text: title }), h("span", { class: "about", text: about }));
  stage.parts.count = stage.appendChild(h("span", { class: "count" }));
  return stage;
}

function makeJourney() {
  const row = h("tr");
  row.parts.what = row.appendChild(h("th", { scope: "row" }));
  row.parts.marks = NAMES.map((name) => row.appendChild(h("td", { data: { stage: name } })));
  return row;
}

function updateJourney(row, journey) {
  const more = journey.changes.size > 1 ? ` and ${journey.changes.size - 1} more` : "";
  setText(row.parts.what, (journey.what || `a look at ${journey.key}`) + more);
  const began = Math.min(...Object.values(journey.at));
  NAMES.forEach((name, index) => {
    const at = journey.at[name];
    const cell = row.parts.marks[index];
    setAttribute(cell, "data-reached", at ? "yes" : null);
    const result = name === "done" && journey.result ? ` ${journey.result}` : "";
    setText(cell, at ? `+${milliseconds(at - began)}${result}` : "");
  });
}

function makeKey() {
  const row = h("tr");
  [row.parts.key, row.parts.now, row.parts.why] = Array.from({ length: 3 }, () => row.appendChild(h("td")));
  const last = row.appendChild(h("td"));
  row.parts.last = last.appendChild(h("span"));
  row.parts.error = last.appendChild(h("span", { class: "error" }));
  row.parts.next = row.appendChild(h("td"));
  return row;
}

function makeCache() {
  const row = h("tr");
  for (const part of ["name", "objects", "queued", "changed", "heard", "state"]) row.parts[part] = row.appendChild(h("td"));
  return row;
}
