// Bars of words and controls, one below the other: takes in its data, again and again, and sends what a
// person does to it.

const FIELDS = "input, textarea, select, [contenteditable=true]";
const OPEN = '[data-testid="stPopoverBody"], [role="listbox"], [role="menu"]'; // what Escape closes first
const NAMED = { SPACE: " ", LEFT: "ARROWLEFT", RIGHT: "ARROWRIGHT", UP: "ARROWUP", DOWN: "ARROWDOWN" };
const SHORT = 12; // a text of so many characters is not cut: longer ones are, where there is no room
const AGAIN_MS = 1000; // a message that waits for the server gives way to the next one, which repeats it
const instances = new WeakMap(); // one record per mounted element
let lastNumber = 0;

function instanceOf(root) {
  let it = instances.get(root);
  if (!it) {
    it = { root, lines: [], uses: [] };
    instances.set(root, it);
    const press = event => {
      if (root.isConnected) pressByKey(it, event);
      else document.removeEventListener("keydown", press);
    };
    document.addEventListener("keydown", press);
    const focus = () => {
      if (!root.isConnected) return document.removeEventListener("message-stepped", focus);
      it.lines.flatMap(line => line.parts).find(part => part.item.message_step)?.element.firstElementChild.focus();
    };
    document.addEventListener("message-stepped", focus);
  }
  return it;
}

// A key that is typed into a field is text unless Ctrl is held: then the field, too, may have made use of it, as
// a box of several lines that keeps what was typed. A dialog has the keyboard for itself.
function pressByKey(it, event) {
  const field = event.composedPath()[0].closest?.(FIELDS);
  const isTyped = field && !(event.key === "Escape" && field.tagName === "TEXTAREA"); // which has no use for it
  const isTaken = isTyped ? !event.ctrlKey && !event.metaKey : event.defaultPrevented;
  const dialog = document.querySelector('[data-testid="stDialog"]');
  if (dialog && !isTaken) leave(dialog, event);
  if (isTaken || dialog || (event.key === "Escape" && document.querySelector(OPEN))) return;
  const parts = it.lines.flatMap(line => line.parts);
  const part = parts.find(({ item }) => item.shortcut && !item.disabled && isPressed(item.shortcut, event));
  if (!part) return;
  event.preventDefault();
  const control = part.element.querySelector("button, a, input, select");
  if (part.item.kind !== "field") return control.click();
  control.focus();
  control.scrollIntoView({ block: "nearest" });
}

// A dialog hears Escape only while it has the keyboard, which it loses with a control that is drawn anew.
function leave(dialog, event) {
  if (event.key !== "Escape" || document.activeElement !== document.body) return;
  event.preventDefault(); // there are many bars
  dialog.querySelector('[aria-label="Close"]')?.click();
}

function isPressed(shortcut, event) {
  const held = shortcut.toUpperCase().split("+"), key = held.pop();
  return event.key.toUpperCase() === (NAMED[key] ?? key) && !event.altKey
    && (event.ctrlKey || event.metaKey) === held.includes("CTRL") && event.shiftKey === held.includes("SHIFT");
}

// Each use has a number, by which the server knows it again. Numbers only grow, over reloads of the page, too.
function tell(it, key, value) {
  const now = Date.now();
  lastNumber = Math.max(now, lastNumber + 1);
  it.uses = [...it.uses.filter(use => now - use.at < AGAIN_MS), { at: now, event: [lastNumber, key, value] }];
  it.send("used", it.uses.map(use => use.event));
}

