// The workflow as a picture. Geometry comes once per structure; afterwards only classes and marks change, so
// zoom, pan and focus survive every turn. Texts are data from outside: they enter through textContent alone.

const SVG = "http://www.w3.org/2000/svg";
const CHARACTER = 6.2, DIGIT = 5.9, BLANK = 2.7; // widths, rather too large: of a mark's characters, of a label's numbers
const NAME = 12, LINE = 15; // pixels: the size of a name, and from one of its lines to the next
const ICON_ROOM = 19, RIGHT = 5; // at the sides of a name
const ASIDE = 4, GAP = 3; // what badges take beside a box, and between them
const BEYOND = 18; // what a state may take beyond that: in a flow to the right nothing is behind the upper line of a name of two
const LABEL_SIDES = { down: 8, right: 14 }; // of the gap around a label, what its words may take beside numbers
const ADDED_LABEL_AT = 0.5, ADDED_DOT_AT = 0.7; // along an edge that the run added: its numbers, and its breakpoint

const STATE_WORDS = {
  current: "you are here", visited: "visited", next: "possible next", failed: "failed",
  unreached: "not reached", missing: "not in this version",
};

function make(name, attributes, parent, text) {
  const element = document.createElementNS(SVG, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (text !== undefined) element.textContent = text;
  if (parent) parent.appendChild(element);
  return element;
}

// Of node types, in squares of 12 pixels. Those without one of their own do a step.
const ICONS = {
  talk: "M1.5,2h9v6.2h-5.2l-2.3,2.3v-2.3h-1.5z",
  model: "M6,.8L7.4,4.6L11.2,6L7.4,7.4L6,11.2L4.6,7.4L.8,6L4.6,4.6z",
  text: "M1.5,2.8h9M1.5,6h9M1.5,9.2h5.5",
  outside: "M4.2,.8v2.7M7.8,.8v2.7M2.4,3.5h7.2v2.3a3.6,3.6,0,0,1,-7.2,0zM6,9.4v2",
  message: "M1,2.5h10v7h-10zM1,3l5,4l5,-4",
  end: "M6,1.2a4.8,4.8,0,1,0,.01,0zM4.3,4.3l3.4,3.4M7.7,4.3l-3.4,3.4",
  several: "M3.8,3.6v-2.3h7v7h-2.3M1.3,3.6h7.2v7.2h-7.2z",
  step: "M3,3h6v6h-6z",
  none: "M4,4.2a2,2,0,1,1,2.8,1.9q-.8,.4,-.8,1.4M6,9.6v.6",
};

// A short text in a rounded box, centred at x, y.
function mark(parent, kind, x, y, text) {
  const group = make("g", { class: "mark " + kind }, parent);
  const width = markWidth(text);
  make("rect", { x: x - width / 2, y: y - 6.5, width, height: 13, rx: 6.5 }, group);
  make("text", { x, y: y + 0.5, "text-anchor": "middle", "dominant-baseline": "central" }, group, text);
  return group;
}

function markWidth(text) {
  return Math.max(14, 8 + [...text].reduce((sum, each) => sum + (" ,".includes(each) ? BLANK : CHARACTER), 0));
}

function build(it, geometry) {
  const focused = it.root.getRootNode().activeElement, held = focused && focused.closest(".node, .edge");
  it.scene.replaceChildren();
  it.nodes = new Map();
  it.edges = new Map();
  it.geometry = geometry;
  it.nameSize = NAME;
  it.threads = new Map();
  const groupLayer = make("g", {}, it.scene); // a group is below all that is in it
  const edgeLayer = make("g", {}, it.scene);
  const nodeLayer = make("g", {}, it.scene);
  for (const edge of geometry.edges) buildEdge(it, edge, edgeLayer);
  for (const node of geometry.nodes) {
    if (node.kind === "thread") buildThread(it, node, groupLayer);
    else if (node.kind === "super_node") buildGroup(it, node, groupLayer);
    else buildNode(it, node, nodeLayer);
  }
  const along = geometry.direction === "right" ? "x" : "y", across = along === "x" ? "y" : "x";
  const begin = node => node.kind === "super_node" ? node[along] - (along === "x" ? node.width : node.height) / 2 : node[along];
  it.reading = [...it.nodes.values()].map(entry => entry.node)
    .sort((a, b) => begin(a) - begin(b) || a[across] - b[across]).map(node => node.id);
  buildMap(it, geometry);
  const again = held && entryOf(it, held.dataset.kind, held.dataset.id);
  if (again) again.group.focus({ preventScroll: true });
}

function buildEdge(it, edge, layer) {
  const group = make("g", { class: "edge", tabindex: "-1", role: "button", "data-kind": "edge", "data-id": edge.id }, layer);
  make("title", {}, group, edge.title);
  make("path", { class: "hit", d: edge.path }, group);
  const line = make("path", { class: "line", d: edge.path }, group);
  const marks = make("g", {}, group), tag = make("g", { class: "tag" }, group); // a click on a label sets no breakpoint
  it.edges.set(edge.id, { group, line, edge, places: new Map(), tag, marks, signature: "" });
}

// Measured once: an edge keeps its path, and each measuring has the browser lay the picture out.
function placeOn({ line, places }, share) {
  if (!places.has(share)) places.set(share, line.getPointAtLength(line.getTotalLength() * share));
  return places.get(share);
}

// The box around the nodes of a companion thread. It can do nothing, so nothing can be done to it.
function buildThread(it, node, layer) {
  const group = make("g", { class: "thread" }, layer), left = node.x - node.width / 2, top = node.y - node.height / 2;
  make("rect", { class: "room", x: left, y: top, width: node.width, height: node.height, rx: 8 }, group);
  const name = make("text", { class: "name", x: left + 10, y: top + 12 }, group, node.lines[0]);
  it.threads.set(node.id, { group, name, node });
}

// The box around what is inside an opened super node.
function buildGroup(it, node, layer) {
  const group = make("g", { class: "node group", tabindex: "-1", role: "button", "data-kind": "node", "data-id": node.id }, layer);
  const left = node.x - node.width / 2, top = node.y - node.height / 2, { width, height } = node;
  make("title", {}, group, node.title);
  make("rect", { class: "halo", x: left - 4, y: top - 4, width: width + 8, height: height + 8, rx: 11 }, group);
  make("rect", { class: "room", x: left, y: top, width, height, rx: 8 }, group);
  make("text", { class: "name", x: left + 10, y: top + 12 }, group, node.lines[0]);
  paintFold(group, left + width - 12, top + 11, true);
  it.nodes.set(node.id, { group, titles: [], marks: make("g", {}, group), node, signature: "" });
}

// The button that opens or closes a super node.
function paintFold(group, x, y, isOpen) {
  const button = make("g", { class: "fold", transform: `translate(${x},${y})` }, group);
  make("title", {}, button, isOpen ? "Close: hide what is inside (U)" : "Open: show what is inside (U)");
  make("rect", { class: "touch", x: -12, y: -12, width: 24, height: 24 }, button);
  make("rect", { class: "shape", x: -6.5, y: -6.5, width: 13, height: 13, rx: 3 }, button);
  make("path", { class: "sign", d: isOpen ? "M-3.5,0h7" : "M-3.5,0h7M0,-3.5v7" }, button);
}

function buildNode(it, node, layer) {
  const group = make("g", { class: "node", tabindex: "-1", role: "button", "data-kind": "node", "data-id": node.id }, layer);
  make("title", {}, group, node.title);
  const box = { x: node.x - node.width / 2, y: node.y - node.height / 2, width: node.width, height: node.height, rx: 5 };
  make("rect", { class: "halo", x: box.x - 4, y: box.y - 4, width: box.width + 8, height: box.height + 8, rx: 8 }, group);
  make("rect", { class: "body", ...box }, group);
  const icon = make("g", { class: "icon " + node.icon, transform: `translate(${box.x + 4},${node.y - 6})` }, group);
  make("title", {}, icon, node.caption);
  make("path", { d: ICONS[node.icon] }, icon);
  const titles = node.lines.map(line => make("text", { class: "title" }, group, line));
  if (node.button) paintFold(group, box.x + node.width - 11, node.y, false);
  const entry = { group, titles, marks: make("g", {}, group), node, signature: "" };
  paintName(entry, NAME);
  it.nodes.set(node.id, entry);
}

// The name in its box; where the picture is small, larger than that: as much of it as there is room for.
function paintName({ titles, node }, size) {
  if (!titles.length) return;
  const isLarge = size > NAME, left = isLarge ? 3 : ICON_ROOM, right = (isLarge ? 3 : RIGHT) + node.button;
  const pitch = isLarge ? size * 1.06 : LINE, room = node.width - left - right;
  const count = Math.min(titles.length, Math.floor((node.height + 2) / pitch));
  const texts = node.lines.slice(0, count).map((line, at) => shortened(at + 1 < count ? line : node.lines.slice(at).join(" "), size, room));
  const isShown = texts.length > 0 && texts.every(Boolean);
  titles.forEach((title, at) => {
    title.style.display = isShown && at < count ? "" : "none";
    if (!isShown || at >= count) return;
    title.textContent = isLarge ? texts[at] : node.lines[at];
    title.setAttribute("font-size", size);
    title.setAttribute("x", node.x - node.width / 2 + left + room / 2);
    title.setAttribute("y", node.y + (at - (count - 1) / 2) * pitch);
  });
}

const pen = document.createElement("canvas").getContext("2d");

// A text cut to a width; nothing where three of its characters and an ellipsis have no room.
function shortened(text, size, room) {
  const share = room / (pen.measureText(text).width * size / NAME);
  if (share >= 1) return text;
  const characters = [...text], most = Math.floor(characters.length * share) - 1;
  return most < 3 ? "" : characters.slice(0, most).join("").trimEnd() + "…";
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
      const signature = JSON.stringify([state, id === selected, data.can_break, data.can_fold]);
      if (signature === entry.signature) continue;
      entry.signature = signature;
      draw(it, entry, state, id === selected);
    }
  };
  repaint("node", it.nodes, data.nodes, data.selected, paintNode);
  for (const [id, { group, name, node }] of it.threads) {
    const { lane, sign } = data.nodes[id] || {};
    group.setAttribute("class", "thread" + (lane ? " lane-" + lane : ""));
    name.textContent = [sign, node.lines[0]].filter(Boolean).join(" ");
  }
  repaint("edge", it.edges, data.edges, chosen, paintEdge);
}

