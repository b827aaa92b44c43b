// The chain: blocks from the left to the right, a lane for each branch, and at its end who is on it.

import { counted, h, keyed, moves, ranges, s, setAttribute, setText, shortHash } from "./dom.js";
import { branchesOf } from "./state.js";

const COLUMN = 58;
const BLOCK = 46;
const TALL = 26;
const LANE = 44;
const TOP = 12;
const LEFT = 26;

export class Tree {
  constructor(root) {
    this.words = root.querySelector(".tips");
    this.hint = root.querySelector(".hint");
    this.scroller = root.querySelector(".chain-scroll");
    this.drawing = this.scroller.appendChild(s("svg", { role: "img", class: "chain" }));
    this.edges = this.drawing.appendChild(s("g"));
    this.blocks = this.drawing.appendChild(s("g"));
    this.seen = new Set();
    this.id = "";
  }

  render(id, tree, letters) {
    const plan = lanes(tree, letters);
    const isOther = id !== this.id || this.seen.size === 0;
    this.id = id;
    const width = LEFT + plan.columns * COLUMN + 8;
    const height = TOP * 2 + plan.lanes * LANE - (LANE - TALL);
    setAttribute(this.drawing, "width", width);
    setAttribute(this.drawing, "height", height);
    setAttribute(this.drawing, "viewBox", `0 0 ${width} ${height}`);
    setAttribute(this.drawing, "aria-label", inWords(tree, letters));
    keyed(this.edges, plan.edges, (edge) => edge.key, () => s("path", { class: "edge" }), (path, edge) => {
      setAttribute(path, "d", edge.path);
      setAttribute(path, "data-letter", edge.letter || null);
      setAttribute(path, "data-skipped", edge.skipped ? "yes" : null);
    });
    keyed(this.blocks, plan.blocks, (block) => block.hash, makeBlock, (element, block) => {
      setAttribute(element, "transform", `translate(${block.x} ${block.y})`);
      setAttribute(element, "data-letter", block.letter || null);
      setAttribute(element, "data-tip", block.isTip ? "yes" : null);
      setText(element.parts.height, `${block.height}`);
      setText(element.parts.title, titleOf(block));
      if (!isOther && !this.seen.has(block.hash) && moves()) element.classList.add("fresh");
    });
    this.seen = new Set(tree.blocks.map((block) => block.hash));
    this.scroller.scrollLeft = this.scroller.scrollWidth;
    this.say(tree, letters);
  }

  say(tree, letters) {
    const tips = tree.tips.filter((tip) => tip.nodes.length);
    const branches = branchesOf(tree);
    const isTie = branches.length > 1 && branches[0].height === branches[1].height;
    setText(this.hint, isTie ? "Both branches are equally long: nodes stay on theirs until a block is mined on one of them." : "");
    this.hint.hidden = !isTie;
    keyed(this.words, tips, (tip) => letters.get(tip.hash) ?? tip.hash, makeTip, (element, tip) => {
      setAttribute(element, "data-letter", letters.get(tip.hash) ?? "");
      setText(element.parts.letter, letters.get(tip.hash) ?? "·");
      setText(element.parts.height, `height ${tip.height}`);
      setText(element.parts.hash, shortHash(tip.hash));
      const noun = tip.nodes.length === 1 ? "node" : "nodes";
      setText(element.parts.who, `${noun} ${ranges(tip.nodes)}`);
      const parted = !branches.includes(tip) ? "behind" : tip.forkHeight >= 0 ? `parts at ${tip.forkHeight}: ${counted(tip.height - tip.forkHeight, "block")} of its own` : "";
      setText(element.parts.fork, branches.length > 1 && !parted ? "highest" : parted);
    });
  }
}

/** One sentence. */
export function inWords(tree, letters) {
  const tips = branchesOf(tree);
  if (!tips.length) return "No node answers: the chain is not known";
  const said = tips.map((tip) => {
    const noun = tip.nodes.length === 1 ? "node" : "nodes";
    return `tip ${letters.get(tip.hash)} at height ${tip.height} with ${noun} ${ranges(tip.nodes)}`;
  });
  return `${counted(tips.length, "tip")}: ${said.join("; ")}`;
}

