// Bars of words and controls, one below the other: takes in its data, again and again, and sends what a
// person does to it.

const FIELDS = "input, textarea, select, [contenteditable=true]";
const NAMED = { SPACE: " ", LEFT: "ARROWLEFT", RIGHT: "ARROWRIGHT", UP: "ARROWUP", DOWN: "ARROWDOWN" };
const SHORT = 12; // a text of so many characters is not cut: longer ones are, where there is no room
const COPIED_MS = 2000; // how long a button says that it has copied
const TYPED_MS = 250; // a field that filters while a person types waits so long for the next letter
const UNHEARD_MS = 2500; // a use that the server has not answered so long is sent again
const AGAIN_MS = 1000; // a message that waits for the server gives way to the next one, which repeats it
const instances = new WeakMap(); // one record per mounted element
let lastNumber = 0;
let openMenu = null; // the list on view, and its button

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
  const target = event.composedPath()[0], field = target.closest?.(FIELDS);
  if (event.key === " " && target.closest?.("button, a, summary, [role=tab]")) return; // it presses that one
  if (event.key === "Enter" && isEdited(it, event)) return; // it applies what is typed
  const isTyped = field && !isFree(it, event, field);
  const isTaken = isTyped ? !event.ctrlKey && !event.metaKey : event.defaultPrevented;
  const dialog = document.querySelector(it.around.dialog);
  if (dialog && !isTaken) leave(it, dialog, event);
  if (event.composedPath().some(each => each.localName === "dialog")) return; // the expanded graph
  if (isTaken || dialog || (event.key === "Escape" && document.querySelector(it.around.opened))) return;
  const parts = it.lines.flatMap(line => line.parts).flatMap(part => [part, ...(part.menu?.parts ?? [])]);
  const part = parts.find(({ item }) => item.shortcut && !item.disabled && isPressed(item.shortcut, event));
  if (!part) return;
  event.preventDefault();
  const control = part.element.querySelector("button, a, input, select");
  if (part.item.kind !== "field") return control.click();
  control.focus();
  control.scrollIntoView({ block: "nearest" });
}

// A key that a field of several lines has no use for: Escape, and Space in the empty message box of a demo.
function isFree(it, event, field) {
  if (field.localName !== "textarea") return false;
  return event.key === "Escape" || (event.key === " " && document.querySelector(it.around.demo) && !isEdited(it, event));
}

// A field of several lines is under edit, other than an empty message box.
function isEdited({ around }, event) {
  const field = event.composedPath()[0];
  if (field.localName !== "textarea") return false;
  return Boolean(field.value.trim()) || !event.composedPath().some(each => each.matches?.(around.messageBox));
}

// A dialog hears Escape only while it has the keyboard, which it loses with a control that is drawn anew.
function leave({ around }, dialog, event) {
  if (event.key !== "Escape" || document.activeElement !== document.body) return;
  event.preventDefault(); // there are many bars
  dialog.querySelector(around.closesDialog)?.click();
}

function isPressed(shortcut, event) {
  const held = shortcut.toUpperCase().split("+"), key = held.pop();
  return event.key?.toUpperCase() === (NAMED[key] ?? key) && !event.altKey
    && (event.ctrlKey || event.metaKey) === held.includes("CTRL") && event.shiftKey === held.includes("SHIFT");
}

// Each use has a number, by which the server knows it again. Numbers only grow, over reloads of the page, too.
function tell(it, key, value) {
  const now = Date.now();
  lastNumber = Math.max(now, lastNumber + 1);
  it.uses = [...it.uses.filter(use => now - use.at < AGAIN_MS), { at: now, event: [lastNumber, key, value] }];
  it.send("used", it.uses.map(use => use.event));
  repeatUnheard(it, lastNumber, 2);
}

