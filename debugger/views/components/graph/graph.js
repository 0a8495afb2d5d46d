// One mounted picture: takes in its data, again and again.

const instances = new WeakMap(); // one record per mounted picture
const geometries = new Map(); // by version, shared by all mounts of this module
const waiting = new Map();
const MOST_GEOMETRIES = 30;

function instanceOf(root) {
  let it = instances.get(root);
  if (!it) {
    const find = selector => root.querySelector(selector);
    it = { root, view: { k: 1, x: 0, y: 0 } };
    for (const name of ["stage", "view", "scene", "bar", "ways", "legend", "wide"]) it[name === "view" ? "svg" : name] = find("." + name);
    instances.set(root, it);
    wire(it);
  }
  return it;
}

function draw(root, data, geometry, setStateValue, setTriggerValue) {
  const it = instanceOf(root);
  it.key = data.key;
  it.data = data;
  const turn = data.stamp.split(".")[0];
  if (it.turn !== undefined && it.turn !== turn && follows(it)) it.moved = false;
  it.turn = turn;
  it.pick = ({ kind, id }) => { // once more gives it back
    const isChosen = id === (kind === "edge" ? it.data.selected_edge : it.data.selected);
    setStateValue("selected", isChosen ? null : { kind, id });
  };
  it.toggle = ({ kind, id }) => {
    const isSet = (it.data[kind + "s"][id] || {}).breakpoint;
    if (isSet || canBreak(it, entryOf(it, kind, id))) setTriggerValue("breakpoint", { kind, id });
  };
  if (it.version !== data.version) build(it, geometry);
  it.version = data.version;
  if (it.chosen !== undefined && it.chosen !== `${data.selected} ${data.selected_edge}`) it.stop = null;
  it.chosen = `${data.selected} ${data.selected_edge}`;
  paint(it, data);
  takePlace(it, `${data.key} ${data.ground}`);
  tell(it, data);
  root.dataset.stamp = data.stamp; // tells a test what has been drawn
}

// Where another workflow version comes on view, as it was left; what a run adds to one moves nothing.
function takePlace(it, place_) {
  if (it.place !== place_) {
    it.place = place_;
    const stored = views.get(place_);
    it.placed = Boolean(stored);
    it.moved = it.placed && stored.moved;
    if (it.placed) { it.view = stored.view; apply(it); } else place(it);
  }
  if (it.placed) follow(it);
}

function tell(it, data) {
  const status = it.root.querySelector(".told");
  if (status.textContent !== data.aria_label) status.textContent = data.aria_label; // a change is read aloud
  it.root.querySelector('[data-do="current"]').disabled = !currentNode(it);
  showSwitches(it);
  showWays(it, data.ways || []);
  showLegend(it, data);
}

function showWays(it, ways) {
  const signature = JSON.stringify(ways);
  if (it.waysShown === signature) return;
  it.waysShown = signature;
  it.ways.hidden = !ways.length;
  it.ways.querySelector("summary").textContent = ways.length === 1 ? "1 way on" : `${ways.length} ways on`;
  const list = it.ways.querySelector("ul");
  list.replaceChildren(...ways.map(way => {
    const row = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.dataset[way.edge ? "edge" : "node"] = way.edge || way.to_id || "";
    for (const [name, text] of [["to", "→ " + way.to], ["if", way.condition || way.label]]) {
      const part = document.createElement("span");
      part.className = name;
      part.textContent = text;
      button.appendChild(part);
    }
    row.appendChild(button);
    return row;
  }));
}

function showLegend(it, data) {
  const has = (entries, test) => Object.values(entries).some(test);
  it.root.querySelector(".only-break").hidden = !has(data.nodes, each => each.breakpoint) && !has(data.edges, each => each.breakpoint);
  it.root.querySelector(".only-pin").hidden = !has(data.nodes, each => each.pin);
  const lanes = data.lanes || [], signature = JSON.stringify(lanes), list = it.root.querySelector(".legend");
  if (it.lanesShown === signature) return;
  it.lanesShown = signature;
  list.querySelectorAll(".only-lane").forEach(old => old.remove());
  for (const lane of lanes) {
    const row = document.createElement("li"), swatch = document.createElement("i");
    row.className = "only-lane";
    swatch.className = "swatch lane-" + lane.lane;
    row.append(swatch, lane.text);
    list.appendChild(row);
  }
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".box");
  if (data.role === "geometry") { // an unseen mount whose message never changes: sent once, then cached
    root.style.display = "none";
    geometries.set(data.version, data.geometry);
    if (geometries.size > MOST_GEOMETRIES) geometries.delete(geometries.keys().next().value);
    (waiting.get(data.version) || []).forEach(go => go());
    waiting.delete(data.version);
    return;
  }
  const geometry = data.geometry || geometries.get(data.version);
  const go = () => draw(root, data, data.geometry || geometries.get(data.version), setStateValue, setTriggerValue);
  if (geometry) go(); else waiting.set(data.version, [go]);
}
