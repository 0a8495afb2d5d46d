// The map: the whole graph in a corner, with a frame around what is on view, where the pane is too small to read all
// of it at once. All that it does, keys do.

const MAP_WIDTH = 220, MAP_HEIGHT = 96, LEAST_SIDE = 14;

function buildMap(it, { nodes, width, height }) {
  const k = Math.min(MAP_WIDTH / width, MAP_HEIGHT / height), spots = it.map.querySelector(".spots");
  spots.replaceChildren();
  it.spots = new Map();
  it.mapScale = k;
  it.mapSize = { width: Math.max(LEAST_SIDE, k * width), height: Math.max(LEAST_SIDE, k * height) };
  for (const side in it.mapSize) it.map.setAttribute(side, it.mapSize[side]);
  for (const node of nodes) {
    if (node.kind !== "node") continue;
    const size = { width: Math.max(1.5, k * node.width), height: Math.max(1.5, k * node.height) };
    const place = { x: k * node.x - size.width / 2, y: k * node.y - size.height / 2 };
    it.spots.set(node.id, make("rect", { class: "spot", ...place, ...size }, spots));
  }
}

function paintMap(it, states) {
  for (const [id, spot] of it.spots) spot.setAttribute("class", "spot " + ((states[id] || {}).state || "unreached"));
}

function needsMap(it) {
  return fitted(it).k < scalesOf(it).least * SMALL;
}

function showsMap(it) {
  return needsMap(it) && maps.get(it.key) !== false;
}

// A map of what is wholly on view would say nothing. It is in the corner where what is looked at is not.
function moveFrame(it) {
  const room = roomOf(it), { k, x, y } = it.view;
  it.map.toggleAttribute("hidden", isWhole(it) || !showsMap(it));
  const looked = it.looked || mainNode(it);
  it.map.classList.toggle("opposite", k * looked.x + x < room.width / 2);
  const frame = { x: -x / k, y: -y / k, width: room.width / k, height: room.height / k }, box = it.map.querySelector(".frame");
  for (const side in frame) box.setAttribute(side, frame[side] * it.mapScale);
}

function wireMap(it) {
  const go = event => {
    const box = it.map.getBoundingClientRect(), room = roomOf(it), k = it.view.k;
    const x = (event.clientX - box.left) / it.mapScale, y = (event.clientY - box.top) / it.mapScale;
    it.mode = "own";
    it.view = { k, x: room.width / 2 - k * x, y: room.height / 2 - k * y };
    apply(it);
  };
  it.map.onpointerdown = event => { it.map.setPointerCapture(event.pointerId); go(event); };
  it.map.onpointermove = event => { if (it.map.hasPointerCapture(event.pointerId)) go(event); };
}
