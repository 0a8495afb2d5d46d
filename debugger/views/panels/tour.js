// A tour of the page: a card beside one control after the other. It covers no more than its own place, and the
// browser remembers that it was seen.

const STORAGE_KEY = "workflow-debugger.tour", SEEN = "seen";
const PLACE_MS = 250, GAP = 10, EDGE = 12, ROOM = 5;
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
  const target = targetOf(it.steps[tour.at])?.getBoundingClientRect(), card = it.card.getBoundingClientRect();
  const { innerWidth: width, innerHeight: height } = window;
  it.frame.hidden = !target;
  if (target) { // around the control, but within the window
    const left = Math.max(target.left - ROOM, 0), top = Math.max(target.top - ROOM, 0);
    const right = Math.min(target.right + ROOM, width), bottom = Math.min(target.bottom + ROOM, height);
    Object.assign(it.frame.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
  }
  const box = target ?? { left: width, right: width, top: height, bottom: height };
  const fitsRight = box.right + GAP + card.width < width, fitsBelow = box.bottom + GAP + card.height < height;
  const left = fitsBelow ? box.left : fitsRight ? box.right + GAP : box.right - card.width - EDGE;
  const top = fitsBelow ? box.bottom + GAP : fitsRight ? box.top : Math.max(box.top - card.height - GAP, box.top + EDGE);
  it.card.style.left = `${Math.min(Math.max(left, EDGE), width - card.width - EDGE)}px`;
  it.card.style.top = `${Math.min(Math.max(top, EDGE), height - card.height - EDGE)}px`;
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
