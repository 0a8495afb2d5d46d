// The workflow as a picture. Geometry comes once per structure; afterwards only classes and marks change, so
// zoom, pan and focus survive every turn. Texts are data from outside: they enter through textContent alone.

const SVG = "http://www.w3.org/2000/svg";
const LINE = 15, CAPTION = 13; // pixels from one line of a name to the next, and to the caption
const MARK_AT = 0.28, ADDED_MARK_AT = 0.5, DOT_AT = 0.7; // where along an edge its numbers stand, and its breakpoint

const STATE_WORDS = {
  current: "you are here", visited: "visited", next: "possible next", failed: "failed",
  unreached: "not reached", ghost: "not in this version",
};

function make(name, attributes, parent, text) {
  const element = document.createElementNS(SVG, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (text !== undefined) element.textContent = text;
  if (parent) parent.appendChild(element);
  return element;
}

// A short text in a rounded box, centred at x, y.
function mark(parent, kind, x, y, text) {
  const group = make("g", { class: "mark " + kind }, parent);
  const width = markWidth(text);
  make("rect", { x: x - width / 2, y: y - 7.5, width, height: 15, rx: 7.5 }, group);
  make("text", { x, y: y + 0.5, "text-anchor": "middle", "dominant-baseline": "central" }, group, text);
  return group;
}

function markWidth(text) {
  return Math.max(15, 8 + text.length * 5.6);
}

function build(it, geometry) {
  const focused = it.root.getRootNode().activeElement, held = focused && focused.closest(".node, .edge");
  it.scene.replaceChildren();
  it.nodes = new Map();
  it.edges = new Map();
  it.geometry = geometry;
  const edgeLayer = make("g", {}, it.scene);
  const nodeLayer = make("g", {}, it.scene);
  for (const edge of geometry.edges) buildEdge(it, edge, edgeLayer);
  for (const node of geometry.nodes) buildNode(it, node, nodeLayer);
  it.reading = geometry.nodes.slice().sort((a, b) => a.y - b.y || a.x - b.x).map(node => node.id);
  const has = flag => geometry.nodes.some(node => node[flag]);
  it.root.querySelector(".only-global").hidden = !has("is_global");
  it.root.querySelector(".only-ghost").hidden = !has("ghost") && !geometry.edges.some(edge => edge.stray === "ghost");
  const again = held && entryOf(it, held.dataset.kind, held.dataset.id);
  if (again) again.group.focus({ preventScroll: true });
}

function buildEdge(it, edge, layer) {
  const group = make("g", { class: "edge", tabindex: "-1", role: "button", "data-kind": "edge", "data-id": edge.id }, layer);
  make("title", {}, group, edge.title);
  make("path", { class: "hit", d: edge.path }, group);
  const line = make("path", { class: "line", d: edge.path }, group);
  if (edge.label && edge.label_at) {
    make("text", { class: "label", x: edge.label_at[0], y: edge.label_at[1] }, group, edge.label);
  }
  it.edges.set(edge.id, { group, line, edge, places: new Map(), marks: make("g", {}, group), signature: "" });
}

// Measured once: an edge keeps its path, and each measuring has the browser lay the picture out.
function placeOn({ line, places }, share) {
  if (!places.has(share)) places.set(share, line.getPointAtLength(line.getTotalLength() * share));
  return places.get(share);
}

function buildNode(it, node, layer) {
  const { x, y } = node;
  const group = make("g", { class: "node", tabindex: "-1", role: "button", "data-kind": "node", "data-id": node.id }, layer);
  make("title", {}, group, node.title);
  const box = { x: x - node.width / 2, y: y - node.height / 2, width: node.width, height: node.height, rx: 6 };
  make("rect", { class: "halo", x: box.x - 4, y: box.y - 4, width: box.width + 8, height: box.height + 8, rx: 9 }, group);
  make("rect", { class: "body", ...box }, group);
  const first = y - ((node.lines.length - 1) * LINE + CAPTION) / 2;
  node.lines.forEach((line, index) => make("text", { class: "title", x, y: first + index * LINE }, group, line));
  const sub = make("text", { class: "sub", x, y: first + (node.lines.length - 1) * LINE + CAPTION + 1 }, group, node.caption);
  it.nodes.set(node.id, { group, sub, marks: make("g", {}, group), node, signature: "" });
}

function entryOf(it, kind, id) {
  return (kind === "edge" ? it.edges : it.nodes).get(id);
}

function paint(it, data) {
  const chosen = data.selected_edge !== null && it.edges.has(data.selected_edge) ? data.selected_edge : null;
  const stop = [data.selected, ...data.current, it.reading[0]].find(id => it.nodes.has(id));
  const stored = it.stop && entryOf(it, it.stop.kind, it.stop.id) ? it.stop : null;
  it.stop = stored || (chosen !== null ? { kind: "edge", id: chosen } : { kind: "node", id: stop });
  const repaint = (kind, entries, states, selected, draw) => {
    for (const [id, entry] of entries) {
      const state = states[id] || { state: kind === "node" ? "unreached" : "" };
      entry.group.setAttribute("tabindex", kind === it.stop.kind && id === it.stop.id ? "0" : "-1");
      const signature = JSON.stringify([state, id === selected, data.can_break]);
      if (signature === entry.signature) continue;
      entry.signature = signature;
      draw(it, entry, state, id === selected);
    }
  };
  repaint("node", it.nodes, data.nodes, data.selected, paintNode);
  repaint("edge", it.edges, data.edges, chosen, paintEdge);
}

function paintNode(it, { group, sub, marks, node }, state, selected) {
  const classes = ["node", state.state];
  if (selected) classes.push("selected");
  if (node.disabled) classes.push("disabled");
  if (node.ghost) classes.push("missing");
  if (state.lane) classes.push("lane-" + state.lane);
  const figure = state.figure || (state.share ? state.share + " of the time" : "");
  if (figure) classes.push("heat");
  group.setAttribute("class", classes.join(" "));
  group.style.setProperty("--heat", state.heat || 0);
  sub.textContent = figure || node.caption;
  group.setAttribute("aria-pressed", String(selected));
  const labels = [node.lines.join(" "), node.caption, STATE_WORDS[state.state]];
  if (state.visits) labels.push(state.visits === 1 ? "1 visit" : state.visits + " visits");
  if (state.order) labels.push("in order " + state.order);
  if (figure) labels.push(figure);
  labels.push(state.note, state.pin, state.breakpoint && state.breakpoint.title);
  group.setAttribute("aria-label", labels.filter(Boolean).join(", "));
  marks.replaceChildren();
  const { x, y } = node;
  const left = x - node.width / 2, right = x + node.width / 2, top = y - node.height / 2, bottom = y + node.height / 2;
  if (state.order) mark(marks, state.state === "failed" ? "alert" : "order", left + 4, top, state.order);
  if (state.visits > 1) mark(marks, "count", right - 6, top, "×" + state.visits);
  paintChips(marks, chipsOf(node, state), x, bottom + 5);
  if (state.pin) paintPin(marks, right, y, state.pin);
  paintDot(marks, "node", left, y, state.breakpoint, canBreak(it, { node }));
}

function chipsOf(node, state) {
  const chips = (state.chips || []).map(chip => ({ kind: chip.lane ? "lane-" + chip.lane : "here", text: chip.text }));
  if (!chips.length && state.state === "failed") chips.push({ kind: "alert", text: state.note || "failed" });
  else if (state.state === "failed") chips[0].kind = "alert";
  if (!chips.length && state.state === "visited" && state.note) chips.push({ kind: "note", text: state.note });
  if (!chips.length && node.is_global) chips.push({ kind: "global", text: "global" });
  return chips;
}

// Side by side below the box: where each thread stands, and what else there is to say.
function paintChips(marks, chips, x, y) {
  const gap = 3, widths = chips.map(chip => markWidth(chip.text));
  let left = x - (widths.reduce((sum, width) => sum + width, 0) + gap * (chips.length - 1)) / 2;
  chips.forEach((chip, index) => {
    mark(marks, chip.kind, left + widths[index] / 2, y, chip.text);
    left += widths[index] + gap;
  });
}

function paintPin(marks, x, y, title) {
  const group = make("g", { class: "pin", transform: `translate(${x},${y})` }, marks);
  make("title", {}, group, title);
  make("circle", { r: 7.5 }, group);
  make("path", { d: "M-2,-4.5h4l-.6,3.4 2,1.6v1.2h-2.9L0,5 -.5,1.7h-2.9V.5l2-1.6z" }, group);
}

// Nothing can stop at what this version does not have.
function canBreak(it, { node, edge }) {
  return it.data.can_break && !(node && node.ghost) && !(edge && edge.stray);
}

// A breakpoint, or the place where one can be set. Its shape tells its kind, its title why.
function paintDot(marks, kind, x, y, breakpoint, canBreak) {
  if (!breakpoint && !canBreak) return;
  const look = breakpoint ? breakpoint.look : "none";
  const group = make("g", { class: `dot ${look}`, transform: `translate(${x},${y})` }, marks);
  make("title", {}, group, breakpoint ? breakpoint.title : "Set a breakpoint (B)");
  make("circle", { class: "touch", r: 12 }, group);
  const size = kind === "node" ? 5.5 : 4.5;
  if (look === "log") make("path", { class: "shape", d: `M0,${-size - 1.5}L${size + 1.5},0L0,${size + 1.5}L${-size - 1.5},0z` }, group);
  else make("circle", { class: "shape", r: size }, group);
  if (look === "disabled") make("path", { class: "bar", d: "M-4,4L4,-4" }, group);
}

function paintEdge(it, entry, state, selected) {
  const { group, line, edge, marks } = entry;
  const classes = ["edge", state.state];
  if (edge.disabled) classes.push("disabled");
  if (edge.forks || edge.type === "companion") classes.push("forks");
  if (edge.stray) classes.push(edge.stray);
  if (selected) classes.push("selected");
  if (state.lane) classes.push("lane-" + state.lane);
  if (state.figure) classes.push("heat");
  group.setAttribute("class", classes.filter(Boolean).join(" "));
  group.style.setProperty("--heat", state.heat || 0);
  group.setAttribute("aria-pressed", String(selected));
  const name = id => it.nodes.has(id) ? it.nodes.get(id).node.lines.join(" ") : id;
  const labels = [`edge from ${name(edge.source)} to ${name(edge.target)}`, edge.label, STATE_WORDS[state.state]];
  if (state.state === "taken") labels.push(state.taken === 1 ? "taken once" : `taken ${state.taken} times`);
  if (state.order) labels.push("as hop " + state.order);
  if (state.figure) labels.push(state.figure);
  if (edge.stray === "ghost") labels.push("not in this version");
  labels.push(state.breakpoint && state.breakpoint.title);
  group.setAttribute("aria-label", labels.filter(Boolean).join(", "));
  const tip = state.state === "taken" && !state.lane ? "tip-taken" : state.state === "next" ? "tip-next" : "tip";
  line.setAttribute("marker-end", `url(#${tip})`);
  marks.replaceChildren();
  const number = placeOn(entry, edge.stray ? ADDED_MARK_AT : MARK_AT), dot = placeOn(entry, DOT_AT);
  if (state.order) mark(marks, state.lane ? "lane-" + state.lane : "order", number.x, number.y, state.order);
  else if (state.figure) mark(marks, "figure", number.x, number.y, state.figure);
  paintDot(marks, "edge", dot.x, dot.y, state.breakpoint, canBreak(it, { edge }));
}