function paintNode(it, { group, marks, node }, state, selected) {
  const isGroup = node.kind === "super_node", classes = ["node", state.state];
  if (isGroup) classes.push("group");
  if (selected) classes.push("selected");
  if (node.disabled) classes.push("disabled");
  if (node.missing) classes.push("missing");
  if (state.here) classes.push("here");
  if (state.lane) classes.push("lane-" + state.lane);
  const figure = state.figure || (state.share ? state.share + " of the time" : "");
  if (figure) classes.push("heat");
  group.setAttribute("class", classes.join(" "));
  group.style.setProperty("--heat", state.heat || 0);
  group.setAttribute("aria-pressed", String(selected));
  if (isGroup || node.button) group.setAttribute("aria-expanded", String(isGroup));
  const labels = [node.name, isGroup ? "super node, opened" : node.caption, STATE_WORDS[state.state], state.here && STATE_WORDS.current];
  if (state.visits) labels.push(state.visits === 1 ? "1 visit" : state.visits + " visits");
  if (state.order) labels.push("in order " + orderWords(state));
  if (figure) labels.push(figure);
  labels.push(state.note, state.pin, state.breakpoint && state.breakpoint.title);
  group.setAttribute("aria-label", labels.filter(Boolean).join(", "));
  marks.replaceChildren();
  const { x, y } = node;
  const left = x - node.width / 2, right = x + node.width / 2, top = y - node.height / 2 - 3, bottom = y + node.height / 2;
  const isMore = state.visits > (state.order ? state.order.split(",").length + (state.more || 0) : 1);
  const count = isMore ? "×" + state.visits : "", besides = (count ? markWidth(count) + GAP : 0) + (state.pin ? 13 + GAP : 0);
  const least = state.order ? markWidth(numbersIn(state, 0, markWidth)) + GAP : 0, room = node.width + 2 * ASIDE - besides;
  let end = right + ASIDE;
  if (state.pin) {
    paintPin(marks, end - 6.5, top, state.pin);
    end -= 13 + GAP;
  }
  if (!isGroup) {
    const chips = chipsOf(node, state, figure), missing = chips.length === 1 ? markWidth(chips[0].text) + GAP - (room - least) : 0;
    const isFree = it.geometry.direction === "right" && node.lines.length > 1 && !besides;
    const beyond = isFree && missing > 0 && missing <= BEYOND ? missing + 0.1 : 0; // some play, as widths are sums
    end -= paintChips(marks, chips, room - least + beyond, end + beyond, top) - beyond;
  }
  if (count) {
    mark(marks, "count", end - markWidth(count) / 2, top, count);
    end -= markWidth(count) + GAP;
  }
  if (state.order) {
    const text = numbersIn(state, end - left + ASIDE, markWidth);
    mark(marks, state.state === "failed" ? "alert" : "order", left - ASIDE + markWidth(text) / 2, top, text);
  }
  group.classList.toggle("folds", canFold(it, node));
  paintDot(marks, "node", left + 1.5, bottom - 2.5, state.breakpoint, canBreak(it, { node }));
}

