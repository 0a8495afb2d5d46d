// The box in which a person answers, with lines on offer: it tells what is sent, and has the keyboard again
// once a turn is over.

const LEFT = ".st-key-head_bar, .st-key-message, .st-key-start_bar, .st-key-restart, .st-key-more"; // where a turn is started from, and what has the keyboard meanwhile
const ANSWER_MS = 1000; // so long a message that was sent is waited for before another one can be
const instances = new WeakMap(); // one record per mounted box
let left = {}; // the text, typed and not sent, of a box that was taken off the page, as by a look at another one

function instanceOf(root) {
  let it = instances.get(root);
  if (!it) {
    it = { text: root.querySelector("textarea"), send: root.querySelector(".send"), take: root.querySelector(".take"), offers: root.querySelector(".offers") };
    it.status = root.querySelector("[role=status]");
    it.text.value = left.text ?? "";
    it.draft = left.draft;
    left = {};
    it.text.addEventListener("input", () => enable(it));
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
      if (!isShortcut(event, it.data.shortcut) || it.text.disabled) return;
      event.preventDefault(); // the key is not typed into the box
      it.text.focus();
    };
    document.addEventListener("keydown", enter);
    it.send.addEventListener("click", () => say(it, it.text.value));
    it.take.addEventListener("click", () => { if (takeOver(it)) it.text.focus(); });
    instances.set(root, it);
  }
  return it;
}

// A key that is typed into a field is text, and a dialog has the keyboard for itself.
function isShortcut(event, shortcut) {
  if (!shortcut || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false;
  const isTyped = event.composedPath()[0].closest?.("input, textarea, select, [contenteditable=true]");
  return !isTyped && event.key?.toUpperCase() === shortcut && !document.querySelector('[data-testid="stDialog"]');
}

// Fills an empty box with its ghost text; returns whether it does.
function takeOver(it) {
  if (!hasGhost(it)) return false;
  it.text.value = it.data.ghost;
  enable(it);
  return true;
}

function hasGhost(it) {
  return Boolean(it.data.ghost) && !it.data.disabled && !it.text.value;
}

// Sends a text, to be stepped if a step is named; returns whether it does.
function say(it, text, step) {
  if (it.isWaiting || it.data.disabled || !text.trim()) return false;
  const isTyped = text === it.text.value; // else a line on offer, which leaves what is typed
  it.isWaiting = true; // a second click means the same message
  it.timer = setTimeout(() => answered(it), ANSWER_MS);
  it.tell(...(step ? ["stepped", [text, step]] : ["sent", text]));
  setTimeout(() => { // a box that changes before the message is on its way has the page drawn first
    if (isTyped) it.text.value = "";
    it.draft = "";
    enable(it);
  });
  return true;
}

function answered(it) {
  clearTimeout(it.timer);
  it.isWaiting = false;
  enable(it);
}

function enable(it) {
  it.text.disabled = it.data.disabled;
  it.send.disabled = it.data.disabled || it.isWaiting || !it.text.value.trim();
  it.take.hidden = !hasGhost(it);
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
    button.addEventListener("click", () => say(it, line));
    return button;
  }));
}

// A turn has ended: the keyboard goes to the box, unless a person is at work elsewhere.
function follow(it, turn) {
  const before = it.turn;
  it.turn = turn;
  if (!turn || before === undefined || before === turn) return;
  setTimeout(() => {
    const held = document.activeElement, within = held?.shadowRoot?.activeElement ?? held;
    if (!held || held === document.body || held.closest(LEFT) || within.closest(LEFT)) it.text.focus({ preventScroll: true });
  }, 60);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const it = instanceOf(parentElement.querySelector(".box").parentNode);
  Object.assign(it, { data, tell: setTriggerValue });
  it.offers.hidden = data.offers === null;
  offer(it, data.offers ?? []);
  it.text.ariaLabel = data.placeholder;
  it.text.placeholder = data.ghost || data.placeholder;
  it.text.classList.toggle("ghost", Boolean(data.ghost));
  it.text.ariaDescription = data.ghost ? `Next message of the demo script: ${data.ghost} Tab takes it over.` : null;
  it.text.maxLength = data.longest;
  if (data.draft && data.draft !== it.draft) it.text.value = [data.draft, it.text.value].filter(Boolean).join("\n");
  it.draft = data.draft;
  answered(it);
  if (it.status.textContent !== data.aria_label) it.status.textContent = data.aria_label; // a change is read aloud
  follow(it, data.turn);
  return () => { left = { text: it.text.value, draft: it.draft }; };
}
