// A tour of the page: a card beside one control after the other, which it leaves free. The browser remembers that it
// was seen.

const STORAGE_KEY = "workflow-debugger.tour", SEEN = "seen";
const PLACE_MS = 250, GAP = 10, EDGE = 12, ROOM = 5, LEAST = 200;
const tour = { at: -1, answered: 0, timer: 0, awaits: "" }; // one for the document; at -1 it is closed
let it; // what is drawn: the page has one tour

document.addEventListener("keydown", event => {
  if (event.key !== "Escape" || event.isComposing || tour.at < 0 || !it?.root.isConnected || isBelow()) return;
  event.preventDefault();
  event.stopPropagation(); // the page has a meaning of its own for it
  close();
}, true);

function isBelow() {
  return document.querySelector(`${it.around.dialog}, ${it.around.opened}`); // these take Escape first
}

function wasSeen() {
  try {
    return localStorage.getItem(STORAGE_KEY) === SEEN;
  } catch {
    return true; // without storage it would come again and again
  }
}

function instanceOf(root, around) {
  const find = name => root.querySelector(name);
  const made = { root, around, frame: find(".frame"), card: find(".card"), next: find(".next"), back: find(".back") };
  find(".skip").addEventListener("click", close);
  made.back.addEventListener("click", () => go(tour.at - 1));
  made.next.addEventListener("click", () => (tour.at + 1 < it.steps.length ? go(tour.at + 1) : close()));
  return made;
}

function close() {
  tour.at = -1;
  try {
    localStorage.setItem(STORAGE_KEY, SEEN);
  } catch { /* no storage: it is closed for as long as the page */ }
  show();
}

function go(step) {
  tour.at = step;
  show();
  it.next.focus({ preventScroll: true });
}

function show() {
  clearInterval(tour.timer);
  const step = it.steps[tour.at], [count, title, text] = it.card.querySelectorAll("small, h2, p");
  tour.awaits = step?.done && !document.querySelector(step.done) ? step.done : "";
  it.card.hidden = !step;
  it.frame.hidden = true;
  if (!step) return;
  count.textContent = `Step ${tour.at + 1} of ${it.steps.length}`;
  title.textContent = step.title;
  text.textContent = step.text;
  it.card.ariaLabel = `Tour: ${step.title}`;
  it.back.hidden = tour.at === 0;
  it.next.textContent = tour.at + 1 < it.steps.length ? "Next" : "Done";
  place();
  tour.timer = setInterval(place, PLACE_MS); // panes are drawn again and resized
  if (document.activeElement === document.body) it.next.focus({ preventScroll: true });
}

function targetOf(step) {
  const isSeen = element => element.getBoundingClientRect().height > 0;
  for (const selector of step.targets) {
    const found = [...document.querySelectorAll(selector)].find(isSeen);
    if (found) return found;
  }
}

function place() {
  if (!it.root.isConnected) return clearInterval(tour.timer);
  if (tour.awaits && document.querySelector(tour.awaits)) { // what it asks for is done without its button
    tour.at += it.steps.slice(tour.at).findIndex(({ done }) => done !== tour.awaits);
    return show();
  }
  const target = targetOf(it.steps[tour.at])?.getBoundingClientRect(), { innerWidth: width, innerHeight: height } = window;
  it.frame.hidden = !target;
  if (target) { // around the control, but within the window
    const left = Math.max(target.left - ROOM, 0), top = Math.max(target.top - ROOM, 0);
    const right = Math.min(target.right + ROOM, width), bottom = Math.min(target.bottom + ROOM, height);
    Object.assign(it.frame.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
  }
  placeCard(target ?? { left: width, right: width, top: height, bottom: height });
}

// Beside a box, and as narrow as the room there wants it. Only a box with too little room on each side is covered, at its right.
function placeCard(box) {
  const { innerWidth: width, innerHeight: height } = window, wide = width - 2 * EDGE, high = height - 2 * EDGE;
  const sides = [
    { wide, high: height - EDGE - box.bottom - GAP, place: () => [box.left, box.bottom + GAP] },
    { wide: width - EDGE - box.right - GAP, high, place: () => [box.right + GAP, box.top] },
    { wide: box.left - GAP - EDGE, high, place: size => [box.left - GAP - size.width, box.top] },
    { wide, high: box.top - GAP - EDGE, place: size => [box.right - size.width, box.top - GAP - size.height] },
  ];
  const side = sides.find(each => each.wide >= LEAST && sized(each.wide).height <= each.high)
    ?? { wide, place: size => [box.right - size.width - EDGE, box.top + EDGE] };
  const size = sized(side.wide), [left, top] = side.place(size);
  it.card.style.left = `${Math.min(Math.max(left, EDGE), width - size.width - EDGE)}px`;
  it.card.style.top = `${Math.min(Math.max(top, EDGE), height - size.height - EDGE)}px`;
}

// The card's size where it may be so many pixels wide.
function sized(wide) {
  it.card.style.maxWidth = `${wide}px`;
  return it.card.getBoundingClientRect();
}

export default function ({ root: mount, data, around }) {
  const root = mount.querySelector(".tour");
  if (it?.root !== root) it = instanceOf(root, around);
  it.steps = JSON.parse(data.steps);
  const isRequested = data.requests > tour.answered;
  tour.answered = data.requests;
  if (isRequested || (tour.at < 0 && data.is_first && !wasSeen())) tour.at = 0;
  show();
}
