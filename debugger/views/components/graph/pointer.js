// Mouse and keyboard. Handlers are assigned once per instance and read what is current from it.

const MOVES = {
  in: it => zoomAtCentre(it, 1.25), out: it => zoomAtCentre(it, 0.8), fit: reset, current: toCurrent,
  left: it => pan(it, STEP, 0), right: it => pan(it, -STEP, 0), up: it => pan(it, 0, STEP), down: it => pan(it, 0, -STEP),
  follow: it => {
    following.set(it.key, !follows(it));
    it.wasVisible = true;
    it.followed = null;
    follow(it);
    showSwitches(it);
  },
  map: it => {
    maps.set(it.key, !showsMap(it));
    moveFrame(it);
    showSwitches(it);
  },
  picture: it => {
    if (it.wide.open) it.wide.close(); // the choices are behind it
    it.save();
  },
  expand: it => it.wide.open ? it.wide.close() : expand(it),
};
const DOUBLE_CLICK = 400; // milliseconds
const KEYS = {
  "+": MOVES.in, "=": MOVES.in, "-": MOVES.out, 0: MOVES.fit,
  ArrowLeft: MOVES.left, ArrowRight: MOVES.right, ArrowUp: MOVES.up, ArrowDown: MOVES.down, // with Shift
};

// The picture moves into a dialog and back: a dialog keeps the focus, and Escape closes it.
function expand(it) {
  it.wide.append(it.stage);
  it.wide.showModal();
  turnAtRest(it);
  showSwitches(it);
  it.bar.querySelector('[data-do="expand"]').focus();
}

function shrink(it) {
  it.wide.before(it.stage);
  turnAtRest(it);
  showSwitches(it);
  it.bar.querySelector('[data-do="expand"]').focus({ preventScroll: true });
}

function showSwitches(it) {
  const is = it.wide.open, button = it.root.querySelector('[data-do="expand"]');
  button.setAttribute("aria-label", is ? "Back to the page" : "Expand");
  button.title = is ? "Back to the page (Escape)" : "Expand: use the whole window";
  it.root.querySelector('[data-do="follow"]').setAttribute("aria-pressed", String(follows(it)));
  const map = it.root.querySelector('[data-do="map"]');
  map.setAttribute("aria-pressed", String(showsMap(it)));
  button.hidden = !it.data.can_expand;
  it.root.querySelector('[data-do="picture"]').hidden = !it.data.can_save;
}

// What moves the view is of use only where some of the graph is out of it.
function showParts(it) {
  const isPart = !isWhole(it), buttons = [...it.bar.querySelectorAll("button")];
  const isFocused = button => button === it.root.getRootNode().activeElement;
  for (const button of buttons) {
    if (button.classList.contains("part")) button.hidden = !isPart && !isFocused(button); // else the focus would be lost
    if (button.dataset.do === "map") button.hidden = !isPart || !needsMap(it);
    if (button.dataset.do === "current" && needsMap(it)) button.hidden = false;
  }
  const shown = buttons.filter(button => !button.hidden);
  const stop = shown.find(button => button.tabIndex === 0 && button.hasAttribute("tabindex")) || shown[0];
  for (const button of buttons) button.setAttribute("tabindex", button === stop ? "0" : "-1");
}

function partOf(event) {
  const group = event.target.closest(".node, .edge");
  return group && { kind: group.dataset.kind, id: group.dataset.id, onDot: Boolean(event.target.closest(".dot")), onFold: Boolean(event.target.closest(".fold")) };
}

function folds(it, { kind, id }) {
  return kind === "node" && canFold(it, it.nodes.get(id).node);
}

function wire(it) {
  wirePointer(it);
  wireMap(it);
  it.svg.onkeydown = event => onKey(it, event);
  it.svg.onfocusin = event => { // the one tab stop is where the focus was last
    const part = partOf(event);
    if (part) moveStop(it, part);
  };
  it.bar.onclick = event => {
    const button = event.target.closest("button");
    if (button) MOVES[button.dataset.do](it);
  };
  it.bar.onkeydown = event => walkBar(it, event);
  it.wide.onclose = () => shrink(it);
  it.steps.onclick = event => {
    const button = event.target.closest("button");
    if (button && button.dataset.edge) it.pick({ kind: "edge", id: button.dataset.edge });
    else if (button && button.dataset.node) it.pick({ kind: "node", id: button.dataset.node });
  };
  it.steps.ontoggle = () => placeSteps(it);
  it.observer = new ResizeObserver(() => { // born in a hidden place the picture has no size yet
    const was = it.room;
    it.room = null;
    if (!it.geometry) return;
    const room = roomOf(it);
    if (was && was.width === room.width && was.height === room.height) return;
    placeSteps(it);
    chooseDirection(it);
    if (!it.placed || it.mode !== "own") place(it); else apply(it);
  });
  it.observer.observe(it.svg);
  it.observer.observe(it.foot);
  for (const [target, event] of [[window, "resize"], [document, "panes"]]) target.addEventListener(event, function changed() {
    if (it.root.isConnected) turnAtRest(it); else target.removeEventListener(event, changed);
  });
}

