// Bars between the panes of a page, a button on each pane, and tabs where there is room for one pane alone. What
// they change is a variable of a style sheet of the document, or an attribute of its root, so that a pane that
// is drawn anew has the size that it had. The browser remembers.

const STORAGE_KEY = "workflow-debugger.panes", VERSION = 2;
const VIEW_MS = 2000, FRAMES = 4; // in which a change of the view is drawn, and its parts after it
const REST_MS = 3000; // a pointer that has not moved for so long rests
const STEP = 0.02, LEAP = 0.1;
const root = document.documentElement;
const sheet = new CSSStyleSheet();
const all = { splits: [], panes: [], sizes: {}, maximised: "", tab: "", isDemo: false, isFolded: false, around: {} }; // one for the document: a page has one place for panes
const mounted = new Set(); // those of a page that was left are taken out as they are found
const instances = new WeakMap(); // one record per mounted element
let held; // what has the keyboard, or had it when it was taken off the page
let restTimer, isResting = true, isByTab = false, staysAwake = false; // whether Tab was the last key, and has led to the surroundings
let place = ""; // of the pointer

document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
root.dataset.resting = "";
document.addEventListener("focusin", event => { [held] = event.composedPath(); });
document.addEventListener("focusout", event => {
  const [left] = event.composedPath(); // in a moment it is known whether it is still there
  queueMicrotask(() => { if (held === left && left.isConnected) held = undefined; });
});
for (const name of ["pointermove", "pointerdown"]) document.addEventListener(name, ({ screenX, screenY }) => {
  if (place !== (place = `${screenX} ${screenY}`) || name === "pointerdown") wake(); // else what is below it has moved
}, true);
document.addEventListener("pointerdown", () => { isByTab = false; }, true);
document.addEventListener("keydown", event => {
  isByTab = event.key === "Tab";
  if (isOfSurroundings(event)) { staysAwake ||= isByTab; wake(); }
}, true);
document.addEventListener("focusin", event => { if (isOfSurroundings(event)) { staysAwake = isByTab; wake(); } });
document.addEventListener("focusout", () => { if (staysAwake) { staysAwake = false; wake(); } });
document.addEventListener("keydown", restoreByKey, true); // before the page's own keys, which are below a maximised pane

function createElement(tag, className, properties = {}) {
  return Object.assign(document.createElement(tag), { className, ...properties });
}

// What was remembered, as far as it can be used: it may be of another version, or written by anyone.
function read() {
  let stored;
  try {
    stored = JSON.parse(localStorage.getItem(STORAGE_KEY));
  } catch {
    return; // no storage, or nothing that can be read
  }
  if (stored?.version !== VERSION) return;
  for (const { name, least, most } of all.splits) {
    const size = stored.sizes?.[name];
    if (Number.isFinite(size) && size >= least && size <= most) all.sizes[name] = size;
  }
  for (const key of ["maximised", "tab"]) if (all.panes.some(({ name }) => name === stored[key])) all[key] = stored[key];
}

function store() {
  document.dispatchEvent(new Event("panes")); // by the user's hand: the graph may turn
  const { sizes, maximised, tab } = all;
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify({ version: VERSION, sizes, maximised, tab }));
  } catch { /* no storage: it lasts as long as the page */ }
}

function apply() {
  sheet.replaceSync(`${all.around.panes} { ${Object.entries(all.sizes).map(([name, size]) => `--${name}: ${size * 100}%;`).join(" ")} }`);
  setAttribute("demo", all.isDemo);
  setAttribute("tab", !all.isDemo && (onView(all.tab) || all.panes[0].name));
  setAttribute("maximised", !all.isDemo && onView(all.maximised));
  for (const it of mounted) { // one that is drawn for the first time is not on the page yet
    if (it.root.isConnected) it.wasShown = true;
    else if (it.wasShown) mounted.delete(it);
  }
  mounted.forEach(show);
}

function isFolded(part) {
  return all.isFolded && part.is_lower;
}

// The name of a pane, unless that is folded.
function onView(name) {
  return all.panes.some(pane => pane.name === name && !isFolded(pane)) ? name : "";
}

function setAttribute(name, value) {
  if (value) root.dataset[name] = value; else delete root.dataset[name];
}

function panesOf(it) {
  return it.root.getRootNode().host.closest(all.around.panes);
}

