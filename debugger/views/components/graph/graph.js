// One mounted picture: takes in its data, again and again.

const instances = new WeakMap(); // one record per mounted picture
const geometries = new Map(); // by version, shared by all mounts of this module
const waiting = new Map();
const MOST_GEOMETRIES = 30, REST = 150;

function instanceOf(root) {
  let it = instances.get(root);
  if (!it) {
    const find = selector => root.querySelector(selector);
    it = { root, view: { k: 1, x: 0, y: 0 } };
    for (const name of ["stage", "view", "scene", "map", "bar", "ways", "foot", "wide"]) it[name === "view" ? "svg" : name] = find("." + name);
    instances.set(root, it);
    wire(it);
  }
  return it;
}

function draw(root, data, geometry, setStateValue, setTriggerValue) {
  const it = instanceOf(root);
  it.key = data.key;
  it.data = data;
  it.askFor = direction => setTriggerValue("direction", direction);
  it.pick = ({ kind, id }) => { // once more gives it back
    const isChosen = id === (kind === "edge" ? it.data.selected_edge : it.data.selected);
    setStateValue("selected", isChosen ? null : { kind, id });
  };
  it.toggle = ({ kind, id }) => {
    const isSet = (it.data[kind + "s"][id] || {}).breakpoint;
    if (isSet || canBreak(it, entryOf(it, kind, id))) setTriggerValue("breakpoint", { kind, id });
  };
  roomOf(it); // before anything is built: else the browser would lay out what is drawn twice
  if (it.version !== data.version) build(it, geometry);
  it.version = data.version;
  if (it.chosen !== undefined && it.chosen !== `${data.selected} ${data.selected_edge}`) it.stop = null;
  it.chosen = `${data.selected} ${data.selected_edge}`;
  paint(it, data);
  paintMap(it, data.nodes);
  if (showWays(it, data.ways || []) && it.isFitted && !it.moved) fit(it);
  takePlace(it, `${data.key} ${data.ground}`);
  moveCallout(it);
  askForDirection(it);
  tell(it, data);
  root.dataset.direction = geometry.direction;
  root.dataset.stamp = data.stamp; // tells a test what has been drawn
}

// The other direction is laid out when the shape of the pane asks for it, once the shape has come to rest.
function askForDirection(it) {
  clearTimeout(it.asking);
  const isFirst = it.asked === undefined;
  it.asking = setTimeout(() => {
    const wanted = it.root.isConnected && it.geometry ? wantedDirection(it) : null;
    if (wanted && wanted !== it.geometry.direction && it.asked !== wanted) it.askFor(it.asked = wanted);
    else if (wanted && wanted === it.geometry.direction) it.asked = null;
  }, isFirst ? 0 : REST);
}

// Where another workflow version comes on view, as it was left in a pane of this size; what a run adds to one moves nothing.
function takePlace(it, place_) {
  if (it.place !== place_) {
    it.place = place_;
    const stored = views.get(place_), room = roomOf(it);
    const isLeft = stored && (stored.moved || (stored.room.width === room.width && stored.room.height === room.height));
    it.placed = Boolean(isLeft);
    it.moved = it.placed && stored.moved;
    it.isFitted = it.placed && stored.isFitted;
    if (it.placed) { it.view = stored.view; apply(it); } else place(it);
  }
  if (it.placed) follow(it);
}

function tell(it, data) {
  const status = it.root.querySelector(".told");
  if (status.textContent !== data.aria_label) status.textContent = data.aria_label; // a change is read aloud
  it.root.querySelector('[data-do="current"]').disabled = !currentNode(it);
  showSwitches(it);
  showLegend(it, data);
}

// Returns whether they have come or gone.
function showWays(it, ways) {
  const signature = JSON.stringify(ways), wasHidden = it.ways.hidden;
  if (it.waysShown === signature) return false;
  it.waysShown = signature;
  it.ways.hidden = !ways.length;
  it.ways.querySelector("summary").textContent = ways.length === 1 ? "1 possible next step" : `${ways.length} possible next steps`;
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
  return it.ways.hidden !== wasHidden;
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