// The list of the next steps is over its name, or as near as there is room for it.
function placeSteps(it) {
  const list = it.steps.querySelector("ul");
  list.style.left = Math.min(0, it.foot.clientWidth - 8 - it.steps.offsetLeft - list.offsetWidth) + "px";
}

function wirePointer(it) {
  let drag = null, picked = { id: null, at: 0 };
  it.svg.onwheel = event => { // a plain wheel scrolls the page
    if (!event.ctrlKey && !event.metaKey && !it.wide.open) return;
    event.preventDefault();
    const room = it.svg.getBoundingClientRect();
    zoom(it, Math.exp(-event.deltaY * 0.0022), event.clientX - room.left, event.clientY - room.top);
  };
  it.svg.onpointerdown = event => {
    if (event.button || !event.isPrimary) return; // another button, or another finger
    drag = { x: event.clientX, y: event.clientY, view: { ...it.view }, moved: false, id: event.pointerId };
  };
  it.svg.onpointermove = event => {
    if (!drag || event.pointerId !== drag.id) return;
    if (!event.buttons) { drag = null; return; } // let go outside, before the picture had the pointer
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    if (!drag.moved) it.svg.setPointerCapture(drag.id);
    drag.moved = true;
    it.view = drag.view;
    pan(it, dx, dy);
  };
  it.svg.onpointerup = event => {
    if (!drag || event.pointerId !== drag.id) return;
    const was = drag, part = partOf(event);
    drag = null;
    if (was.moved || !part) return;
    const isAgain = picked.id === part.id && event.timeStamp - picked.at < DOUBLE_CLICK;
    picked = { id: part.id, at: event.timeStamp };
    if (part.onDot) it.toggle(part);
    else if (part.onFold || (isAgain && folds(it, part))) it.fold(part.id);
    else it.pick(part);
  };
  it.svg.onpointercancel = event => { if (drag?.id === event.pointerId) drag = null; };
  it.svg.onclick = event => { // of an aid such as a screen reader, which moves no pointer
    const part = event.detail ? null : partOf(event);
    if (part) it.pick(part);
  };
}

function onKey(it, event) {
  const part = partOf(event), modified = event.ctrlKey || event.metaKey || event.altKey;
  if (modified) return;
  let did = true;
  if (part && (event.key === "Enter" || event.key === " ")) it.pick(part);
  else if (part && event.key.toLowerCase() === "b") it.toggle(part);
  else if (part && event.key.toLowerCase() === "u" && folds(it, part)) it.fold(part.id);
  else if (part && event.key.startsWith("Arrow") && !event.shiftKey) walk(it, part, event.key);
  else if (KEYS[event.key]) KEYS[event.key](it);
  else did = false;
  if (did) {
    event.preventDefault();
    event.stopPropagation();
  }
}

// One tab stop for the whole graph. Up and down walk the nodes in reading order, right and left the edges that
// leave a node; from an edge, down leads on to its target and up back to its source.
function walk(it, part, key) {
  const turn = (ids, id, step) => ids[(ids.indexOf(id) + step + ids.length) % ids.length];
  const step = key === "ArrowDown" || key === "ArrowRight" ? 1 : -1, along = key === "ArrowDown" || key === "ArrowUp";
  if (part.kind === "node" && along) return focusOn(it, "node", turn(it.reading, part.id, step));
  const edge = part.kind === "edge" ? it.edges.get(part.id).edge : null;
  if (edge && along) return focusOn(it, "node", step > 0 ? edge.target : edge.source);
  const source = edge ? edge.source : part.id;
  const ids = [...it.edges.values()].map(entry => entry.edge).filter(each => each.source === source).map(each => each.id);
  if (ids.length) focusOn(it, "edge", edge ? turn(ids, part.id, step) : ids[step > 0 ? 0 : ids.length - 1]);
}

function focusOn(it, kind, id) {
  const entry = entryOf(it, kind, id);
  if (!entry) return;
  entry.group.focus({ preventScroll: true });
  it.looked = kind === "edge" ? { ...pointOf(placeOn(entry, 0.5)), width: 20, height: 20 } : entry.node;
  if (isVisible(it, it.looked)) moveFrame(it); else centre(it, it.looked);
}

function pointOf({ x, y }) {
  return { x, y };
}

function moveStop(it, { kind, id }) {
  const old = it.stop && entryOf(it, it.stop.kind, it.stop.id), now = entryOf(it, kind, id);
  if (old) old.group.setAttribute("tabindex", "-1");
  it.stop = { kind, id };
  now.group.setAttribute("tabindex", "0");
}

// The buttons are one tab stop, too: left and right walk them.
function walkBar(it, event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const buttons = [...it.bar.querySelectorAll("button:not([hidden])")], at = buttons.indexOf(event.target);
  const next = buttons[(at + step + buttons.length) % buttons.length];
  it.bar.querySelectorAll("button").forEach(button => { button.tabIndex = button === next ? 0 : -1; });
  next.focus();
  event.preventDefault();
}