function show(it) {
  const panes = panesOf(it), layout = panes && getComputedStyle(panes).getPropertyValue("--layout").trim();
  if (layout) root.dataset.sized = "";
  it.tabs.hidden = layout !== "tabs";
  for (const button of it.tabs.children) {
    button.hidden = isFolded(all.panes.find(({ name }) => name === button.dataset.pane));
    button.ariaSelected = String(button.dataset.pane === root.dataset.tab);
    button.tabIndex = button.ariaSelected === "true" ? 0 : -1;
  }
  for (const [name, button] of it.buttons) {
    const pane = all.panes.find(each => each.name === name), { label } = pane, maximised = onView(all.maximised), is = maximised === name;
    button.hidden = layout !== "panes" || isFolded(pane) || (Boolean(maximised) && !is);
    button.ariaPressed = String(is);
    button.ariaLabel = is ? `Restore panes beside the ${label}` : `Maximise pane ${label}`;
    button.title = is ? "Restore (Escape)" : "Maximise pane";
    button.firstElementChild.textContent = is ? "close_fullscreen" : "open_in_full";
  }
  for (const [split, bar] of it.bars) {
    bar.hidden = layout !== "panes" || isFolded(split) || Boolean(onView(all.maximised));
    if (bar.hidden) continue;
    const percent = share => String(Math.round(share * 100));
    bar.ariaValueMin = percent(split.least);
    bar.ariaValueMax = percent(split.most);
    bar.ariaValueNow = percent(Math.min(Math.max(placeOf(it, split, bar), split.least), split.most));
    bar.ariaValueText = `${bar.ariaValueNow} %`;
  }
}

function isWidth(split) {
  return split.base === "width";
}

// The middle of a bar as a share of the panes.
function placeOf(it, split, bar) {
  const box = bar.getBoundingClientRect(), panes = panesOf(it).getBoundingClientRect();
  return isWidth(split) ? (box.left + box.width / 2 - panes.left) / panes.width : (box.top + box.height / 2 - panes.top) / panes.height;
}

function move(split, to) {
  all.sizes[split.name] = Math.round(Math.min(Math.max(to, split.least), split.most) * 10000) / 10000;
  apply();
}

function reset(split) {
  delete all.sizes[split.name];
  apply();
  store();
}

function maximise(name) {
  all.maximised = name;
  apply();
  store();
}

function openTab(name) {
  all.tab = name;
  apply();
  store();
}

// Escape closes the topmost: a dialog or a menu before a maximised pane, and that before anything of the page.
function restoreByKey(event) {
  if (event.key !== "Escape" || !root.dataset.maximised || event.isComposing) return;
  if (![...mounted].some(it => it.root.isConnected)) return;
  const isAbove = [...document.querySelectorAll(all.around.abovePanes)].some(each => each.checkVisibility());
  if (isAbove || event.composedPath().some(each => each.localName === "dialog")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  maximise("");
}

function drag(it, split, bar, event) {
  if (event.button) return;
  event.preventDefault(); // no text is marked on the way
  bar.focus();
  bar.setPointerCapture(event.pointerId);
  bar.classList.add("moving");
  const along = each => isWidth(split) ? each.clientX : each.clientY;
  const begun = along(event), from = placeOf(it, split, bar), box = panesOf(it).getBoundingClientRect();
  const whole = isWidth(split) ? box.width : box.height;
  let frame = 0, latest = event, hasMoved = false;
  const follow = () => {
    frame = 0;
    move(split, from + (along(latest) - begun) / whole);
  };
  bar.onpointermove = each => {
    latest = each;
    hasMoved ||= Math.abs(along(each) - begun) > 2;
    if (hasMoved) frame ||= requestAnimationFrame(follow);
  };
  bar.onlostpointercapture = () => {
    bar.onpointermove = bar.onlostpointercapture = null;
    bar.classList.remove("moving");
    if (frame) { cancelAnimationFrame(frame); follow(); }
    if (hasMoved) store();
  };
}

function moveByKey(it, split, bar, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const [back, forth] = isWidth(split) ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  const by = event.shiftKey ? LEAP : STEP, at = placeOf(it, split, bar);
  const to = { [back]: at - by, [forth]: at + by, Home: 0, End: 1 }[event.key];
  if (event.key === "Enter") reset(split);
  else if (to === undefined) return;
  else { move(split, to); store(); }
  event.preventDefault();
  event.stopPropagation(); // the page has keys of its own
}

function addBar(it, split) {
  const bar = createElement("div", "bar", { role: "separator", tabIndex: 0 });
  bar.dataset.bar = split.name;
  bar.ariaLabel = split.label;
  bar.ariaOrientation = isWidth(split) ? "vertical" : "horizontal";
  bar.title = "Drag, or use the arrow keys; a double click or Enter resets";
  bar.style.gridArea = split.area;
  bar.addEventListener("pointerdown", event => drag(it, split, bar, event));
  bar.addEventListener("keydown", event => moveByKey(it, split, bar, event));
  bar.addEventListener("dblclick", () => reset(split));
  it.bars.set(split, bar);
  it.root.append(bar);
}

function addButton(it, { name }) {
  const button = createElement("button", "corner corner-" + name, { type: "button" }), icon = createElement("span", "icon");
  button.style.gridArea = name;
  icon.ariaHidden = "true";
  icon.translate = false;
  button.append(icon);
  button.addEventListener("click", () => maximise(all.maximised === name ? "" : name));
  it.buttons.set(name, button);
  it.root.append(button);
}

function addTabs(it) {
  it.tabs = createElement("div", "tabs", { role: "tablist" });
  it.tabs.ariaLabel = "Panes";
  it.tabs.append(...all.panes.map(({ name, tab }) => {
    const button = createElement("button", "", { type: "button", role: "tab", textContent: tab });
    button.dataset.pane = name;
    button.addEventListener("click", () => openTab(name));
    return button;
  }));
  it.tabs.addEventListener("keydown", event => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key], tabs = [...it.tabs.children].filter(each => !each.hidden);
    if (!by || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = tabs[(tabs.indexOf(event.target) + by + tabs.length) % tabs.length];
    openTab(next.dataset.pane);
    next.focus();
  });
  it.root.append(it.tabs);
}

