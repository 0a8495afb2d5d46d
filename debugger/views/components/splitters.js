// Bars between the panes of a page and a button on each: what they change is a variable of a style sheet of the
// document, so that a pane that is drawn anew has the size that it had. The browser remembers.

const KEPT = "workflow-debugger.panes", VERSION = 1;
const STEP = 0.02, LEAP = 0.1;
const GAP = 12; // between two panes, in pixels: as style.css has it
const OPEN = '[role="dialog"], [role="menu"], [role="listbox"], [data-testid="stPopoverBody"], .st-key-live_editor';
// As in style.css, which may come later than the panes: until it is there they have no places to be seen in.
const UNTIL_SIZED = `@keyframes until-sized { from { visibility: hidden; } }
  :root:not([data-sized]) .st-key-panes { animation: until-sized 1.5s step-end; }`;
const sheet = new CSSStyleSheet();
const all = { splits: [], panes: [], sizes: {}, maximised: "" }; // one for the document: pages have one place for panes
const mounted = new Set(); // those of a page that was left are taken out as they are found
const instances = new WeakMap(); // one record per mounted element

document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
document.addEventListener("keydown", leave, true); // before the page's own keys, which are below a maximised pane
new ResizeObserver(() => mounted.forEach(showBars)).observe(document.documentElement);

function made(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

// What was remembered, as far as it can be used: it may be of another version, or written by anyone.
function read() {
  let kept;
  try {
    kept = JSON.parse(localStorage.getItem(KEPT));
  } catch {
    return; // no storage, or nothing that can be read
  }
  if (kept?.version !== VERSION) return;
  for (const { name, least, most } of all.splits) {
    const size = kept.sizes?.[name];
    if (Number.isFinite(size) && size >= least && size <= most) all.sizes[name] = size;
  }
  for (const { name, before, apart } of all.splits) { // two that leave no room between them count for nothing
    if (before && all.sizes[name] - all.sizes[before] < apart) delete all.sizes[name];
  }
  if (all.panes.some(({ name }) => name === kept.maximised)) all.maximised = kept.maximised;
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ version: VERSION, sizes: all.sizes, maximised: all.maximised }));
  } catch { /* no storage: it lasts as long as the page */ }
}

const WRITTEN = { width: size => `${size * 100}%`, window: size => `calc(${size * 100}vh - ${GAP / 2}px)`, upper: String };

function apply() {
  const sizes = all.splits.filter(({ name }) => name in all.sizes);
  sheet.replaceSync(`${UNTIL_SIZED} .st-key-panes { ${sizes.map(({ name, base }) => `--${name}: ${WRITTEN[base](all.sizes[name])};`).join(" ")} }`);
  const { dataset } = document.documentElement;
  if (all.maximised) dataset.maximised = all.maximised; else delete dataset.maximised;
  for (const it of mounted) { // one that is drawn for the first time is not on the page yet
    if (it.root.isConnected) it.wasShown = true;
    else if (it.wasShown) mounted.delete(it);
  }
  mounted.forEach(it => { showButtons(it); showBars(it); });
}

function panesOf(it) {
  return it.root.getRootNode().host.closest(".st-key-panes");
}

// The split that a bar moves in the layout that there is room for.
function splitOf(it, bar) {
  const panes = panesOf(it), layout = panes && getComputedStyle(panes).getPropertyValue("--layout").trim();
  return all.splits.find(split => split.bar === bar && split.layout === layout);
}

// Where a split is measured from, and how long the whole is.
function spanOf(it, { base }) {
  const box = panesOf(it).getBoundingClientRect();
  if (base === "width") return { from: box.left, whole: box.width };
  const upper = it.bars.get("inspect").getBoundingClientRect().height;
  return { from: box.top, whole: base === "window" ? innerHeight : upper };
}

function placeOf(it, split) {
  const box = it.bars.get(split.bar).getBoundingClientRect(), { from, whole } = spanOf(it, split);
  const middle = split.base === "width" ? box.left + box.width / 2 : box.top + box.height / 2;
  return (middle - from) / whole;
}

function limitsOf(it, split) {
  const after = all.splits.find(({ before }) => before === split.name), before = all.splits.find(({ name }) => name === split.before);
  return {
    least: before ? Math.max(split.least, placeOf(it, before) + split.apart) : split.least,
    most: after ? Math.min(split.most, placeOf(it, after) - after.apart) : split.most,
  };
}

function move(it, split, to) {
  const { least, most } = limitsOf(it, split), size = Math.min(Math.max(to, least), Math.max(least, most));
  all.sizes[split.name] = Math.round(size * 10000) / 10000;
  apply();
}

function reset(it, split) {
  delete all.sizes[split.name];
  apply();
  const { least, most } = limitsOf(it, split), at = placeOf(it, split);
  if (at < least - 0.001 || at > most + 0.001) { // its neighbour was moved over its first place
    for (const { name, before } of all.splits) if (before === split.name || name === split.before) delete all.sizes[name];
    apply();
  }
  keep();
}

