// The workflow as a picture. Geometry comes once per structure; afterwards only classes and marks change, so
// zoom, pan and focus survive every turn. Texts are data from outside: they enter through textContent alone.

const SVG = "http://www.w3.org/2000/svg";
const instances = new WeakMap(); // one record per mounted picture
const views = new Map(); // zoom and pan by key: they outlive an unmount, as when the table is shown instead
const geometries = new Map(); // by version, shared by all mounts of this module
const waiting = new Map();

const LINE = 15, CAPTION = 13; // pixels from one line of a name to the next, and to the caption

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
  const width = Math.max(15, 6 + text.length * 5.6);
  make("rect", { x: x - width / 2, y: y - 7.5, width, height: 15, rx: 7.5 }, group);
  make("text", { x, y: y + 0.5, "text-anchor": "middle", "dominant-baseline": "central" }, group, text);
  return width;
}

function build(it, geometry) {
  it.scene.replaceChildren();
  it.nodes = new Map();
  it.edges = new Map();
  it.geometry = geometry;
  const edgeLayer = make("g", {}, it.scene);
  const nodeLayer = make("g", {}, it.scene);
  for (const edge of geometry.edges) {
    const group = make("g", { class: "edge", "data-id": edge.id }, edgeLayer);
    make("title", {}, group, edge.title);
    make("path", { class: "hit", d: edge.path }, group);
    const line = make("path", { class: "line", d: edge.path }, group);
    if (edge.label && edge.label_at) {
      make("text", { class: "label", x: edge.label_at[0], y: edge.label_at[1] }, group, edge.label);
    }
    it.edges.set(edge.id, { group, line, edge, signature: "" });
  }
  for (const node of geometry.nodes) {
    const { x, y } = node;
    const group = make("g", { class: "node", tabindex: "-1", role: "button", "data-id": node.id }, nodeLayer);
    make("title", {}, group, node.title);
    const box = { x: x - node.width / 2, y: y - node.height / 2, width: node.width, height: node.height, rx: 6 };
    make("rect", { class: "halo", x: box.x - 4, y: box.y - 4, width: box.width + 8, height: box.height + 8, rx: 9 }, group);
    make("rect", { class: "body", ...box }, group);
    const first = y - ((node.lines.length - 1) * LINE + CAPTION) / 2;
    node.lines.forEach((line, index) => make("text", { class: "title", x, y: first + index * LINE }, group, line));
    make("text", { class: "sub", x, y: first + (node.lines.length - 1) * LINE + CAPTION + 1 }, group, node.caption);
    const marks = make("g", {}, group);
    it.nodes.set(node.id, { group, marks, node, signature: "" });
  }
  const has = flag => geometry.nodes.some(node => node[flag]);
  it.root.querySelector(".only-global").hidden = !has("is_global");
  it.root.querySelector(".only-ghost").hidden = !has("ghost");
}

function paint(it, data) {
  const stop = [data.selected, ...data.current, it.nodes.keys().next().value].find(id => it.nodes.has(id));
  for (const [id, entry] of it.nodes) {
    const state = data.nodes[id] || { state: "unreached" };
    entry.group.setAttribute("tabindex", id === stop ? "0" : "-1");
    const signature = JSON.stringify([state, id === data.selected]);
    if (signature === entry.signature) continue;
    entry.signature = signature;
    paintNode(entry, state, id === data.selected);
  }
  for (const [id, entry] of it.edges) {
    const state = data.edges[id] || { state: "" };
    const signature = JSON.stringify(state);
    if (signature === entry.signature) continue;
    entry.signature = signature;
    paintEdge(entry, state);
  }
  it.root.querySelector('[data-do="current"]').disabled = !data.current.some(id => it.nodes.has(id));
}

function paintNode({ group, marks, node }, state, selected) {
  const classes = ["node", state.state];
  if (selected) classes.push("selected");
  if (node.disabled) classes.push("disabled");
  if (node.ghost) classes.push("missing");
  group.setAttribute("class", classes.join(" "));
  group.setAttribute("aria-pressed", String(selected));
  const told = [node.lines.join(" "), node.caption, STATE_WORDS[state.state]];
  if (state.visits) told.push(state.visits === 1 ? "1 visit" : state.visits + " visits");
  if (state.order) told.push("in order " + state.order);
  if (state.note) told.push(state.note);
  group.setAttribute("aria-label", told.filter(Boolean).join(", "));
  marks.replaceChildren();
  const { x, y } = node;
  const left = x - node.width / 2, right = x + node.width / 2, top = y - node.height / 2, bottom = y + node.height / 2;
  if (state.order) mark(marks, state.state === "failed" ? "alert" : "order", left + 4, top, state.order);
  if (state.visits > 1) mark(marks, "count", right - 6, top, "×" + state.visits);
  if (state.state === "current") mark(marks, "here", x, bottom + 5, state.note || "here");
  if (state.state === "visited" && state.note) mark(marks, "note", x, bottom + 5, state.note);
  if (state.state === "failed") mark(marks, "alert", x, bottom + 5, state.note || "failed");
  if (node.is_global && !["current", "failed"].includes(state.state)) mark(marks, "global", right - 14, bottom + 3, "global");
}

