// A text area for scripts: names of nodes, edges and tools are offered beside the caret, where one can stand.

const instances = new WeakMap(); // one record per mounted editor
const MOVES = ["ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"];
const NONE = -1; // of the names on offer: none is chosen until an arrow key does, so that Enter makes a line
const NAME = String.raw`([^\s"'#:{}\[\],-][^"'#:{}\[\],]*)?$`; // what is typed of one, up to the caret
const PLACES = [ // where a name stands by its own line, and the key above it that makes it one
  [new RegExp(String.raw`^\s*(?:-\s+)?(?:take|after|call):\s+` + NAME)],
  [new RegExp(String.raw`^\s*(?:-\s+)?call:\s*(?:\{|\[(?:[^"'#{}\[\]]*,)?)\s*` + NAME)],
  [new RegExp(String.raw`^\s+` + NAME), /^\s*(?:-\s+)?(?:nodes|tools|call):\s*(?:#.*)?$/],
  [new RegExp(String.raw`^\s*-\s+` + NAME), /^\s*(?:-\s+)?call:\s*(?:#.*)?$/],
];
const UNLIKE_TEXT = /^[-?!&*|>@`%~\s]|[:#,[\]{}"']|\s$|^(true|false|null|yes|no|on|off|[\d.+_e]+)$/i; // a name that YAML reads as text only in quotes
const MOST = 40, LINE = 20, CHARACTER = 7.8, SEND_MS = 400;

function instanceOf(root) {
  let it = instances.get(root);
  if (it) return it;
  it = { text: root.querySelector("textarea"), list: root.querySelector("ul"), status: root.parentNode.querySelector("[role=status]"), at: NONE, found: [] };
  it.text.addEventListener("input", () => { offer(it, false); plan(it); });
  it.text.addEventListener("keydown", event => press(it, event));
  it.text.addEventListener("blur", () => { hide(it); send(it); });
  it.text.addEventListener("pointerdown", () => hide(it)); // the caret goes elsewhere
  it.list.addEventListener("mousedown", event => {
    event.preventDefault(); // the text keeps the keyboard
    const item = event.target.closest("li");
    if (item) insert(it, it.found[[...it.list.children].indexOf(item)]);
  });
  instances.set(root, it);
  return it;
}

function press(it, event) {
  if (event.key === " " && event.ctrlKey) {
    event.preventDefault();
    return offer(it, true);
  }
  if (it.list.hidden || event.isComposing) return;
  if (MOVES.includes(event.key)) hide(it); // the caret goes elsewhere
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    it.at = it.at === NONE && step < 0 ? it.found.length - 1 : (it.at + step + it.found.length) % it.found.length;
    draw(it);
  } else if (event.key === "Tab" || (event.key === "Enter" && it.at !== NONE)) insert(it, it.found[Math.max(it.at, 0)]);
  else if (event.key === "Escape") hide(it);
  else return;
  event.preventDefault();
  event.stopPropagation(); // Escape would close the dialog
}

// What is typed of a name, empty where one can begin; nothing where a text stands, as in a comment, in quotes or of `say`.
function typed(it) {
  const lines = it.text.value.slice(0, it.text.selectionStart).split("\n"), line = lines.pop();
  if (isInBlock(lines, indent(line))) return undefined;
  const depth = indent(line), isItem = line.trimStart().startsWith("-");
  const above = lines.findLast(each => each.trim() && (indent(each) < depth || (isItem && indent(each) === depth && !each.trimStart().startsWith("-"))));
  for (const [place, key] of PLACES) {
    const match = line.match(place);
    if (match && (!key || key.test(above ?? ""))) return match[1] ?? "";
  }
  return undefined;
}

// Whether a line of an indentation is part of a text that begins with `|` or `>` above it.
function isInBlock(lines, depth) {
  let least = depth;
  for (const each of lines.toReversed()) {
    if (!each.trim()) continue;
    if (least > each.match(/^\s*(?:-\s+)*/)[0].length && /[:-]\s+[|>][-+\d]*\s*(?:#.*)?$/.test(each)) return true;
    least = Math.min(least, indent(each));
  }
  return false;
}

function indent(line) {
  return line.length - line.trimStart().length;
}

function offer(it, all) {
  const word = typed(it)?.toLowerCase();
  if (word === undefined) return hide(it);
  if (!all && word.length < 2) return hide(it);
  const fits = it.data.names.filter(([name]) => name.toLowerCase().includes(word) && name.toLowerCase() !== word);
  fits.sort(([one], [other]) => other.toLowerCase().startsWith(word) - one.toLowerCase().startsWith(word));
  it.found = fits.slice(0, MOST);
  it.at = NONE;
  if (!it.found.length) return hide(it);
  draw(it);
}

function draw(it) {
  it.list.replaceChildren(...it.found.map(([name, kind], at) => {
    const item = document.createElement("li"), label = document.createElement("span");
    item.role = "option";
    item.ariaSelected = at === it.at;
    label.textContent = kind;
    item.append(name, " ", label);
    return item;
  }));
  const lines = it.text.value.slice(0, it.text.selectionStart).split("\n");
  it.list.style.top = `${Math.min(lines.length * LINE + 12 - it.text.scrollTop, it.text.offsetHeight - 20)}px`;
  it.list.style.left = `${Math.min(lines.at(-1).length * CHARACTER + 10 - it.text.scrollLeft, it.text.offsetWidth - 220)}px`;
  it.list.hidden = false;
  it.list.children[Math.max(it.at, 0)].scrollIntoView({ block: "nearest" });
  it.status.textContent = it.at === NONE ? `Names on offer: ${it.found.length}` : `${it.found[it.at].join(", ")}; ${it.at + 1} of ${it.found.length}`;
}

function insert(it, [found]) {
  const name = UNLIKE_TEXT.test(found) ? JSON.stringify(found) : found;
  const end = it.text.selectionStart, begin = end - (typed(it) ?? "").length;
  it.text.setSelectionRange(begin, end);
  // As if it was typed, so that it can be undone; a browser that refuses to gets it all the same.
  if (!document.execCommand("insertText", false, name)) it.text.setRangeText(name, begin, end, "end");
  hide(it);
  plan(it);
}

function hide(it) {
  it.list.hidden = true;
}

function plan(it) {
  clearTimeout(it.timer);
  it.timer = setTimeout(() => send(it), SEND_MS);
}

function send(it) {
  clearTimeout(it.timer);
  if (it.text.value === it.sent) return;
  it.sent = it.text.value;
  it.tell("edited", it.sent);
}

export default function ({ root, data, emit }) {
  const it = instanceOf(root.querySelector(".editor"));
  Object.assign(it, { data, tell: emit });
  it.text.ariaLabel = data.label;
  it.text.disabled = data.disabled;
  if (it.page !== data.page) { // another text; while one is edited, what is typed is newer than what was sent
    it.page = data.page;
    it.text.value = it.sent = data.text;
  }
}