// Panes that are asked for are on view where there is room for one alone.
function fold(isFolded, asked) {
  if (all.isFolded === isFolded) return;
  Object.assign(all, { isFolded, tab: asked || all.tab });
  apply();
}

// Demo and engineer view have the same panes but two. Until these have come or gone the others are not seen, so
// that none moves in sight; what had the keyboard has it again, or the switch where it is gone.
function changeView(isDemo) {
  if (all.isDemo === isDemo) return;
  const before = held, end = performance.now() + VIEW_MS;
  all.isDemo = isDemo;
  setResting(isResting);
  setAttribute("changing", true);
  apply();
  let frames = 0; // since then: conversation and graph are drawn a moment later
  requestAnimationFrame(function look(now) {
    const isUnderWay = isDemo === Boolean(document.querySelector(all.around.engineerPane));
    if (now < end && (isUnderWay || ++frames < FRAMES)) return requestAnimationFrame(look);
    setAttribute("changing", false);
    for (const each of before ? [before, findViewSwitch()] : []) if (document.activeElement === document.body) each?.focus({ preventScroll: true });
  });
}

// In the demo view what surrounds the run is seen while the pointer moves, and while Tab has led to a control of it.
function wake() {
  clearTimeout(restTimer);
  setResting(false);
  if (!staysAwake) restTimer = setTimeout(() => setResting(true), REST_MS);
}

// Elsewhere the attribute would change for nothing, three seconds after each click.
function setResting(value) {
  isResting = value;
  setAttribute("resting", isResting && all.isDemo);
}

function isOfSurroundings(event) {
  return event.composedPath().some(each => each.matches?.(all.around.surroundings));
}

function findViewSwitch() {
  const [place, control] = all.around.viewSwitch, bars = [...document.querySelectorAll(`${place} *`)].find(each => each.shadowRoot);
  return bars?.shadowRoot.querySelector(control);
}

export default function ({ root: mount, data, around }) {
  const element = mount.querySelector(".splitters");
  if (instances.has(element)) {
    fold(data.is_folded, data.asked);
    return changeView(data.is_demo);
  }
  const isFirst = !all.splits.length, it = { root: element, bars: new Map(), buttons: new Map() };
  instances.set(element, it);
  Object.assign(all, JSON.parse(data.arrangement), { around });
  if (isFirst) read();
  Object.assign(all, { isDemo: data.is_demo, isFolded: data.is_folded });
  addTabs(it);
  all.panes.forEach(pane => addButton(it, pane));
  all.splits.forEach(split => addBar(it, split));
  mounted.add(it);
  it.observer = new ResizeObserver(() => show(it)); // as the room of the panes changes
  requestAnimationFrame(() => { const panes = panesOf(it); if (panes) it.observer.observe(panes); });
  apply();
}
