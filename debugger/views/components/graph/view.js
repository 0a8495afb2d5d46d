// The view: a scale and an offset, kept by workflow version. It fits the pane until the user moves it, and follows the run.

const views = new Map(); // they outlive an unmount, as when the table or another page is shown instead
const following = new Map(); // by picture: whether it is to follow the run
const maps = new Map(); // by picture: whether its map is on view
const SMALLEST = 0.02, LARGEST = 4, STEP = 60, MARGIN = 6;
const LEAST_TEXT = 11; // pixels on the screen; of that size are the labels and badges of a picture that is not scaled
const SMALL = 0.999, FAR = 0.55, TINY = 0.3; // below these scales labels and badges would be too small, names of groups, and dots
// The whole is shown where it fits at `least`, never larger than `most`; else the part around the position, little larger.
const SCALES = { least: 1, most: 1.25 }, LARGE_SCALES = { least: 1.4, most: 2 }, LITTLE = 1.1;
const STEPS_AHEAD = 3, STEPS_BACK = 2;
const BETTER = 1.05; // by so much the text of the other direction is larger before the picture is turned

function apply(it) {
  const { k, x, y } = it.view;
  it.scene.setAttribute("transform", `translate(${x},${y}) scale(${k})`);
  it.svg.classList.toggle("small", k < SMALL);
  it.svg.classList.toggle("far", k < FAR);
  it.svg.classList.toggle("tiny", k < TINY);
  paintNames(it, Math.max(NAME, LEAST_TEXT / k));
  views.set(it.place, { view: it.view, mode: it.mode, room: roomOf(it) });
  showParts(it);
  moveFrame(it);
  moveCallout(it);
}

// A name never has less than the least size on the screen.
function paintNames(it, size) {
  if (it.nameSize === size) return;
  it.nameSize = size;
  it.svg.style.setProperty("--name", size + "px");
  it.font ||= `600 ${NAME}px ${getComputedStyle(it.svg).fontFamily}`;
  pen.font = it.font;
  for (const entry of it.nodes.values()) paintName(entry, size);
}

// Where its box has no room for a name, the current node has it above or below.
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

// The direction in which the whole has the larger text.
function wantedDirection(it) {
  if (!hasRoom(it)) return null;
  const { sizes, direction } = it.geometry, other = direction === "down" ? "right" : "down";
  if (!sizes[other]) return direction;
  const scale = ([width, height]) => scaleFor(it, width, height);
  return scale(sizes[other]) > BETTER * scale(sizes[direction]) ? other : direction;
}

function scaleFor(it, width, height) {
  const room = roomOf(it);
  return Math.min((room.width - 2 * MARGIN) / width, (room.height - 2 * MARGIN) / height);
}

// The whole graph in the pane.
function fitted(it) {
  const room = roomOf(it), { width, height } = it.geometry;
  const k = Math.min(scaleFor(it, width, height), scalesOf(it).most);
  return { k, x: (room.width - k * width) / 2, y: (room.height - k * height) / 2 };
}

function fit(it) {
  it.view = fitted(it);
  apply(it);
}

function centre(it, { x, y }) {
  const room = roomOf(it), { k } = it.view, { width, height } = it.geometry;
  it.view = {
    k,
    x: within(room.width / 2 - k * x, room.width, k * width),
    y: within(room.height / 2 - k * y, room.height, k * height),
  };
  const seen = it.geometry.nodes.filter(node => isVisible(it, node));
  if (isSmaller(k * width, room.width)) it.view.x = amid(seen, "x", "width", room.width, k, k * width);
  else if (isSmaller(k * height, room.height)) it.view.y = amid(seen, "y", "height", room.height, k, k * height);
  apply(it);
}

// An offset with the nodes in sight in the middle of the room, in which the whole stays: of a graph that is longer than the
// room, what is not in sight may be on one side.
function amid(nodes, at, side, room, k, size) {
  if (!nodes.length) return (room - size) / 2;
  const first = Math.min(...nodes.map(node => node[at] - node[side] / 2)), last = Math.max(...nodes.map(node => node[at] + node[side] / 2));
  return Math.min(Math.max(MARGIN, (room - k * (first + last)) / 2), room - size - MARGIN);
}

function isSmaller(size, room) {
  return size < room - 2 * MARGIN;
}

