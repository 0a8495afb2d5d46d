// The view: a scale and an offset, kept by workflow version. It fits the pane until the user moves it, and follows the run.

const views = new Map(); // they outlive an unmount, as when the table or another page is shown instead
const following = new Map(); // by picture: whether it is to follow the run
const maps = new Map(); // by picture: whether its map is on view
const SMALLEST = 0.02, LARGEST = 4, STEP = 60, MARGIN = 6;
const SMALL = 0.75, FAR = 0.5, TINY = 0.25; // below these scales names are under 9 px, 7 px, and not to be read at all
// Below `whole` the surroundings of the current node are shown instead of all, at a scale from `least` to `near`, at
// which names are read and much is seen around them.
const SCALES = { whole: FAR, least: 0.6, near: 0.74 }, LARGE_SCALES = { whole: 1.15, least: 1.15, near: 1.5 };
const TO_RIGHT = 1.4, TO_DOWN = 1.25; // widths over heights at which the graph turns; apart, so that a drag does not turn it twice

function apply(it) {
  const { k, x, y } = it.view;
  it.scene.setAttribute("transform", `translate(${x},${y}) scale(${k})`);
  it.svg.classList.toggle("small", k < SMALL);
  it.svg.classList.toggle("far", k < FAR);
  it.svg.classList.toggle("tiny", k < TINY);
  views.set(it.place, { view: it.view, mode: it.mode, room: roomOf(it) });
  showParts(it);
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
// The lower edge of the pane belongs to the legend and the controls.
function roomOf(it) {
  if (!it.room) {
    const { width, height } = it.svg.getBoundingClientRect(), foot = it.foot.offsetHeight;
    it.room = { width, height: Math.max(0, height - foot), whole: height };
    const sizes = { "--foot": foot, "--room": width - 16, "--above": height - foot - 12 };
    for (const name in sizes) it.stage.style.setProperty(name, sizes[name] + "px");
  }
  return it.room;
}

function hasRoom(it) {
  const room = roomOf(it);
  return room.width > 0 && room.height > 0;
}

function wantedDirection(it) {
  if (!hasRoom(it)) return null;
  const shape = it.room.width / it.room.whole, isRight = it.asked !== undefined && it.geometry.direction === "right";
  return shape > (isRight ? TO_DOWN : TO_RIGHT) ? "right" : "down";
}

// The whole graph in the pane.
function fitted(it) {
  const room = roomOf(it), { width, height } = it.geometry;
  const k = Math.min((room.width - 2 * MARGIN) / width, (room.height - 2 * MARGIN) / height, 1.15);
  return { k, x: (room.width - k * width) / 2, y: (room.height - k * height) / 2 };
}

function fit(it) {
  it.view = fitted(it);
  apply(it);
}

function centre(it, { x, y }, least) {
  const room = roomOf(it), k = Math.max(it.view.k, least || 0);
  it.view = {
    k,
    x: within(room.width / 2 - k * x, room.width, k * it.geometry.width),
    y: within(room.height / 2 - k * y, room.height, k * it.geometry.height),
  };
  apply(it);
}

// An offset that leaves no more empty room at either end than a margin; what is smaller than the room is centred.
function within(offset, room, size) {
  return size < room - 2 * MARGIN ? (room - size) / 2 : Math.min(MARGIN, Math.max(room - size - MARGIN, offset));
}

function currentNode(it) {
  const id = it.data.current.find(each => it.nodes.has(each));
  return id === undefined ? null : it.nodes.get(id).node;
}

// As long as the user has not moved the view it shows the whole graph or, where names would be too small to read,
// what is current with all that it is joined to; the map then shows the whole.
function place(it) {
  it.placed = hasRoom(it);
  if (!it.placed) return;
  const first = currentNode(it) || it.geometry.nodes[0];
  it.view = fitted(it);
  if (it.mode === "auto" && first && it.view.k < scalesOf(it).whole) centre(it, first, neighbourhoodScale(it, first));
  else apply(it);
}

function scalesOf(it) {
  return it.data.is_large ? LARGE_SCALES : SCALES;
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
  const { least, near: most } = scalesOf(it);
  return Math.min(most, Math.max(least, Math.min(room.width / 2 / across, room.height / 2 / along)));
}

function isVisible(it, { x, y, width, height }) {
  const room = roomOf(it), view = it.view, edge = 4;
  const px = view.k * x + view.x, py = view.k * y + view.y;
  const half = { x: view.k * width / 2 + edge, y: view.k * height / 2 + edge };
  return px > half.x && py > half.y && px < room.width - half.x && py < room.height - half.y;
}

function isWhole(it) {
  const room = roomOf(it), { k, x, y } = it.view, all = it.geometry;
  return x >= 0 && y >= 0 && x + k * all.width <= room.width && y + k * all.height <= room.height;
}

function follows(it) {
  return following.get(it.key) !== false;
}

// Moves the view only when what is followed would leave it: where the user looks at something else, nothing moves.
function follow(it) {
  const node = currentNode(it), isWatched = it.mode !== "own" || it.wasVisible;
  if (node && follows(it) && isWatched && !isVisible(it, node)) centre(it, node);
}

function zoom(it, factor, cx, cy) {
  const k = Math.min(LARGEST, Math.max(SMALLEST, it.view.k * factor)), ratio = k / it.view.k;
  it.mode = "own";
  it.view = { k, x: cx - ratio * (cx - it.view.x), y: cy - ratio * (cy - it.view.y) };
  apply(it);
}

function pan(it, dx, dy) {
  it.mode = "own";
  it.view = { ...it.view, x: it.view.x + dx, y: it.view.y + dy };
  apply(it);
}

function zoomAtCentre(it, factor) {
  const room = roomOf(it);
  zoom(it, factor, room.width / 2, room.height / 2);
}

function reset(it) {
  it.mode = "whole";
  fit(it);
}

function toCurrent(it) {
  it.mode = "auto";
  centre(it, currentNode(it) || it.geometry.nodes[0], scalesOf(it).near);
}