function showBars(it) {
  const panes = panesOf(it);
  if (panes && getComputedStyle(panes).getPropertyValue("--layout")) document.documentElement.dataset.sized = "";
  for (const [name, bar] of it.bars) {
    const split = splitOf(it, name);
    bar.hidden = !split || Boolean(all.maximised);
    if (bar.hidden) continue;
    bar.ariaOrientation = split.base === "width" ? "vertical" : "horizontal";
    bar.ariaLabel = split.label;
  }
  for (const [name, bar] of it.bars) { // once all are in their places
    if (bar.hidden) continue;
    const split = splitOf(it, name), { least, most } = limitsOf(it, split), percent = share => Math.round(share * 100);
    bar.ariaValueMin = String(percent(least));
    bar.ariaValueMax = String(percent(most));
    bar.ariaValueNow = String(Math.min(Math.max(percent(placeOf(it, split)), percent(least)), percent(most)));
    bar.ariaValueText = `${bar.ariaValueNow} %`;
  }
}

function showButtons(it) {
  for (const [name, button] of it.buttons) {
    const { label } = all.panes.find(pane => pane.name === name), is = all.maximised === name;
    button.hidden = Boolean(all.maximised) && !is;
    button.ariaPressed = String(is);
    button.ariaLabel = is ? `Restore panes beside the ${label}` : `Maximise pane ${label}`;
    button.title = is ? "Restore (Escape)" : "Maximise pane";
    button.firstElementChild.textContent = is ? "close_fullscreen" : "open_in_full";
  }
}

function maximise(name) {
  all.maximised = name;
  apply();
  keep();
}

// Escape closes the topmost: a dialog or a menu before a maximised pane, and that before anything of the page.
function leave(event) {
  if (event.key !== "Escape" || !all.maximised || event.isComposing) return;
  if (![...mounted].some(it => it.root.isConnected)) return;
  const isAbove = [...document.querySelectorAll(OPEN)].some(each => each.checkVisibility());
  if (isAbove || event.composedPath().some(each => each.localName === "dialog")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  maximise("");
}

function drag(it, bar, event) {
  const split = splitOf(it, bar.dataset.bar);
  if (!split || event.button) return;
  event.preventDefault(); // no text is marked on the way
  bar.focus();
  bar.setPointerCapture(event.pointerId);
  bar.classList.add("moving");
  const along = each => split.base === "width" ? each.clientX : each.clientY;
  const { from, whole } = spanOf(it, split), held = along(event) - from - placeOf(it, split) * whole, begun = along(event);
  let frame = 0, latest = event;
  const follow = () => {
    frame = 0;
    const now = spanOf(it, split); // the page may have been scrolled meanwhile
    move(it, split, (along(latest) - held - now.from) / now.whole);
  };
  bar.onpointermove = each => {
    latest = each;
    if (Math.abs(along(each) - begun) > 2 || bar.hasMoved) { bar.hasMoved = true; frame ||= requestAnimationFrame(follow); }
  };
  bar.onlostpointercapture = () => {
    bar.onpointermove = bar.onlostpointercapture = null;
    bar.classList.remove("moving");
    if (frame) { cancelAnimationFrame(frame); follow(); }
    if (bar.hasMoved) keep();
    bar.hasMoved = false;
  };
}

function moveByKey(it, bar, event) {
  const split = splitOf(it, bar.dataset.bar);
  if (!split || event.ctrlKey || event.metaKey || event.altKey) return;
  const [back, forth] = split.base === "width" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  const by = event.shiftKey ? LEAP : STEP, at = placeOf(it, split);
  const to = { [back]: at - by, [forth]: at + by, Home: 0, End: 1 }[event.key];
  if (event.key === "Enter") reset(it, split);
  else if (to === undefined) return;
  else { move(it, split, to); keep(); }
  event.preventDefault();
  event.stopPropagation(); // the page has keys of its own
}

function addBar(it, name) {
  const bar = made("div", "bar");
  bar.dataset.bar = name;
  bar.role = "separator";
  bar.tabIndex = 0;
  bar.title = "Drag, or use the arrow keys; a double click or Enter resets";
  bar.style.gridArea = name;
  bar.addEventListener("pointerdown", event => drag(it, bar, event));
  bar.addEventListener("keydown", event => moveByKey(it, bar, event));
  bar.addEventListener("dblclick", () => { const split = splitOf(it, name); if (split) reset(it, split); });
  it.bars.set(name, bar);
  it.root.append(bar);
}

function addButton(it, name) {
  const button = made("button", "corner-" + name), icon = made("span", "icon");
  button.type = "button";
  button.style.gridArea = name;
  icon.ariaHidden = "true";
  icon.translate = false;
  button.append(icon);
  button.addEventListener("click", () => maximise(all.maximised === name ? "" : name));
  it.buttons.set(name, button);
  it.root.append(button);
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".splitters");
  if (!instances.has(root)) {
    const isFirst = !all.splits.length, it = { root, bars: new Map(), buttons: new Map() };
    instances.set(root, it);
    Object.assign(all, JSON.parse(data.arrangement));
    if (isFirst) read();
    all.panes.forEach(({ name }) => addButton(it, name));
    new Set(all.splits.map(({ bar }) => bar)).forEach(name => addBar(it, name));
    mounted.add(it);
    it.observer = new ResizeObserver(() => showBars(it)); // as the room of the panes changes
    requestAnimationFrame(() => { const panes = panesOf(it); if (panes) it.observer.observe(panes); });
    apply();
  }
}
