// The bubbles of a chat with the notes between them: takes in what was said, again and again.

const NEAR = 24; // so many pixels from its end a box still goes with what is added
const ICONS = { agent: "smart_toy", user: "person", warning: "warning", error: "dangerous" };
const instances = new WeakMap(); // one record per mounted box

function instanceOf(root) {
  let it = instances.get(root);
  if (!it) {
    const find = selector => root.querySelector(selector);
    it = { root, said: find(".said"), earlier: find(".st-key-whole_conversation"), work: find(".work"),
      empty: find(".empty"), start: find(".st-key-start_here"), drawn: [], open: new Set(), follows: true };
    instances.set(root, it);
    wire(it);
  }
  return it;
}

function wire(it) {
  it.root.addEventListener("scroll", () => {
    it.follows = it.root.scrollTop + it.root.clientHeight >= it.root.scrollHeight - NEAR;
  });
  new ResizeObserver(() => { if (it.follows) goToEnd(it); }).observe(it.root);
  const earlier = it.earlier.firstElementChild;
  earlier.addEventListener("click", () => {
    const isShown = earlier.ariaChecked !== "true";
    earlier.ariaChecked = String(isShown); // at once: what follows from it takes a moment
    it.lastData = undefined; // what it shows now is the person's: whatever comes next is shown
    it.send("shown", isShown ? "all" : "latest");
  });
  it.start.firstElementChild.addEventListener("click", () => it.send("started", true));
}

function goToEnd(it) {
  it.root.scrollTop = it.root.scrollHeight;
}

function made(tag, className, ...content) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...content);
  return element;
}

function iconOf(name, className = "icon") {
  const icon = made("span", className, name);
  icon.ariaHidden = "true";
  icon.translate = false;
  return icon;
}

function bubbleOf({ kind, text, caption, is_uncertain: isUncertain }) {
  const words = made("div", "", made("p", "words", text), ...(caption ? [made("small", "", caption)] : []));
  const bubble = made("div", "bubble " + kind + (isUncertain ? " uncertain" : ""), iconOf(ICONS[kind], "icon face"), words);
  bubble.role = "group";
  bubble.ariaLabel = "Chat message from " + kind;
  return bubble;
}

function noteOf(kind, text) {
  const note = made("div", "note " + kind, iconOf(ICONS[kind]), made("p", "", text));
  note.role = "note";
  return note;
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
  return item.kind in { agent: 1, user: 1 } ? bubbleOf(item) : noteOf(item.kind, item.text);
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
    return before.get(key)?.shift() ?? { key, element: elementOf(it, item), isNew: true };
  });
  before.forEach(left => left.forEach(({ element }) => element.remove()));
  it.drawn.forEach(({ element }, at) => {
    if (it.said.children[at] !== element) it.said.insertBefore(element, it.said.children[at] ?? null);
  });
}

// That one alone that a person is to see coming: not what stood there before, and comes to be the last again.
function appear(it) {
  it.drawn.forEach((part, at) => {
    part.element.classList.toggle("appears", at === it.drawn.length - 1 && Boolean(part.isNew));
    part.isNew = false;
  });
}

function tell(it, { earlier, under_way: work, empty, start }) {
  it.earlier.hidden = !earlier;
  if (earlier) {
    it.earlier.firstElementChild.ariaChecked = String(earlier.is_shown);
    it.earlier.querySelector(".label").textContent = earlier.label;
  }
  line(it.work, work);
  it.empty.hidden = !empty;
  line(it.empty.firstElementChild, empty);
  it.start.hidden = !start;
  it.start.title = start?.no_run ?? "";
  it.start.firstElementChild.disabled = Boolean(start?.no_run);
}

function line(element, item) {
  element.hidden = !item;
  if (item) element.replaceChildren(...(item.icon ? [iconOf(item.icon)] : []), item.text);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const it = instanceOf(parentElement.querySelector(".box")), isOther = it.page !== data.page;
  it.send = setTriggerValue;
  const lastData = JSON.stringify(data);
  if (it.lastData === lastData) return;
  it.lastData = lastData;
  it.page = data.page;
  if (isOther) it.open.clear();
  fill(it, JSON.parse(data.said));
  if (data.soft) appear(it);
  tell(it, data);
  // In the frame that is drawn next: to ask for a place now would have the whole page laid out in between.
  if (isOther || it.follows) requestAnimationFrame(() => goToEnd(it));
}