// As many numbers as fit, the latest first to stay: "3, 5", or "5 +4". Some of them stay whatever is beside them.
function numbersIn({ order, more }, room, widthOf, least = 0) {
  const numbers = order.split(",");
  const texts = numbers.map((_, from) => {
    const hidden = (more || 0) + from;
    return numbers.slice(from).join(", ") + (hidden ? " +" + hidden : "");
  });
  const fits = limit => texts.find(text => widthOf(text) <= limit);
  return fits(room) || fits(least) || texts[texts.length - 1];
}

function chipsOf(node, state, figure) {
  const chips = (state.chips || []).map(chip => ({ kind: chip.lane ? "lane-" + chip.lane : "here", text: chip.text }));
  if (!chips.length && state.state === "failed") chips.push({ kind: "alert", text: state.note || "failed" });
  else if (state.state === "failed") chips[0].kind = "alert";
  if (!chips.length && state.state === "visited" && state.note) chips.push({ kind: "note", text: state.note });
  if (figure) chips.push({ kind: "figure", text: figure, short: figure.split(" · ").pop() });
  if (!chips.length && node.is_global) chips.push({ kind: "global", text: "global" });
  return chips;
}

// Side by side at the end of the upper border: the position of each thread, and what else there is to say. Where they
// are too wide, threads keep their signs, and what is still too wide is counted. Returns how much they take.
function paintChips(marks, chips, room, right, y) {
  const widthOf = some => some.reduce((sum, { text }) => sum + markWidth(text) + GAP, 0);
  let shown = chips;
  if (widthOf(shown) > room) shown = shown.map(chip => chip.short ? { ...chip, text: chip.short } : chip);
  if (widthOf(shown) > room) shown = shown.map((chip, at) => at && chip.kind.startsWith("lane-") ? { ...chip, text: [...chip.text][0] } : chip);
  for (let count = chips.length - 1; count > 0 && widthOf(shown) > room; count -= 1) {
    shown = [...shown.slice(0, count), { kind: "note", text: "+" + (chips.length - count) }];
  }
  if (shown.length && widthOf(shown) > room) {
    const rest = widthOf(shown) - markWidth(shown[0].text), most = Math.max(3, Math.floor((room - rest - 8) / CHARACTER));
    shown = [{ ...shown[0], text: [...shown[0].text].slice(0, most - 1).join("") + "…" }, ...shown.slice(1)];
  }
  let at = right - widthOf(shown) + GAP;
  for (const { kind, text } of shown) {
    const drawn = mark(marks, kind, at + markWidth(text) / 2, y, text);
    make("title", {}, drawn, chips.map(chip => chip.text).join(", "));
    at += markWidth(text) + GAP;
  }
  return widthOf(shown);
}