function made(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function iconOf(name) {
  const icon = made("span", "icon", name);
  icon.ariaHidden = "true";
  return icon;
}

// Each kind of part, by what fills its element from its item. An element that is filled again stays
// itself: it keeps the keyboard.
const FILL = {
  scrubber: fillScrubber,
  words(part, { text, look, yields }) {
    part.element.classList.remove("quiet", "strong", "heading", "code", "note", "message");
    part.element.classList.add("words", look);
    part.element.classList.toggle("yields", yields);
    part.element.classList.toggle("short", text.length <= SHORT);
    part.element.replaceChildren(look === "code" ? made("code", "", text) : text);
  },
  badge(part, { text, icon, colour, is_status }) {
    part.element.role = is_status ? "status" : null;
    part.element.classList.toggle("whole", is_status);
    const badge = made("span", "badge " + colour);
    badge.append(...(icon ? [iconOf(icon)] : []), text);
    part.element.replaceChildren(badge);
  },
  meter(part, { text, share }) {
    const track = made("i", ""), filled = made("b", "");
    filled.style.width = Math.round(share * 100) + "%";
    track.append(filled);
    part.element.classList.add("meter");
    part.element.replaceChildren(text, track);
  },
  space(part) {
    part.element.classList.add("space");
  },
  break(part) {
    part.element.classList.add("break");
  },
  button(part, { label, icon, look, shows, disabled, keys }, send) {
    const button = onlyChild(part, "button", () => { if (!isTakenByMessage(part.item)) send(); });
    button.className = look;
    button.disabled = disabled;
    part.element.classList.toggle("cut", shows === "words, cut");
    const words = made("span", { icon: "hidden", "icon where narrow": "yields" }[shows] ?? "", label);
    button.replaceChildren(...(icon ? [iconOf(icon)] : []), words, ...(keys ? [made("kbd", "", keys)] : []));
  },
  link(part, { label, icon, href, current }, send) {
    const link = onlyChild(part, "a", event => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab, or another window
      event.preventDefault();
      send();
    });
    link.href = href;
    link.ariaCurrent = current ? "page" : null;
    link.replaceChildren(iconOf(icon), made("span", "", label));
  },
  toggle(part, { label, value, disabled }, send) {
    const button = onlyChild(part, "button", () => {
      button.ariaChecked = String(button.ariaChecked !== "true"); // at once: what follows from it takes a moment
      send(button.ariaChecked === "true");
    });
    part.element.classList.add("toggle");
    button.disabled = disabled;
    button.role = "switch";
    button.ariaChecked = String(value);
    button.replaceChildren(made("i", ""), made("span", "", label));
  },
  disclosure(part, { label, icon, look, value, disabled }, send) {
    const button = onlyChild(part, "button", () => send(button.ariaExpanded !== "true"));
    button.disabled = disabled;
    button.className = look + " disclosure";
    button.ariaExpanded = String(value);
    const chevron = iconOf(value ? "expand_more" : "chevron_right");
    button.replaceChildren(...(icon ? [iconOf(icon)] : []), made("span", "", label), chevron);
  },
  switch(part, { label, options, value, wide }, send) {
    const { element } = part, names = JSON.stringify(options);
    element.classList.add("switch");
    element.classList.toggle("wide", wide);
    element.role = "radiogroup";
    element.ariaLabel = label;
    if (part.names !== names) {
      part.names = names;
      element.replaceChildren(...options.map(([option, words]) => {
        const button = made("button", "", words);
        button.role = "radio";
        button.dataset.option = option;
        button.addEventListener("click", () => { mark(element, option); send(option); });
        return button;
      }));
      element.onkeydown = event => walk(element, event);
    }
    mark(element, value);
  },
  choice(part, { label, options, value, placeholder }, send) {
    const { element } = part;
    let select = element.querySelector("select");
    if (!select) {
      select = made("select", "");
      select.addEventListener("change", () => send(select.value));
      const around = made("label", "", label);
      around.append(select);
      element.append(around, iconOf("expand_more"));
    }
    element.classList.add("choice");
    const none = value === null ? [["", placeholder]] : [];
    select.replaceChildren(...[...none, ...options].map(([option, words]) => new Option(words, option)));
    select.value = value ?? "";
  },
  field(part, { label, placeholder, icon, value, grows }, send) {
    const { element } = part;
    let input = element.querySelector("input");
    const commit = () => {
      if (input.value === part.sent) return;
      part.sent = input.value;
      send(input.value);
    };
    if (!input) {
      input = made("input", "");
      input.addEventListener("change", commit);
      input.addEventListener("keydown", event => { if (event.key === "Enter") commit(); });
      element.append(iconOf(icon), input);
    }
    element.classList.add("field");
    element.classList.toggle("grows", grows);
    input.ariaLabel = label;
    input.placeholder = placeholder;
    if (part.sent !== value) input.value = part.sent = value; // else a person may be typing on
  },
};

