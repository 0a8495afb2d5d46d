// One mounted picture: takes in its data, again and again.

const instances = new WeakMap(); // one record per mounted picture
const geometries = new Map(); // by version, shared by all mounts of this module
const waiting = new Map();
const directed = new Map(); // by picture: the workflow for which its direction was chosen, and since when it is on view
let lastInput = 0; // when the user did something last
for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, () => { lastInput = performance.now(); }, true);
const MOST_GEOMETRIES = 30, REST = 150;

function instanceOf(root) {
  let it = instances.get(root);
  if (!it) {
    const find = selector => root.querySelector(selector);
    it = { root, view: { k: 1, x: 0, y: 0 }, mode: "auto" };
    for (const name of ["stage", "view", "scene", "map", "bar", "steps", "foot", "wide"]) it[name === "view" ? "svg" : name] = find("." + name);
    instances.set(root, it);
    wire(it);
  }
  return it;
}

function draw(root, data, geometry, emit) {
  const it = instanceOf(root);
  it.key = data.key;
  it.askFor = direction => emit("direction", direction);
  it.pick = ({ kind, id }) => { // once more gives it back
    const isChosen = id === (kind === "edge" ? it.data.selected_edge : it.data.selected);
    emit("selected", isChosen ? null : { kind, id });
  };
  it.toggle = ({ kind, id }) => {
    const isSet = (it.data[kind + "s"][id] || {}).breakpoint;
    if (isSet || canBreak(it, entryOf(it, kind, id))) emit("breakpoint", { kind, id });
  };
  it.save = () => emit("picture", true);
  it.fold = id => {
    const { node } = it.nodes.get(id), { k, x, y } = it.view;
    it.folded = { id, x: k * node.x + x, y: k * node.y + y, mode: it.mode };
    emit("fold", id);
  };
  const followed = it.placed && currentNode(it);
  it.wasVisible = Boolean(followed) && isVisible(it, followed);
  it.data = data;
  it.looked = null;
  showNextSteps(it, data.next_steps);
  if (showLegend(it, data, geometry)) it.room = null; // it may take another line
  roomOf(it); // before anything is built: else the browser would lay out what is drawn twice
  const isBuilt = it.version !== data.version;
  if (isBuilt) build(it, geometry);
  it.version = data.version;
  if (it.chosen !== undefined && it.chosen !== `${data.selected} ${data.selected_edge}`) it.stop = null;
  it.chosen = `${data.selected} ${data.selected_edge}`;
  paint(it, data);
  paintMap(it, data.nodes);
  takePlace(it, `${data.key} ${data.ground} ${data.is_large}`, isBuilt);
  moveCallout(it);
  chooseDirection(it);
  report(it, data);
  root.dataset.direction = geometry.direction;
  root.dataset.stamp = data.stamp; // shows a test what has been drawn
}

// The direction is chosen when a workflow comes on view, as long as the page is still taking its shape, and again when the
// user has changed the pane: what a run adds, and a super node that is opened, turn nothing.
function chooseDirection(it) {
  if (!hasRoom(it)) return;
  const subject = `${it.data.subject} ${it.data.is_large}`, isFirst = directed.get(it.key)?.subject !== subject;
  if (isFirst) directed.set(it.key, { subject, since: performance.now() });
  const { since } = directed.get(it.key);
  if (since < lastInput) return;
  clearTimeout(it.choosing);
  it.choosing = setTimeout(() => { if (isFirst || since > lastInput) turn(it); }, isFirst ? 0 : REST);
}

function turn(it) {
  const wanted = it.root.isConnected && it.geometry ? wantedDirection(it) : null;
  if (wanted && wanted !== it.geometry.direction) it.askFor(wanted);
}

function turnAtRest(it) {
  clearTimeout(it.turning);
  it.turning = setTimeout(() => turn(it), REST);
}