function paintPin(marks, x, y, title) {
  const group = make("g", { class: "pin", transform: `translate(${x},${y})` }, marks);
  make("title", {}, group, title);
  make("circle", { r: 6.5 }, group);
  make("path", { transform: "scale(.85)", d: "M-2,-4.5h4l-.6,3.4 2,1.6v1.2h-2.9L0,5 -.5,1.7h-2.9V.5l2-1.6z" }, group);
}

function canFold(it, node) {
  return it.data.can_fold && Boolean(node.button);
}

// Nothing can stop at what this version does not have.
function canBreak(it, { node, edge }) {
  return it.data.can_break && !(node && node.missing) && !(edge && edge.unmapped);
}

// A breakpoint, or the place where one can be set. Its shape tells its kind, its title why.
function paintDot(marks, kind, x, y, breakpoint, canBreak) {
  if (!breakpoint && !canBreak) return;
  const look = breakpoint ? breakpoint.look : "none";
  const group = make("g", { class: `dot ${look}`, transform: `translate(${x},${y})` }, marks);
  make("title", {}, group, breakpoint ? breakpoint.title : "Set a breakpoint (B)");
  make("circle", { class: "touch", r: kind === "node" ? 10 : 7 }, group); // the middle of an edge chooses it
  const size = kind === "node" ? 5 : 4.5;
  if (look === "log") make("path", { class: "shape", d: `M0,${-size - 1}L${size + 1},0L0,${size + 1}L${-size - 1},0z` }, group);
  else make("circle", { class: "shape", r: size }, group);
  if (look === "disabled") make("path", { class: "bar", d: "M-4,4L4,-4" }, group);
}