function paintEdge({ group, line, edge }, state) {
  const classes = ["edge", state.state];
  if (edge.disabled) classes.push("disabled");
  group.setAttribute("class", classes.join(" ").trim());
  const tip = state.state === "taken" ? "tip-taken" : state.state === "next" ? "tip-next" : "tip";
  line.setAttribute("marker-end", `url(#${tip})`);
  group.querySelectorAll(".mark").forEach(old => old.remove());
  if (state.order) {
    const at = line.getPointAtLength(line.getTotalLength() * 0.3);
    mark(group, "order", at.x, at.y, state.order);
  }
}

// The view: a scale and an offset

function apply(it) {
  const { k, x, y } = it.view;
  it.scene.setAttribute("transform", `translate(${x},${y}) scale(${k})`);
  views.set(it.key, { view: it.view, version: it.version, moved: it.moved });
}

function fit(it) {
  const room = it.svg.getBoundingClientRect(), pad = 40;
  if (!room.width || !room.height) return false;
  const k = Math.min((room.width - pad) / it.geometry.width, (room.height - pad) / it.geometry.height, 1.15);
  it.view = { k, x: (room.width - k * it.geometry.width) / 2, y: (room.height - k * it.geometry.height) / 2 };
  apply(it);
  return true;
}

function centre(it, id, least) {
  const entry = it.nodes.get(id);
  if (!entry) return;
  const room = it.svg.getBoundingClientRect(), k = Math.max(it.view.k, least || 0);
  it.view = {
    k,
    x: within(room.width / 2 - k * entry.node.x, room.width, k * it.geometry.width),
    y: within(room.height / 2 - k * entry.node.y, room.height, k * it.geometry.height),
  };
  apply(it);
}

// An offset that leaves no more empty room at either end than a margin; what is smaller than the room is centred.
function within(offset, room, size) {
  const margin = 24;
  return size < room - 2 * margin ? (room - size) / 2 : Math.min(margin, Math.max(room - size - margin, offset));
}

// A first view shows the whole graph, or what is current where the whole would be too small to read.
function place(it) {
  it.placed = fit(it);
  const first = it.data.current.find(id => it.nodes.has(id)) || (it.geometry.nodes[0] || {}).id;
  if (it.placed && it.view.k < 0.55) centre(it, first, 0.75);
}

function isVisible(it, id) {
  const entry = it.nodes.get(id), room = it.svg.getBoundingClientRect(), { k, x, y } = it.view;
  if (!entry) return true;
  const px = k * entry.node.x + x, py = k * entry.node.y + y, edge = 4;
  const half = { x: k * entry.node.width / 2 + edge, y: k * entry.node.height / 2 + edge };
  return px > half.x && py > half.y && px < room.width - half.x && py < room.height - half.y;
}

// The picture follows the run until a person moves it; Fit, Current and the next turn hand it back.
function follow(it) {
  const first = it.data.current.find(id => it.nodes.has(id));
  if (first && !it.moved && !isVisible(it, first)) centre(it, first);
}

function zoom(it, factor, cx, cy) {
  const k = Math.min(4, Math.max(0.05, it.view.k * factor)), ratio = k / it.view.k;
  it.view = { k, x: cx - ratio * (cx - it.view.x), y: cy - ratio * (cy - it.view.y) };
  it.moved = true;
  apply(it);
}

// Handlers are assigned once per instance and read what is current from it.