// An offset that leaves no more empty room at either end than a margin; what is smaller than the room is centred.
function within(offset, room, size) {
  return isSmaller(size, room) ? (room - size) / 2 : Math.min(MARGIN, Math.max(room - size - MARGIN, offset));
}

function currentNode(it) {
  const id = it.data.current.find(each => it.nodes.has(each));
  return id === undefined ? null : it.nodes.get(id).node;
}

// The current node, or the first; a box around a thread is none.
function mainNode(it) {
  return currentNode(it) || it.geometry.nodes.find(node => it.nodes.has(node.id));
}

// As long as the user has not moved the view it shows the whole graph or, where texts would be too small to read, the
// part around the position; the map then shows the whole.
function place(it) {
  it.placed = hasRoom(it);
  if (!it.placed) return;
  it.view = fitted(it);
  if (it.mode === "auto" && it.geometry.nodes.length && needsMap(it)) showPart(it);
  else apply(it);
}

function scalesOf(it) {
  return it.data.is_large ? LARGE_SCALES : SCALES;
}

// As many as there is room for of the nodes around the position, the nearest first.
function showPart(it) {
  const room = roomOf(it), { least } = scalesOf(it);
  let part = null;
  for (const { x, y, width, height } of nodesAround(it)) {
    const left = x - width / 2 - MARGIN, right = x + width / 2 + MARGIN, top = y - height / 2 - 2 * MARGIN, bottom = y + height / 2 + MARGIN;
    const grown = part ? { left: Math.min(left, part.left), right: Math.max(right, part.right), top: Math.min(top, part.top), bottom: Math.max(bottom, part.bottom) }
      : { left, right, top, bottom };
    if (!part || ((grown.right - grown.left) * least <= room.width && (grown.bottom - grown.top) * least <= room.height)) part = grown;
  }
  const k = Math.min(LITTLE * least, room.width / (part.right - part.left), room.height / (part.bottom - part.top));
  it.view = { ...it.view, k: Math.max(least, k) };
  centre(it, { x: (part.left + part.right) / 2, y: (part.top + part.bottom) / 2 });
}

// The position, three steps ahead and two back, then the rest of the path, the latest first.
function nodesAround(it) {
  const { edges, nodes } = it.geometry, stateOf = id => it.data.nodes[id] || {};
  const first = mainNode(it).id, levels = { ahead: [[first]], back: [[first]] }, seen = new Set([first]);
  const walk = (kind, from, to) => {
    const level = levels[kind][levels[kind].length - 1].flatMap(id => edges.filter(edge => edge[from] === id).map(edge => edge[to]));
    levels[kind].push([...new Set(level)].filter(id => !seen.has(id)));
    levels[kind][levels[kind].length - 1].forEach(id => seen.add(id));
  };
  const last = id => Math.max(0, ...(stateOf(id).order || "").split(",").map(Number));
  const path = nodes.map(node => node.id).filter(last).sort((a, b) => last(b) - last(a));
  const backAt = step => {
    if (path.length) return path.slice(step, step + 1);
    walk("back", "target", "source");
    return levels.back[step];
  };
  const found = [first];
  for (let step = 1; step <= STEPS_AHEAD; step += 1) {
    walk("ahead", "source", "target");
    if (step <= STEPS_BACK) found.push(...backAt(step)); // first: of many that are ahead one may take all the room
    found.push(...levels.ahead[step].filter(id => step > 1 || stateOf(id).state === "next"), ...levels.ahead[step]);
  }
  return [...new Set([...found, ...path])].filter(id => it.nodes.has(id)).map(id => it.nodes.get(id).node);
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
  if (!node || !follows(it) || !isWatched) return;
  const { order, more } = it.data.nodes[node.id] || {}, position = JSON.stringify([it.place, node.id, order, more]);
  if (position === it.followed) return; // the user may look at something else meanwhile
  it.followed = position;
  const isPart = it.mode === "auto" && needsMap(it), steps = it.geometry.edges.filter(edge => edge.source === node.id);
  const wanted = [node.id, ...(isPart ? steps.map(edge => edge.target) : [])].filter(id => it.nodes.has(id));
  if (wanted.every(id => isVisible(it, it.nodes.get(id).node))) return;
  if (isPart) showPart(it); else centre(it, node);
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
  showPart(it);
}