// A message that waits for the server is lost if another one, as that of a poll, takes its place. The server knows
// a use by its number: one that it has heard already has no effect.
function repeatUnheard(it, number, times) {
  setTimeout(() => {
    const use = it.uses.find(({ event }) => event[0] === number);
    if (!times || !use || it.heard >= number || !it.root.isConnected || number !== lastNumber) return;
    it.send("used", it.uses.map(({ event }) => event));
    repeatUnheard(it, number, times - 1);
  }, UNHEARD_MS);
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
    part.element.classList.remove("quiet", "strong", "heading", "code", "note", "message", "two-lines");
    part.element.classList.add("words", look.replace(" ", "-"));
    part.element.classList.toggle("yields", yields);
    part.element.classList.toggle("short", text.length <= SHORT);
    part.element.replaceChildren(look === "code" ? made("code", "", text) : text);
  },
  badge(part, { text, detail, icon, colour, is_status }) {
    part.element.role = is_status ? "status" : null;
    part.element.classList.toggle("whole", is_status);
    const badge = made("span", "badge " + colour);
    badge.append(...(icon ? [iconOf(icon)] : []), text);
    part.element.replaceChildren(badge, ...(detail ? [made("span", "detail", detail)] : []));
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
  button(part, { label, icon, look, shows, disabled, keys, of, is_current }, send) {
    const button = onlyChild(part, "button", () => {
      if (isTakenByMessage(part.item)) return;
      send();
      if (part.item.awaits_message) document.dispatchEvent(new CustomEvent("message-awaited"));
    });
    button.className = look;
    button.disabled = disabled;
    button.ariaLabel = of ? `${label} (${of})` : null;
    button.ariaCurrent = is_current ? "page" : null;
    part.element.classList.toggle("cut", shows === "words, cut");
    part.element.classList.toggle("icon-only", shows === "icon");
    const words = made("span", { icon: "hidden", "icon where narrow": "yields" }[shows] ?? "", label);
    button.replaceChildren(...(icon ? [iconOf(icon)] : []), words, ...(keys ? [made("kbd", "", keys)] : []));
  },
  link(part, { label, icon, href, is_current }, send) {
    const link = onlyChild(part, "a", event => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab, or another window
      event.preventDefault();
      send();
    });
    link.href = href;
    link.ariaCurrent = is_current ? "page" : null;
    link.replaceChildren(...(icon ? [iconOf(icon)] : []), made("span", "", label));
  },
  copy(part, { label }) {
    const button = onlyChild(part, "button", () => copyText(part, button));
    button.className = "secondary copy";
    button.replaceChildren(iconOf("content_copy"), part.words = made("span", "", label));
  },
  "full screen"(part, { shortcut }) {
    const button = onlyChild(part, "button", () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else document.documentElement.requestFullscreen().catch(() => {});
    });
    const show = () => {
      if (!part.element.isConnected && part.wasShown) return document.removeEventListener("fullscreenchange", show);
      part.wasShown = part.element.isConnected;
      const label = document.fullscreenElement ? "Leave full screen" : "Full screen";
      button.ariaLabel = document.fullscreenEnabled ? label : "This browser does not allow full screen here";
      button.title = shortcut ? `${button.ariaLabel} (${shortcut})` : button.ariaLabel;
      button.replaceChildren(iconOf(document.fullscreenElement ? "fullscreen_exit" : "fullscreen"));
    };
    button.className = "secondary";
    button.disabled = !document.fullscreenEnabled;
    document.addEventListener("fullscreenchange", show);
    show();
  },
  menu(part, { label, icon, shows, look, items, of }, send, it) {
    const button = onlyChild(part, "button", () => {});
    button.className = look;
    button.ariaLabel = of ? `${label} (${of})` : shows === "icon" ? label : null;
    button.replaceChildren(...(icon ? [iconOf(icon)] : []), ...(shows === "icon" ? [] : [made("span", "", label), iconOf("expand_more")]));
    if (!part.menu) part.menu = buildMenu(part, button);
    part.menu.list.ariaLabel = button.ariaLabel ?? label;
    drawParts(it, part.menu, items);
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
  disclosure(part, { label, icon, look, value, disabled, yields }, send) {
    const button = onlyChild(part, "button", () => send(button.ariaExpanded !== "true"));
    button.disabled = disabled;
    button.className = look + " disclosure";
    button.ariaExpanded = String(value);
    const chevron = iconOf(value ? "expand_more" : "chevron_right");
    button.replaceChildren(...(icon ? [iconOf(icon)] : []), made("span", yields ? "yields" : "", label), chevron);
  },
  switch(part, { label, options, value, wide, look }, send) {
    const { element } = part, names = JSON.stringify(options);
    element.classList.remove("segments", "tabs");
    element.classList.add("switch", look);
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
  choice(part, { label, options, value, placeholder, disabled }, send) {
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
    select.disabled = disabled;
  },
  day(part, { label, value }, send) {
    let input = part.element.querySelector("input");
    if (!input) {
      input = Object.assign(made("input", ""), { type: "date", min: "1970-01-01", max: "9999-12-31" });
      input.addEventListener("change", () => { if (input.validity.valid) send(input.value); }); // else its year is being typed
      const around = made("label", "", label + " ");
      around.append(input);
      part.element.append(around);
    }
    part.element.classList.add("day");
    if (input.value !== value) input.value = value;
  },
  field(part, { label, placeholder, icon, value, grows, is_live: isLive }, send) {
    const { element } = part;
    let input = element.querySelector("input");
    const commit = () => {
      clearTimeout(part.typing);
      if (input.value === part.sent) return;
      part.echoes.add(part.sent);
      part.sent = input.value;
      send(input.value);
    };
    if (!input) {
      input = made("input", "");
      part.echoes = new Set(); // values before the one sent last: an answer to one of them comes late
      if (isLive) for (const name of ["input", "compositionend"]) input.addEventListener(name, event => {
        clearTimeout(part.typing);
        if (!event.isComposing || name === "compositionend") part.typing = setTimeout(commit, TYPED_MS);
      });
      input.addEventListener("change", commit);
      input.addEventListener("keydown", event => { if (event.key === "Enter" && !event.isComposing) commit(); });
      element.append(iconOf(icon), input);
    }
    element.classList.add("field");
    element.classList.toggle("grows", grows);
    input.ariaLabel = label;
    input.placeholder = placeholder;
    if (part.sent === value) part.echoes.clear(); // else a person may be typing on
    else if (!part.echoes.has(value)) input.value = part.sent = value;
  },
};

// Only a secure address has the browser's clipboard; elsewhere a marked text is copied as by hand.
async function copyText(part, button) {
  try {
    await navigator.clipboard.writeText(part.item.text);
  } catch {
    const field = Object.assign(made("textarea", ""), { value: part.item.text });
    part.element.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  part.words.textContent = "Copied";
  setTimeout(() => { part.words.textContent = part.item.label; }, COPIED_MS);
}

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

// A list that the browser draws above all else, and closes at a click beside it or at Escape.
function buildMenu(part, button) {
  const list = made("div", "menu");
  list.popover = "auto";
  list.role = "group";
  button.popoverTargetElement = list;
  button.ariaExpanded = "false";
  list.addEventListener("beforetoggle", ({ newState }) => {
    const isOpen = newState === "open", { top, bottom, right } = button.getBoundingClientRect(), isLow = top > innerHeight - bottom;
    if (!isOpen) {
      if (list.contains(list.getRootNode().activeElement)) button.focus(); // else the body has the keyboard
      return noteClosed(list);
    }
    noteClosed(openMenu?.list);
    openMenu = { list, button };
    button.ariaExpanded = "true";
    document.documentElement.dataset.menu = "";
    list.style.top = isLow ? "auto" : `${bottom + 4}px`; // of a bar at the lower edge it opens upwards
    list.style.bottom = isLow ? `${innerHeight - top + 4}px` : "auto";
    list.style.right = `${Math.max(document.documentElement.clientWidth - right, 4)}px`;
    list.style.maxHeight = `${(isLow ? top : innerHeight - bottom) - 12}px`;
  });
  list.addEventListener("toggle", ({ newState }) => {
    if (newState !== "open") return;
    list.style.right = `${parseFloat(list.style.right) + Math.min(list.getBoundingClientRect().left - 4, 0)}px`; // of a button far left
    list.querySelector("button:enabled")?.focus();
  });
  list.addEventListener("click", event => { if (event.target.closest("button:not([role=switch], .copy)")) list.hidePopover(); });
  list.addEventListener("keydown", event => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    const controls = [...list.querySelectorAll("button:enabled, a")], at = controls.indexOf(event.target);
    event.preventDefault();
    event.stopPropagation(); // the page has keys of its own
    controls[(at + by + controls.length) % controls.length]?.focus();
  });
  part.element.append(list);
  return { root: list, list, parts: [] };
}

// A list that is taken off the page, or moved on it, closes without telling.
function noteClosed(list) {
  if (!openMenu || openMenu.list !== list) return;
  openMenu.button.ariaExpanded = "false";
  openMenu = null;
  delete document.documentElement.dataset.menu;
}

// A line that never breaks: what it has no room for gives way in the order of its overflow. Keys, and the words of what
// shows its icon where narrow, go by the width of the window alone: what stands beside them does not move them.
function fit(line) {
  const { root, overflow } = line;
  for (const { element } of line.parts) element.classList.remove("compact", "dropped");
  for (const part of line.parts.filter(each => each.isInMenu).reverse()) { // so that the next one is in its place
    part.isInMenu = false;
    root.insertBefore(part.element, line.parts[line.parts.indexOf(part) + 1]?.element ?? null);
  }
  const holder = line.parts.findLast(part => part.menu), menu = holder?.menu;
  holder?.element.classList.toggle("dropped", !menu.parts.length);
  if (!overflow) return;
  const isFull = () => root.scrollWidth > root.clientWidth + 1;
  const yielding = overflow.map(key => line.parts.find(({ item }) => item.key === key)).filter(Boolean);
  for (const part of yielding) if (part.item.icon && part.item.shows === "words" && isFull()) part.element.classList.add("compact");
  for (const part of yielding.filter(({ element }) => element.classList.contains("compact")).reverse()) { // what fits beside the others after all
    part.element.classList.remove("compact");
    if (isFull()) part.element.classList.add("compact");
  }
  const last = menu?.list.firstChild ?? null;
  for (const part of yielding) {
    if (!isFull()) break;
    if (!menu) {
      part.element.classList.add("dropped");
      continue;
    }
    part.isInMenu = true;
    holder.element.classList.remove("dropped");
    part.element.classList.remove("compact");
    menu.list.insertBefore(part.element, last);
  }
}

// Only what is another than before is made anew; returns whether anything was.
function drawParts(it, line, items) {
  const before = new Map(line.parts.map(part => [part.name, part]));
  let isChanged = false;
  line.parts = items.map((item, at) => {
    const name = `${item.kind} ${item.key ?? at}`, drawn = JSON.stringify(item);
    const part = before.get(name) ?? { name, element: made("span", "part" + (item.key ? " st-key-" + item.key : "")) };
    before.delete(name);
    part.item = item;
    if (part.drawn !== drawn) {
      part.drawn = drawn;
      isChanged = true;
      part.element.title = item.shows === "icon" ? [unsaid(item), item.help].filter(Boolean).join("\n") : item.help || unsaid(item);
      FILL[item.kind](part, item, value => {
        part.drawn = undefined; // what it shows now is the person's: whatever comes next is shown
        tell(it, item.key, value ?? null);
      }, it);
    }
    return part;
  });
  isChanged ||= before.size > 0;
  before.forEach(part => part.element.remove());
  const own = line.parts.filter(part => !part.isInMenu);
  const beside = [...line.root.children].filter(each => own.some(({ element }) => element === each)); // a menu holds others, too
  own.forEach(({ element }, at) => {
    if (beside[at] === element) return;
    isChanged = true;
    line.root.append(...own.slice(at).map(part => part.element));
    beside.length = 0;
    beside.push(...own.map(part => part.element));
  });
  return isChanged;
}

function draw(it, line, items) {
  const held = line.root.getRootNode().activeElement, at = line.parts.findIndex(({ element }) => element.contains(held));
  if (drawParts(it, line, items)) fit(line);
  if (at >= 0) keepFocus(line, held, at);
}

// A control that has the keyboard and is gone, or can no longer be used, gives it to the nearest one before it.
function keepFocus(line, held, at) {
  if (held.isConnected && !held.disabled) return held.focus({ preventScroll: true });
  const controls = line.parts.map(({ element }) => element.querySelector("[aria-checked=true]:enabled") ?? element.querySelector("button:enabled, a, input, select"));
  const next = controls.slice(0, at + 1).findLast(Boolean) ?? controls.find(Boolean);
  next?.focus({ preventScroll: true });
}

function lineOf(it, at) {
  if (!it.lines[at]) {
    const line = it.lines[at] = { root: made("div", ""), parts: [] };
    it.root.append(line.root);
    let width;
    line.observer = new ResizeObserver(([{ contentRect }]) => { if (width !== (width = contentRect.width)) fit(line); });
    line.observer.observe(line.root);
  }
  return it.lines[at];
}

export default function ({ root: mount, data, emit, around }) {
  const it = instanceOf(mount.querySelector(".bars")), lines = JSON.parse(data.bars);
  Object.assign(it, { send: emit, heard: data.heard, around });
  lines.forEach(({ key, low, items, overflow }, at) => {
    const line = lineOf(it, at);
    line.overflow = overflow;
    const names = ["bar", low && "low", overflow && "fitted", key && "st-key-" + key].filter(Boolean).join(" ");
    if (line.names !== names) line.root.className = line.names = names;
    draw(it, line, items);
  });
  it.lines.splice(lines.length).forEach(({ root, observer }) => { observer.disconnect(); root.remove(); });
  if (openMenu && !openMenu.list.matches(":popover-open")) noteClosed(openMenu.list);
  return () => { if (it.root.contains(openMenu?.list ?? null)) noteClosed(openMenu.list); };
}
