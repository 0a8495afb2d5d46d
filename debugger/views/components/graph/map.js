// The map: the whole of a large graph in a corner, with a frame around what is on view. All that it does, keys do.

const FEWEST_NODES = 60, MAP_WIDTH = 220, MAP_HEIGHT = 96, LEAST_SIDE = 14;

function buildMap(it, { nodes, width, height }) {
  const k = Math.min(MAP_WIDTH / width, MAP_HEIGHT / height), spots = it.map.querySelector(".spots");
  spots.replaceChildren();
  it.spots = new Map();
  it.hasMap = nodes.length >= FEWEST_NODES;
  it.bar.querySelector('[data-do="map"]').hidden = !it.hasMap;
  if (!it.hasMap) { it.map.setAttribute("hidden", ""); return; }
  it.mapScale = k;
  it.mapSize = { width: Math.max(LEAST_SIDE, k * width), height: Math.max(LEAST_SIDE, k * height) };
  for (const side in it.mapSize) it.map.setAttribute(side, it.mapSize[side]);
  for (const node of nodes) {
    const size = { width: Math.max(1.5, k * node.width), height: Math.max(1.5, k * node.height) };
    const place = { x: k * node.x - size.width / 2, y: k * node.y - size.height / 2 };
    it.spots.set(node.id, make("rect", { class: "spot", ...place, ...size }, spots));
  }
}

function paintMap(it, states) {
  for (const [id, spot] of it.spots) spot.setAttribute("class", "spot " + ((states[id] || {}).state || "unreached"));
}

// The corner of the picture that the map covers.
function coveredByMap(it) {
  const isShown = it.hasMap && !it.map.hasAttribute("hidden"), gap = 10;
  return isShown ? { width: it.mapSize.width + gap, height: it.mapSize.height + gap } : { width: 0, height: 0 };
}

function showsMap(it) {
  return it.hasMap && maps.get(it.key) !== false;
}

// A map of what is wholly on view would say nothing.
function moveFrame(it) {
  if (!it.hasMap) return;
  const room = roomOf(it), { k, x, y } = it.view, all = it.geometry;
  const isWhole = x >= 0 && y >= 0 && x + k * all.width <= room.width && y + k * all.height <= room.height;
  it.map.toggleAttribute("hidden", isWhole || !showsMap(it));
  const frame = { x: -x / k, y: -y / k, width: room.width / k, height: room.height / k }, box = it.map.querySelector(".frame");
  for (const side in frame) box.setAttribute(side, frame[side] * it.mapScale);
}

function wireMap(it) {
  const go = event => {
    const box = it.map.getBoundingClientRect(), room = roomOf(it), k = it.view.k;
    const x = (event.clientX - box.left) / it.mapScale, y = (event.clientY - box.top) / it.mapScale;
    it.moved = true;
    it.view = { k, x: room.width / 2 - k * x, y: room.height / 2 - k * y };
    apply(it);
  };
  it.map.onpointerdown = event => { it.map.setPointerCapture(event.pointerId); go(event); };
  it.map.onpointermove = event => { if (it.map.hasPointerCapture(event.pointerId)) go(event); };
}