/** Columns and lanes. A block is in the lane of the first branch that it is part of, branches by their letters. */
function lanes(tree, letters) {
  const byHash = new Map(tree.blocks.map((block) => [block.hash, block]));
  const placeOf = (tip) => letters.get(tip.hash) ?? "~"; // behind all letters: nobody is on it
  const tips = [...tree.tips].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : placeOf(a) > placeOf(b) ? 1 : 0));
  const laneOf = new Map();
  const letterOf = new Map();
  const heads = tips.filter((tip) => byHash.has(tip.hash));
  let lanesUsed = 0;
  for (const tip of heads) {
    let isNew = false;
    for (let hash = tip.hash; byHash.has(hash) && !laneOf.has(hash); hash = byHash.get(hash).parent) {
      laneOf.set(hash, lanesUsed);
      isNew = true;
    }
    if (isNew) lanesUsed += 1;
  }
  // What only one branch has wears its letter; what several have, none, unless there is but one.
  const branches = heads.filter((tip) => letters.has(tip.hash));
  const owners = new Map();
  for (const tip of branches) {
    for (let hash = tip.hash; byHash.has(hash); hash = byHash.get(hash).parent) owners.set(hash, (owners.get(hash) ?? 0) + 1);
  }
  for (const tip of branches) {
    for (let hash = tip.hash; byHash.has(hash); hash = byHash.get(hash).parent) {
      if (owners.get(hash) === 1) letterOf.set(hash, letters.get(tip.hash));
    }
  }
  const heights = [...new Set(tree.blocks.map((block) => block.height))].sort((a, b) => a - b);
  const columnOf = new Map(heights.map((height, index) => [height, index]));
  const tipHashes = new Set(branches.map((tip) => tip.hash));
  const blocks = tree.blocks.map((block) => ({
    ...block,
    x: LEFT + columnOf.get(block.height) * COLUMN,
    y: TOP + (laneOf.get(block.hash) ?? 0) * LANE,
    letter: letterOf.get(block.hash) ?? "",
    isTip: tipHashes.has(block.hash),
  }));
  return { blocks, edges: edgesOf(blocks), columns: heights.length, lanes: Math.max(1, lanesUsed) };
}

function edgesOf(blocks) {
  const byHash = new Map(blocks.map((block) => [block.hash, block]));
  return blocks.map((block) => {
    const parent = byHash.get(block.parent);
    const [x1, y1] = parent ? [parent.x + BLOCK, parent.y + TALL / 2] : [block.x - 16, block.y + TALL / 2];
    const [x2, y2] = [block.x, block.y + TALL / 2];
    const middle = (x1 + x2) / 2;
    const path = y1 === y2 ? `M${x1} ${y1}H${x2}` : `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
    const isRooted = !parent && block.height > 0;
    return { key: block.hash, path: parent || isRooted ? path : "", letter: block.letter, skipped: block.skipped > 0 || isRooted };
  });
}

function titleOf(block) {
  const mined = block.time ? `, ${new Date(block.time * 1000).toLocaleString()}` : "";
  const transactions = block.transactions >= 0 ? `, ${counted(block.transactions, "transaction")}` : "";
  return `Block ${block.height}${mined}${transactions}\n${block.hash}`;
}

function makeBlock() {
  const element = s("g", { class: "block" });
  const inner = element.appendChild(s("g", { class: "appear" }));
  inner.append(s("rect", { width: BLOCK, height: TALL, rx: 6 }));
  element.parts.height = inner.appendChild(s("text", { x: BLOCK / 2, y: TALL / 2 + 4.5 }));
  element.parts.title = element.appendChild(s("title"));
  return element;
}

function makeTip() {
  const element = h("li", { class: "tip" });
  for (const part of ["letter", "height", "who", "fork", "hash"]) {
    element.parts[part] = element.appendChild(h("span", { class: part }));
  }
  return element;
}
