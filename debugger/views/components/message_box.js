// The box in which a person answers, with lines on offer: it tells what is sent, and has the keyboard again
// once a turn is over.

const ANSWER_MS = 1000; // so long a message that was sent is waited for before another one can be
const instances = new WeakMap(); // one record per mounted box
const drafts = new Map(); // the text, typed and not sent, of each place whose box is not on the page

function instanceOf(root) {
  let it = instances.get(root);
  if (!it) {
    it = { text: root.querySelector("textarea"), send: root.querySelector(".send"), take: root.querySelector(".take"), offers: root.querySelector(".offers") };
    it.status = root.querySelector("[role=status]");
    it.text.addEventListener("input", () => { it.isHeld = true; enable(it); });
    it.text.addEventListener("blur", () => { it.isHeld = false; it.since = undefined; if (it.data) enable(it); });
    it.offers.addEventListener("wheel", event => { // the line has no scrollbar
      if (event.ctrlKey || event.metaKey) return; // it zooms the page
      const before = it.offers.scrollLeft;
      it.offers.scrollLeft += event.deltaX || event.deltaY;
      if (it.offers.scrollLeft !== before) event.preventDefault();
    });
    it.text.addEventListener("keydown", event => {
      const isTake = event.key === "Tab" || event.key === "ArrowRight";
      if (isTake && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey && takeOver(it)) return event.preventDefault();
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!event.altKey || !it.data.steps) return say(it, it.text.value);
      // The box is locked while the run is paused: the keyboard goes to what steps it.
      if (say(it, it.text.value, "event")) document.dispatchEvent(new CustomEvent("message-stepped"));
    });
    const step = event => { // a step is pressed: it goes with what is typed (toolbar.js)
      if (!root.isConnected) return document.removeEventListener("message-step", step);
      if (it.data.steps && say(it, it.text.value, event.detail)) event.preventDefault();
    };
    document.addEventListener("message-step", step);
    const enter = event => {
      if (!root.isConnected) return document.removeEventListener("keydown", enter);
      if (!isShortcut(it, event) || it.data.disabled) return;
      event.preventDefault(); // the key is not typed into the box
      it.text.focus();
    };
    document.addEventListener("keydown", enter);
    const focus = () => { // a press was made to have something to answer: what is typed from then on is that
      if (!root.isConnected) return document.removeEventListener("message-awaited", focus);
      it.since = it.text.value.length;
      enable(it);
      it.text.focus({ preventScroll: true });
    };
    document.addEventListener("message-awaited", focus);
    root.querySelector(".box").addEventListener("mousedown", event => { // a press on a button, twice or while it is disabled, takes no keyboard
      if (event.target !== it.text) event.preventDefault();
    });
    it.send.addEventListener("click", () => { if (say(it, it.text.value)) it.text.focus(); });
    it.take.addEventListener("click", () => { if (takeOver(it)) it.text.focus(); });
    instances.set(root, it);
  }
  return it;
}

