// The view: a scale and an offset, kept by workflow version. It follows the run until a person moves it.

const views = new Map(); // they outlive an unmount, as when the table or another page is shown instead
const following = new Map(); // by picture: whether it is to follow the run
const SMALLEST = 0.05, LARGEST = 4, READABLE = 0.55, STEP = 60;

function apply(it) {
  const { k, x, y } = it.view;
  it.scene.setAttribute("transform", `translate(${x},${y}) scale(${k})`);
  it.svg.classList.toggle("far", k < 0.5);
  views.set(it.place, { view: it.view, moved: it.moved });
}

// Measured once for each size: to measure what was just painted would have the whole page laid out in between.
function roomOf(it) {
  if (!it.room) {
    const { width, height } = it.svg.getBoundingClientRect();
    it.room = { width, height: Math.max(0, height - it.bar.offsetHeight - 8) }; // the buttons stand on its lower edge
  }
  return it.room;
}

function fit(it) {
  const room = roomOf(it), pad = 34;
  if (!room.width || !room.height) return false;
  const k = Math.min((room.width - pad) / it.geometry.width, (room.height - pad) / it.geometry.height, 1.15);
  it.view = { k, x: (room.width - k * it.geometry.width) / 2, y: (room.height - k * it.geometry.height) / 2 };
  apply(it);
  return true;
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
  const margin = 24;
  return size < room - 2 * margin ? (room - size) / 2 : Math.min(margin, Math.max(room - size - margin, offset));
}

function currentNode(it) {
  const id = it.data.current.find(each => it.nodes.has(each));
  return id === undefined ? null : it.nodes.get(id).node;
}

// A first view shows the whole graph, or what is current where the whole would be too small to read.
function place(it) {
  it.placed = fit(it);
  const first = currentNode(it) || it.geometry.nodes[0];
  if (it.placed && first && it.view.k < READABLE) centre(it, first, 0.75);
}

function isVisible(it, { x, y, width, height }) {
  const room = roomOf(it), view = it.view, edge = 4;
  const px = view.k * x + view.x, py = view.k * y + view.y;
  const half = { x: view.k * width / 2 + edge, y: view.k * height / 2 + edge };
  return px > half.x && py > half.y && px < room.width - half.x && py < room.height - half.y;
}

function follows(it) {
  return following.get(it.key) !== false;
}

// Fit, Current and the next turn hand a moved view back; with Follow switched off nothing does.
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
  if (node) centre(it, node, 0.9);
}
