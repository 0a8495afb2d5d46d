// The view: a scale and an offset, kept by workflow version. It follows the run until a person moves it.

const views = new Map(); // they outlive an unmount, as when the table or another page is shown instead
const following = new Map(); // by picture: whether it is to follow the run
const maps = new Map(); // by picture: whether its map is on view
const SMALLEST = 0.02, LARGEST = 4, STEP = 60, MARGIN = 10;
const SMALL = 0.75, FAR = 0.5, TINY = 0.25; // below these scales names are under 9 px, 7 px, and not to be read at all
const NEAR = 0.74, LEAST_NEAR = 0.6; // scales at which names are read and much is seen around them
const WIDE = 1.4; // from this shape on the graph runs to the right

function apply(it) {
  const { k, x, y } = it.view;
  it.scene.setAttribute("transform", `translate(${x},${y}) scale(${k})`);
  it.svg.classList.toggle("small", k < SMALL);
  it.svg.classList.toggle("far", k < FAR);
  it.svg.classList.toggle("tiny", k < TINY);
  views.set(it.place, { view: it.view, moved: it.moved, isFitted: it.isFitted, room: roomOf(it) });
  moveFrame(it);
  moveCallout(it);
}

// Where names are too small to be read, the current one is written at its node.
function moveCallout(it) {
  const node = it.view.k < FAR ? currentNode(it) : null, layer = it.svg.querySelector(".callout");
  layer.replaceChildren();
  if (!node) return;
  const room = roomOf(it), text = node.lines.join(" "), width = Math.min(room.width, 16 + text.length * 6.6);
  const { k, x, y } = it.view, above = k * (node.y - node.height / 2) + y - 16;
  const left = Math.min(Math.max(k * node.x + x - width / 2, 2), room.width - width - 2);
  const top = above > 12 ? above : k * (node.y + node.height / 2) + y + 16;
  make("rect", { x: left, y: top - 10, width, height: 20, rx: 10 }, layer);
  make("text", { x: left + width / 2, y: top }, layer, text);
}

// Measured once for each size: to measure what was just painted would have the whole page laid out in between.
function roomOf(it) {
  if (!it.room) {
    const { width, height } = it.svg.getBoundingClientRect();
    it.room = { width, height };
  }
  return it.room;
}

function wantedDirection(it) {
  const room = roomOf(it);
  if (!room.width || !room.height) return null;
  return room.width > WIDE * room.height ? "right" : "down";
}

function fit(it) {
  const room = roomOf(it);
  if (!room.width || !room.height) return false;
  it.isFitted = true;
  it.view = fitted(it, 0);
  const steps = coveredBySteps(it), { k, x, y } = it.view;
  const isCovered = ({ node }) => k * (node.x - node.width / 2) + x < steps.width && k * (node.y - node.height / 2) + y < steps.height;
  if (steps.height && [...it.nodes.values()].some(isCovered)) it.view = fitted(it, steps.height);
  apply(it);
  return true;
}

// The whole graph below so many pixels.
function fitted(it, top) {
  const room = roomOf(it), { width, height } = it.geometry, below = room.height - top;
  const k = Math.min((room.width - 2 * MARGIN) / width, (below - 2 * MARGIN) / height, 1.15);
  return { k, x: (room.width - k * width) / 2, y: top + (below - k * height) / 2 };
}

// The corner of the picture that the possible next steps cover, while they are folded.
function coveredBySteps(it) {
  return it.ways.hidden ? { width: 0, height: 0 } : { width: 190, height: 34 };
}

function centre(it, { x, y }, least) {
  const room = roomOf(it), k = Math.max(it.view.k, least || 0);
  it.isFitted = false;
  it.view = {
    k,
    x: within(room.width / 2 - k * x, room.width, k * it.geometry.width, 0),
    y: within(room.height / 2 - k * y, room.height, k * it.geometry.height, showsMap(it) ? it.mapSize.height : 0),
  };
  apply(it);
}

// An offset that leaves no more empty room at either end than a margin; what is smaller than the room is centred.
function within(offset, room, size, below) {
  return size < room - 2 * MARGIN ? (room - size) / 2 : Math.min(MARGIN, Math.max(room - size - MARGIN - below, offset));
}

function currentNode(it) {
  const id = it.data.current.find(each => it.nodes.has(each));
  return id === undefined ? null : it.nodes.get(id).node;
}

// A first view shows the whole graph or, where names would be too small to read, what is current with all that it
// is joined to.
function place(it) {
  it.placed = fit(it);
  const first = currentNode(it) || it.geometry.nodes[0];
  if (it.placed && first && it.view.k < FAR) centre(it, first, neighbourhoodScale(it, first));
}

function neighbourhoodScale(it, node) {
  const room = roomOf(it), near = new Set([node.id]);
  for (const { source, target } of it.geometry.edges) {
    if (source === node.id) near.add(target);
    if (target === node.id) near.add(source);
  }
  let across = 0, along = 0;
  for (const id of near) {
    if (!it.nodes.has(id)) continue;
    const other = it.nodes.get(id).node;
    across = Math.max(across, Math.abs(other.x - node.x) + other.width / 2 + MARGIN);
    along = Math.max(along, Math.abs(other.y - node.y) + other.height / 2 + MARGIN);
  }
  return Math.min(NEAR, Math.max(LEAST_NEAR, Math.min(room.width / 2 / across, room.height / 2 / along)));
}

function isVisible(it, { x, y, width, height }) {
  const room = roomOf(it), view = it.view, edge = 4;
  const px = view.k * x + view.x, py = view.k * y + view.y;
  const half = { x: view.k * width / 2 + edge, y: view.k * height / 2 + edge };
  const map = coveredByMap(it), steps = coveredBySteps(it);
  if (px - half.x < steps.width && py - half.y < steps.height) return false;
  if (px - half.x < map.width && py + half.y > room.height - map.height) return false;
  return px > half.x && py > half.y && px < room.width - half.x && py < room.height - half.y;
}

function follows(it) {
  return following.get(it.key) !== false;
}

// A view that a person has moved stays until Fit, Current or Follow.
function follow(it) {
  const node = currentNode(it);
  if (node && follows(it) && !it.moved && !isVisible(it, node)) centre(it, node);
}

function zoom(it, factor, cx, cy) {
  const k = Math.min(LARGEST, Math.max(SMALLEST, it.view.k * factor)), ratio = k / it.view.k;
  it.moved = true;
  it.view = { k, x: cx - ratio * (cx - it.view.x), y: cy - ratio * (cy - it.view.y) };
  apply(it);
}

function pan(it, dx, dy) {
  it.moved = true;
  it.view = { ...it.view, x: it.view.x + dx, y: it.view.y + dy };
  apply(it);
}

function zoomAtCentre(it, factor) {
  const room = roomOf(it);
  zoom(it, factor, room.width / 2, room.height / 2);
}

function reset(it) {
  it.moved = false;
  fit(it);
}

function toCurrent(it) {
  const node = currentNode(it);
  it.moved = false;
  if (node) centre(it, node, NEAR);
}
