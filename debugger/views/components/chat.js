// The messages of a chat with the notes between them: takes in what was said, again and again.

const NEAR = 24; // so many pixels from its end a box still goes with what is added
const ICONS = { agent: "smart_toy", user: "person", warning: "warning", error: "dangerous" };
const instances = new WeakMap(); // one record per mounted box

function instanceOf(root) {
  let it = instances.get(root);
  if (!it) {
    const find = selector => root.querySelector(selector);
    it = { root, said: find(".said"), earlier: find(".st-key-whole_conversation"), work: find(".work"),
      empty: find(".empty"), drawn: [], open: new Set(), follows: true };
    instances.set(root, it);
    wire(it);
  }
  return it;
}

function wire(it) {
  let lastTop = 0;
  it.root.addEventListener("scroll", () => { // only a person scrolls up: what is added, or takes room, leaves the top where it is
    const { scrollTop, clientHeight, scrollHeight } = it.root;
    if (scrollTop + clientHeight >= scrollHeight - NEAR) it.follows = true;
    else if (scrollTop < lastTop) it.follows = false;
    lastTop = scrollTop;
  });
  const observer = new ResizeObserver(() => { if (it.follows) goToEnd(it); });
  for (const each of [it.root, it.said, it.work]) observer.observe(each);
  const earlier = it.earlier.firstElementChild;
  earlier.addEventListener("click", () => {
    const isShown = earlier.ariaChecked !== "true";
    earlier.ariaChecked = String(isShown); // at once: what follows from it takes a moment
    it.lastData = undefined; // what it shows now is the person's: whatever comes next is shown
    it.send("shown", isShown ? "all" : "latest");
  });
  it.said.addEventListener("click", event => {
    const message = event.target.closest("[data-event]");
    if (message && (event.target.closest(".moment") || !isReading(it))) choose(it, message);
  });
  it.said.addEventListener("keydown", event => walk(it, event));
}

function choose(it, message) {
  const button = message.querySelector(".moment");
  letInto(it, button);
  button.focus({ preventScroll: true });
  it.send("chosen", Number(message.dataset.event));
}

// The messages are one stop of the Tab key; from one to the next lead the arrow keys.
function walk(it, event) {
  const buttons = [...it.said.querySelectorAll(".moment")], at = buttons.indexOf(event.target);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation(); // the page has keys of its own
  const next = buttons[Math.min(Math.max(to, 0), buttons.length - 1)];
  letInto(it, next);
  next.focus();
}

function letInto(it, button) {
  it.said.querySelectorAll('.moment[tabindex="0"]').forEach(each => { each.tabIndex = -1; });
  if (button) button.tabIndex = 0;
}

function goToEnd(it) {
  it.root.scrollTop = it.root.scrollHeight;
}

function iconOf(name, className = "icon") {
  const icon = made("span", className, name);
  icon.ariaHidden = "true";
  icon.translate = false;
  return icon;
}

function messageOf({ kind, text, caption, event, is_uncertain: isUncertain }) {
  const words = made("div", "", made("p", "words", text), ...(caption ? [made("small", "", caption)] : []));
  const message = made("div", "chat-message " + kind + (isUncertain ? " uncertain" : ""), iconOf(ICONS[kind], "icon face"), words);
  message.role = "group";
  message.ariaLabel = "Chat message from " + kind;
  return event === undefined ? message : choosable(message, event, text);
}

function choosable(message, event, text) {
  const button = made("button", "moment", iconOf("my_location"));
  button.title = "Show the run as of this message";
  button.ariaLabel = `${button.title}: ${[...text.slice(0, 120)].slice(0, 60).join("")}`;
  button.tabIndex = -1;
  message.dataset.event = event;
  message.append(button);
  return message;
}

function noteOf(kind, text, event) {
  const note = made("div", "note " + kind, iconOf(ICONS[kind]), made("p", "", text));
  note.role = "note";
  return event === undefined ? note : choosable(note, event, text);
}