// A key that is typed into a field is text, and a dialog has the keyboard for itself.
function isShortcut({ data: { shortcut }, around }, event) {
  if (!shortcut || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false;
  const isTyped = event.composedPath()[0].closest?.("input, textarea, select, [contenteditable=true]");
  return !isTyped && event.key?.toUpperCase() === shortcut && !document.querySelector(around.dialog);
}

// Fills an empty box with the suggested text; returns whether it does.
function takeOver(it) {
  if (!hasSuggestion(it)) return false;
  it.text.value = it.data.suggestion;
  enable(it);
  return true;
}

function hasSuggestion(it) {
  return Boolean(it.data.suggestion) && !it.data.disabled && !it.text.value;
}

// Sends a text, to be stepped if a step is named; returns whether it does.
function say(it, text, step) {
  if (it.isWaiting || it.data.disabled || !text.trim()) return false;
  const isTyped = text === it.text.value; // else a line on offer, which leaves what is typed
  it.isHeld = false;
  it.isWaiting = true; // a second click means the same message
  it.timer = setTimeout(() => answered(it), ANSWER_MS);
  it.tell(...(step ? ["stepped", [text, it.data.place, step]] : ["sent", [text, it.data.place]]));
  if (isTyped) it.text.value = ""; // at once: the next key belongs to the next message
  it.draft = "";
  enable(it);
  return true;
}

function answered(it) {
  clearTimeout(it.timer);
  it.isWaiting = false;
  enable(it);
}

// While a turn runs the box still takes what is typed for the next one: a disabled field would lose the keyboard. A run
// that is paused, or looked at in the past, is stepped by keys, unless something is typed: words that are deleted to
// type others are no end of that.
function enable(it) {
  it.text.disabled = it.data.disabled && !it.data.is_running && !it.text.value && !it.isHeld && it.since === undefined;
  it.text.ariaDisabled = String(it.data.disabled);
  it.send.disabled = it.data.disabled || it.isWaiting || !it.text.value.trim();
  it.take.hidden = !hasSuggestion(it);
  it.offers.querySelectorAll("button").forEach(each => { each.disabled = it.data.disabled; });
}

function offer(it, lines) {
  const key = JSON.stringify(lines);
  if (it.offered === key) return;
  it.offered = key;
  it.offers.replaceChildren(...lines.map((line, at) => {
    const button = document.createElement("button");
    button.className = `st-key-suggestion_${at}`;
    button.textContent = button.title = line;
    button.addEventListener("click", () => { if (say(it, line)) it.text.focus(); });
    return button;
  }));
}

// What is typed belongs to a place. A run that begins, or is read again, is another place or another visit, yet not both.
function turnTo(it, [place, visit]) {
  if (it.place !== place && it.visit !== visit) {
    const begun = it.since === undefined ? "" : it.text.value.slice(it.since); // after the press that leads here
    keep(it, it.since);
    const kept = drafts.get(place) ?? [...drafts.values()].find(each => each.visit === visit);
    it.text.value = (kept?.text ?? "") + begun;
    it.draft = kept?.draft;
  }
  drafts.delete(place);
  if (it.place !== place) it.since = undefined;
  Object.assign(it, { place, visit });
}

function keep(it, until) {
  if (it.place !== undefined) drafts.set(it.place, { text: it.text.value.slice(0, until), draft: it.draft, visit: it.visit });
}

// A turn has ended: the keyboard goes to the box, unless a person is at work elsewhere.
function follow(it, turn) {
  const before = it.turn;
  it.turn = turn;
  if (!turn || before === undefined || before === turn) return;
  setTimeout(() => {
    const held = document.activeElement, within = held?.shadowRoot?.activeElement ?? held;
    if (!held || held === document.body || held.closest(it.around.startsTurn) || within.closest(it.around.startsTurn)) it.text.focus({ preventScroll: true });
  }, 60);
}

export default function ({ root, data, emit, around }) {
  const it = instanceOf(root.querySelector(".box").parentNode);
  Object.assign(it, { data, tell: emit, around });
  turnTo(it, data.place);
  it.offers.hidden = data.offers === null;
  offer(it, data.offers ?? []);
  it.text.ariaLabel = data.placeholder;
  it.text.placeholder = data.suggestion || data.placeholder;
  it.text.classList.toggle("suggestion", Boolean(data.suggestion));
  it.text.ariaDescription = data.suggestion ? `Next message of the demo script: ${data.suggestion} Tab takes it over.` : null;
  it.text.maxLength = data.longest;
  if (data.draft && data.draft !== it.draft) it.text.value = [data.draft, it.text.value].filter(Boolean).join("\n");
  if (!data.draft && it.draft && it.text.value === it.draft) it.text.value = ""; // it has arrived after all
  it.draft = data.draft;
  if (!data.disabled || data.is_running) it.isHeld = false;
  answered(it);
  if (it.status.textContent !== data.aria_label) it.status.textContent = data.aria_label; // a change is read aloud
  follow(it, data.turn);
  return () => keep(it);
}