function wire(it) {
  let drag = null;
  it.svg.onwheel = event => { // a plain wheel scrolls the page
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const room = it.svg.getBoundingClientRect();
    zoom(it, Math.exp(-event.deltaY * 0.0022), event.clientX - room.left, event.clientY - room.top);
  };
  it.svg.onpointerdown = event => {
    drag = { x: event.clientX, y: event.clientY, view: { ...it.view }, moved: false, id: event.pointerId };
  };
  it.svg.onpointermove = event => {
    if (!drag) return;
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    if (!drag.moved) it.svg.setPointerCapture(drag.id);
    drag.moved = it.moved = true;
    it.view = { ...drag.view, x: drag.view.x + dx, y: drag.view.y + dy };
    apply(it);
  };
  it.svg.onpointerup = event => {
    const was = drag;
    drag = null;
    const group = event.target.closest(".node");
    if (was && !was.moved && group) it.pick(group.dataset.id);
  };
  it.svg.onpointercancel = () => { drag = null; };
  it.svg.onkeydown = event => {
    const group = event.target.closest(".node");
    if (group && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      it.pick(group.dataset.id);
    } else if (group && event.key.startsWith("Arrow")) {
      event.preventDefault();
      walk(it, group, event.key === "ArrowDown" || event.key === "ArrowRight" ? 1 : -1);
    } else {
      steer(it, event);
    }
  };
  it.root.querySelector(".bar").onclick = event => {
    const room = it.svg.getBoundingClientRect(), x = room.width / 2, y = room.height / 2;
    const action = event.target.dataset.do;
    if (action === "in") zoom(it, 1.25, x, y);
    if (action === "out") zoom(it, 0.8, x, y);
    if (action === "fit" || action === "current") it.moved = false;
    if (action === "fit") fit(it);
    if (action === "current") centre(it, it.data.current.find(id => it.nodes.has(id)), 0.9);
  };
  it.observer = new ResizeObserver(() => { // born in a hidden place the picture has no size yet
    if (!it.geometry) return;
    if (!it.placed) place(it); else follow(it);
  });
  it.observer.observe(it.svg);
}

// One tab stop for the whole graph; arrows go from node to node in reading order.
function walk(it, group, step) {
  const ids = it.reading, next = it.nodes.get(ids[(ids.indexOf(group.dataset.id) + step + ids.length) % ids.length]);
  next.group.focus();
  if (!isVisible(it, next.node.id)) centre(it, next.node.id);
}

function steer(it, event) {
  const room = it.svg.getBoundingClientRect();
  const move = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
  if (event.key === "+" || event.key === "=") zoom(it, 1.2, room.width / 2, room.height / 2);
  else if (event.key === "-") zoom(it, 1 / 1.2, room.width / 2, room.height / 2);
  else if (event.key === "0") { it.moved = false; fit(it); }
  else if (move) {
    event.preventDefault();
    it.moved = true;
    it.view = { ...it.view, x: it.view.x + move[0], y: it.view.y + move[1] };
    apply(it);
  }
}

function draw(root, data, geometry, setStateValue) {
  let it = instances.get(root);
  if (!it) {
    it = { root, svg: root.querySelector("svg"), scene: root.querySelector(".scene"), view: { k: 1, x: 0, y: 0 } };
    instances.set(root, it);
    wire(it);
  }
  it.key = data.key;
  it.data = data;
  const turn = data.stamp.split(".")[0];
  if (it.turn !== undefined && it.turn !== turn) it.moved = false;
  it.turn = turn;
  it.pick = id => setStateValue("selected", id === it.data.selected ? null : id); // once more gives it back
  const isNew = it.version !== data.version;
  if (isNew) {
    build(it, geometry);
    it.version = data.version;
    it.reading = geometry.nodes.slice().sort((a, b) => a.y - b.y || a.x - b.x).map(node => node.id);
  }
  paint(it, data);
  if (isNew) {
    const kept = views.get(data.key);
    it.placed = Boolean(kept && kept.version === data.version);
    it.moved = it.placed && kept.moved;
    if (it.placed) { it.view = kept.view; apply(it); } else place(it);
  }
  if (it.placed) follow(it);
  const told = root.querySelector(".told");
  if (told.textContent !== data.told) told.textContent = data.told; // a change is read aloud
  root.dataset.stamp = data.stamp; // tells a test what has been drawn
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".box");
  if (data.role === "geometry") { // an unseen mount whose message never changes: sent once, then cached
    root.style.display = "none";
    geometries.set(data.version, data.geometry);
    if (geometries.size > 30) geometries.delete(geometries.keys().next().value);
    (waiting.get(data.version) || []).forEach(go => go());
    waiting.delete(data.version);
    return;
  }
  const geometry = data.geometry || geometries.get(data.version);
  const go = () => draw(root, data, data.geometry || geometries.get(data.version), setStateValue);
  if (geometry) go(); else waiting.set(data.version, [go]);
}