// What is typed and not sent goes with a step: the message box sends both (message_box.js).
function isTakenByMessage({ message_step }) {
  if (!message_step) return false;
  return !document.dispatchEvent(new CustomEvent("message-step", { detail: message_step, cancelable: true }));
}

function onlyChild(part, tag, onClick) {
  let child = part.element.firstElementChild;
  if (!child) {
    child = made(tag, "");
    child.addEventListener("click", onClick);
    part.element.append(child);
  }
  return child;
}

function mark(element, value) {
  [...element.children].forEach((button, at) => {
    const isChosen = button.dataset.option === value;
    button.ariaChecked = String(isChosen);
    button.tabIndex = isChosen || (at === 0 && value === null) ? 0 : -1;
  });
}

function walk(element, event) {
  const buttons = [...element.children], at = buttons.indexOf(event.target);
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!by || at < 0 || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation(); // the page has keys of its own
  const next = buttons[(at + by + buttons.length) % buttons.length];
  next.focus();
  next.click();
}

// What there may be no room for: the words of an icon, and the end of a long text.
function unsaid({ kind, text, shows, label, shortcut }) {
  if (shows === "icon") return [label, shortcut].filter(Boolean).join(" · ");
  return kind === "words" && text.length > 24 ? text : "";
}

// Only what is another than before is made anew.
function draw(it, line, items) {
  const held = line.root.getRootNode().activeElement, at = line.parts.findIndex(({ element }) => element.contains(held));
  const before = new Map(line.parts.map(part => [part.name, part]));
  line.parts = items.map((item, at) => {
    const name = `${item.kind} ${item.key ?? at}`, drawn = JSON.stringify(item);
    const part = before.get(name) ?? { name, element: made("span", "part" + (item.key ? " st-key-" + item.key : "")) };
    before.delete(name);
    part.item = item;
    if (part.drawn !== drawn) {
      part.drawn = drawn;
      part.element.title = item.help || unsaid(item);
      FILL[item.kind](part, item, value => {
        part.drawn = undefined; // what it shows now is the person's: whatever comes next is shown
        tell(it, item.key, value ?? null);
      });
    }
    return part;
  });
  before.forEach(part => part.element.remove());
  line.parts.forEach(({ element }, at) => {
    if (line.root.children[at] !== element) line.root.insertBefore(element, line.root.children[at] ?? null);
  });
  if (at >= 0) keepFocus(line, held, at);
}

// A control that has the keyboard and is gone, or can no longer be used, gives it to the nearest one before it.
function keepFocus(line, held, at) {
  if (held.isConnected && !held.disabled) return held.focus({ preventScroll: true });
  const controls = line.parts.map(({ element }) => element.querySelector("button:enabled, a, input, select"));
  const next = controls.slice(0, at + 1).findLast(Boolean) ?? controls.find(Boolean);
  next?.focus({ preventScroll: true });
}

function lineOf(it, at) {
  if (!it.lines[at]) {
    it.lines[at] = { root: made("div", ""), parts: [] };
    it.root.append(it.lines[at].root);
  }
  return it.lines[at];
}

export default function ({ data, parentElement, setTriggerValue }) {
  const it = instanceOf(parentElement.querySelector(".bars")), lines = JSON.parse(data.bars);
  it.send = setTriggerValue;
  lines.forEach(({ key, low, items }, at) => {
    const line = lineOf(it, at);
    line.root.className = ["bar", low && "low", key && "st-key-" + key].filter(Boolean).join(" ");
    draw(it, line, items);
  });
  it.lines.splice(lines.length).forEach(({ root }) => root.remove());
}