function paintEdge(it, entry, state, selected) {
  const { group, line, edge, marks } = entry;
  const classes = ["edge", state.state];
  if (edge.disabled) classes.push("disabled");
  if (edge.forks || edge.type === "companion") classes.push("forks");
  if (edge.unmapped) classes.push(edge.unmapped);
  if (selected) classes.push("selected");
  if (state.lane) classes.push("lane-" + state.lane);
  if (state.figure) classes.push("heat");
  group.setAttribute("class", classes.filter(Boolean).join(" "));
  group.style.setProperty("--heat", state.heat || 0);
  group.setAttribute("aria-pressed", String(selected));
  const name = id => it.nodes.has(id) ? it.nodes.get(id).node.lines.join(" ") : id;
  const labels = [`edge from ${name(edge.source)} to ${name(edge.target)}`, edge.label, STATE_WORDS[state.state]];
  if (state.state === "taken") labels.push(state.taken === 1 ? "taken once" : `taken ${state.taken} times`);
  if (state.order) labels.push("as transition " + orderWords(state));
  if (state.figure) labels.push(state.figure);
  if (edge.unmapped === "removed") labels.push("not in this version");
  labels.push(state.breakpoint && state.breakpoint.title);
  group.setAttribute("aria-label", labels.filter(Boolean).join(", "));
  const tip = state.state === "taken" && !state.lane ? "tip-taken" : state.state === "next" ? "tip-next" : "tip";
  line.setAttribute("marker-end", `url(#${tip})`);
  marks.replaceChildren();
  paintTag(entry, state, it.geometry.direction);
  const dot = edge.mark_at ? { x: edge.mark_at[0], y: edge.mark_at[1] } : placeOn(entry, ADDED_DOT_AT);
  paintDot(marks, "edge", dot.x, dot.y, state.breakpoint, canBreak(it, { edge }));
}

function orderWords({ order, more }) {
  return order.split(",").join(", ") + (more ? ` and ${more} before` : "");
}

// The label with the numbers of the run's path before it, on a ground of its own: "3, 5 · incomplete".
function paintTag(entry, state, direction) {
  const { edge, tag } = entry, room = edge.label_room || 80, label_width = edge.label ? edge.label_width : 0;
  const between = label_width ? 3 * BLANK : 0;
  const numbers = state.order ? numbersIn(state, room - label_width - between, numbersWidth, room / 2) : state.figure || "";
  const used = numbers ? numbersWidth(numbers) + between : 0;
  const rest = room - used + (numbers && edge.label_at ? LABEL_SIDES[direction] : 0), label = cut(edge.label, label_width, rest);
  const width = used + Math.min(label_width, rest) + 4;
  tag.replaceChildren();
  if (!numbers && !label) return;
  const centre = edge.label_at ? { x: edge.label_at[0], y: edge.label_at[1] } : placeOn(entry, ADDED_LABEL_AT);
  const isBeside = direction === "down" && edge.label_at, left = isBeside ? centre.x - room / 2 : centre.x - width / 2;
  make("rect", { class: "ground", x: left - (isBeside ? 2 : 0), y: centre.y - 6.5, width, height: 13, rx: 3 }, tag);
  const text = make("text", { class: "label", x: isBeside ? left : centre.x, y: centre.y }, tag);
  if (isBeside) text.style.textAnchor = "start";
  if (numbers) make("tspan", { class: "numbers" }, text, numbers);
  if (label) make("tspan", {}, text, (numbers ? " · " : "") + label);
}

function numbersWidth(text) {
  return [...text].reduce((sum, each) => sum + (" ,·".includes(each) ? BLANK : each === "%" ? 10 : DIGIT), 0);
}

function cut(label, width, room) {
  if (!label || width <= room + 0.1) return label; // widths are sums
  const characters = [...label], most = Math.floor(characters.length * Math.max(0, room - 10) / width);
  return characters.slice(0, most).join("").trimEnd() + "…";
}