// Where another workflow version comes on view, as it was left in a pane of this size; what a run adds to one moves nothing.
function takePlace(it, place_, isBuilt) {
  if (it.place !== place_ && it.folded && it.nodes.has(it.folded.id)) {
    it.place = place_;
    keepFolded(it); // it is what the user looks at now, wherever the run is
    return;
  }
  if (it.place !== place_) {
    it.place = place_;
    const stored = views.get(place_), room = roomOf(it);
    const isLeft = stored && (stored.mode === "own" || (stored.room.width === room.width && stored.room.height === room.height));
    it.placed = Boolean(isLeft);
    it.mode = stored ? stored.mode : "auto";
    if (it.placed) { it.view = stored.view; apply(it); } else place(it);
  } else if (it.placed && isBuilt) apply(it); // the same view of what is new in it
  if (it.placed) follow(it);
}

// A super node that was opened or closed stays in view: where it was, if the user has chosen the view.
function keepFolded(it) {
  const { id, x, y, mode } = it.folded, { node } = it.nodes.get(id), k = it.view.k;
  it.folded = null;
  it.mode = mode;
  if (mode !== "own") {
    place(it);
    if (!isVisible(it, node)) centre(it, node);
  } else {
    it.view = { k, x: x - k * node.x, y: y - k * node.y };
    apply(it);
  }
}

function report(it, data) {
  const status = it.root.querySelector(".status");
  if (status.textContent !== data.aria_label) status.textContent = data.aria_label; // a change is read aloud
  showSwitches(it);
}

function showNextSteps(it, steps) {
  const signature = JSON.stringify(steps);
  if (it.stepsShown === signature) return;
  it.stepsShown = signature;
  it.steps.hidden = !steps.length;
  it.steps.querySelector("summary").textContent = steps.length === 1 ? "1 possible next step" : `${steps.length} possible next steps`;
  const list = it.steps.querySelector("ul");
  list.replaceChildren(...steps.map(step => {
    const row = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.dataset[step.edge ? "edge" : "node"] = step.edge || step.to_id || "";
    for (const [name, text] of [["to", "→ " + step.to], ["if", step.condition || step.label]]) {
      const part = document.createElement("span");
      part.className = name;
      part.textContent = text;
      button.appendChild(part);
    }
    row.appendChild(button);
    return row;
  }));
}

// Returns whether it has changed: it says what is in the picture.
function showLegend(it, data, geometry) {
  const has = (entries, test) => Object.values(entries).some(test);
  const only = {
    break: data.can_break || has({ ...data.nodes, ...data.edges }, each => each.breakpoint),
    failed: has(data.nodes, each => each.state === "failed"), pin: has(data.nodes, each => each.pin),
    missing: geometry.nodes.some(node => node.missing) || geometry.edges.some(edge => edge.unmapped === "removed"),
  };
  const lanes = data.lanes || [], signature = JSON.stringify([only, lanes]), list = it.root.querySelector(".legend");
  if (it.legendShown === signature) return false;
  it.legendShown = signature;
  for (const name in only) list.querySelector(".only-" + name).hidden = !only[name];
  list.querySelectorAll(".only-lane").forEach(old => old.remove());
  for (const lane of lanes) {
    const row = document.createElement("li"), swatch = document.createElement("i");
    row.className = "only-lane";
    swatch.className = "swatch lane-" + lane.lane;
    row.append(swatch, lane.text);
    list.appendChild(row);
  }
  return true;
}

export default function ({ root: mount, data, emit }) {
  const root = mount.querySelector(".box");
  if (data.role === "geometry") { // an unseen mount whose message never changes: sent once, then cached
    root.style.display = "none";
    geometries.set(data.version, data.geometry);
    if (geometries.size > MOST_GEOMETRIES) geometries.delete(geometries.keys().next().value);
    (waiting.get(data.version) || []).forEach(go => go());
    waiting.delete(data.version);
    return;
  }
  const geometry = data.geometry || geometries.get(data.version);
  const go = () => draw(root, data, data.geometry || geometries.get(data.version), emit);
  if (geometry) go(); else waiting.set(data.version, [go]);
}
