// The map: the whole graph in a corner, with a frame around what is on view, where the pane is too small to read all
// of it at once. All that it does, keys do.

const MAP_WIDTH = 220, MAP_HEIGHT = 96, LEAST_SIDE = 14, MAP_MARGIN = 8, LEAST_PANE = 2.5;

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

// In a pane lower than so many maps, as at 150 %, it would hide more than it shows: it comes on request there.
function showsMap(it) {
  return needsMap(it) && (maps.get(it.key) ?? roomOf(it).height >= LEAST_PANE * it.mapSize.height);
}

// A map of what is wholly on view would say nothing.
function moveFrame(it) {
  const room = roomOf(it), { k, x, y } = it.view;
  if (!it.map.toggleAttribute("hidden", isWhole(it) || !showsMap(it))) moveMap(it);
  const frame = { x: -x / k, y: -y / k, width: room.width / k, height: room.height / k }, box = it.map.querySelector(".frame");
  for (const side in frame) box.setAttribute(side, frame[side] * it.mapScale);
}

// It is in the corner where it covers the fewest nodes, and never over the one that is looked at. While a person moves the
// view, it stays where it is.
function moveMap(it) {
  const room = roomOf(it), { k, x, y } = it.view, looked = it.looked || mainNode(it);
  const isLeft = k * looked.x + x >= room.width / 2;
  const corners = [[isLeft, false], [!isLeft, false], [!isLeft, true], [isLeft, true]];
  const costs = corners.map(([atLeft, atTop]) => {
    const left = atLeft ? MAP_MARGIN : room.width - MAP_MARGIN - it.mapSize.width;
    const top = atTop ? MAP_MARGIN : room.height - MAP_MARGIN - it.mapSize.height;
    const covers = node => node.kind === "node"
      && Math.abs(k * node.x + x - left - it.mapSize.width / 2) < (k * node.width + it.mapSize.width) / 2
      && Math.abs(k * node.y + y - top - it.mapSize.height / 2) < (k * node.height + it.mapSize.height) / 2;
    return it.geometry.nodes.filter(covers).length + (covers(looked) ? it.geometry.nodes.length : 0);
  });
  const held = corners.findIndex(corner => String(corner) === String(it.corner));
  const stays = held >= 0 && it.mode === "own" && costs[held] < it.geometry.nodes.length;
  it.corner = corners[stays ? held : costs.indexOf(Math.min(...costs))];
  it.map.classList.toggle("opposite", !it.corner[0]);
  it.map.classList.toggle("above", it.corner[1]);
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