function foldOf(it, { first, label, texts }) {
  const summary = made("summary", "", iconOf(ICONS.warning), made("span", "", label), iconOf("expand_more", "icon more"));
  const fold = made("details", "fold", summary, ...texts.map(text => noteOf("warning", text)));
  fold.open = it.open.has(first); // also when there is one more of them
  fold.addEventListener("toggle", () => { if (fold.open) it.open.add(first); else it.open.delete(first); });
  return fold;
}

function elementOf(it, item) {
  if (item.kind === "folded") return foldOf(it, item);
  return item.kind in { agent: 1, user: 1 } ? messageOf(item) : noteOf(item.kind, item.text, item.event);
}

// Only what is another than before is made anew, wherever it stood: what is new comes at the end of a long
// conversation, while what is old goes at its beginning.
function fill(it, items) {
  const before = new Map(); // of equal ones all, in order
  for (const part of it.drawn) {
    if (!before.has(part.key)) before.set(part.key, []);
    before.get(part.key).push(part);
  }
  it.drawn = items.map(item => {
    const key = JSON.stringify(item);
    return before.get(key)?.shift() ?? { key, element: elementOf(it, item) };
  });
  before.forEach(left => left.forEach(({ element }) => element.remove()));
  it.drawn.forEach(({ element }, at) => {
    if (it.said.children[at] !== element) it.said.insertBefore(element, it.said.children[at] ?? null);
  });
}

// Later messages are dimmed, not hidden; the one at the cursor is marked, and comes into sight as the cursor moves.
function markCursor(it, cursor, isOther) {
  const later = new Set(cursor?.later ?? []);
  it.drawn.forEach(({ element }, at) => {
    element.classList.toggle("later", later.has(at));
    element.classList.toggle("here", at === cursor?.here);
    element.ariaCurrent = at === cursor?.here ? "true" : null;
  });
  if (!it.said.querySelector('.moment[tabindex="0"]')) {
    const buttons = it.said.querySelectorAll(".moment");
    letInto(it, it.drawn[cursor?.here]?.element.querySelector(".moment") ?? buttons[buttons.length - 1]);
  }
  const isMoved = isOther || it.cursor !== JSON.stringify(cursor), wasPast = Boolean(it.isPast);
  it.cursor = JSON.stringify(cursor);
  it.isPast = later.size > 0;
  const here = it.drawn[cursor?.here]?.element;
  if (it.isPast && isMoved && here) {
    it.follows = false;
    requestAnimationFrame(() => showIn(it.root, here));
  } else if (wasPast && !it.isPast) {
    it.follows = true;
  }
}

// Scroll no more than it takes, and leave the page around where it is.
function showIn(root, element) {
  const box = root.getBoundingClientRect(), place = element.getBoundingClientRect();
  if (place.top < box.top) root.scrollTop -= box.top - place.top;
  else if (place.bottom > box.bottom) root.scrollTop += Math.min(place.bottom - box.bottom, place.top - box.top);
}

function tell(it, { earlier, under_way: work, empty }) {
  it.earlier.hidden = !earlier;
  if (earlier) {
    it.earlier.firstElementChild.ariaChecked = String(earlier.is_shown);
    it.earlier.querySelector(".label").textContent = earlier.label;
  }
  line(it.work, work);
  it.empty.hidden = !empty;
  line(it.empty.firstElementChild, empty);
}

function line(element, item) {
  element.hidden = !item;
  if (item) element.replaceChildren(...(item.icon ? [iconOf(item.icon)] : []), item.text);
}

export default function ({ root, data, emit }) {
  const it = instanceOf(root.querySelector(".box")), isOther = it.page !== data.page;
  it.send = emit;
  const lastData = JSON.stringify(data);
  if (it.lastData === lastData) return;
  it.lastData = lastData;
  it.page = data.page;
  if (isOther) {
    it.open.clear();
    it.follows = true;
  }
  fill(it, JSON.parse(data.said));
  tell(it, data);
  markCursor(it, data.cursor, isOther);
  // In the frame that is drawn next: to ask for a place now would have the whole page laid out in between.
  if (it.follows) requestAnimationFrame(() => goToEnd(it));
}
