// A table of rows of which one can be chosen: takes in its data, again and again.

const instances = new WeakMap(); // one record per mounted table

function instanceOf(root) {
  let it = instances.get(root);
  if (!it) {
    const find = selector => root.querySelector(selector);
    it = { root, table: find("table"), widths: find("colgroup"), head: find("thead tr"), body: find("tbody"), rows: [] };
    instances.set(root, it);
    wire(it);
  }
  return it;
}

function wire(it) {
  it.isAtEnd = true;
  it.root.addEventListener("scroll", () => noteEnd(it), { passive: true });
  const rowOf = event => event.target.closest("tr.choice");
  it.body.addEventListener("click", event => {
    const row = rowOf(event), box = event.target.closest("td.check")?.querySelector("input");
    if (row && box) box.click(); // beside the box is meant for it
    else if (row && !isReading(it)) choose(it, row);
  });
  it.body.addEventListener("keydown", event => {
    const row = rowOf(event), rows = [...it.body.querySelectorAll("tr.choice")];
    if (!row || event.target !== row || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = rows.indexOf(row), page = Math.max(1, Math.floor(it.root.clientHeight / it.row) - 2);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) focus(it, rows[Math.min(Math.max(to, 0), rows.length - 1)]);
    else if (event.key === " " && row.querySelector("input")) row.querySelector("input").click();
    else if (event.key === "Enter" || event.key === " ") choose(it, row);
    else return;
    event.preventDefault();
    event.stopPropagation(); // the page has keys of its own
  });
  it.head.addEventListener("keydown", event => {
    const buttons = sortButtons(it), at = buttons.indexOf(event.target), last = buttons.length - 1;
    const to = { ArrowRight: Math.min(at + 1, last), ArrowLeft: Math.max(at - 1, 0), Home: 0, End: last }[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    setTabStop(it, buttons[to]);
    buttons[to].focus();
    event.preventDefault();
    event.stopPropagation();
  });
}

function sortButtons(it) {
  return [...it.head.querySelectorAll("button")];
}

// One stop of the Tab key for all headers, and the arrows within.
function setTabStop(it, button) {
  sortButtons(it).forEach(each => { each.tabIndex = each === button ? 0 : -1; });
}

function noteEnd(it) {
  it.isAtEnd = it.root.scrollTop + it.root.clientHeight >= it.root.scrollHeight - it.row;
}

function choose(it, row) { // once more clears the choice, where the table does not keep it
  const { target } = it.rows[row.sectionRowIndex], isChosen = row.ariaSelected === "true" && !it.keeps;
  it.near = isChosen ? null : row.sectionRowIndex;
  it.sought = isChosen ? null : JSON.stringify(target);
  mark(it, it.near); // at once: what follows from it takes a moment
  focus(it, row);
  it.send("chosen", isChosen ? [] : target);
}

function focus(it, row) {
  it.body.querySelectorAll('tr[tabindex="0"]').forEach(each => { each.tabIndex = -1; });
  row.tabIndex = 0;
  row.focus({ preventScroll: true });
  show(it, row);
}

function mark(it, place) {
  if (!it.selects) return;
  [...it.body.rows].forEach((row, at) => {
    const isChosen = String(at === place);
    if (row.ariaSelected !== isChosen && row.classList.contains("choice")) row.ariaSelected = isChosen;
  });
}

// Scroll no more than it takes, and leave the page around where it is.
function show(it, row, ahead = 0) {
  const top = row.offsetTop - it.row, bottom = row.offsetTop + it.row * (1 + ahead);
  if (top < it.root.scrollTop) it.root.scrollTop = top;
  else if (bottom > it.root.scrollTop + it.root.clientHeight) it.root.scrollTop = bottom - it.root.clientHeight;
}

const ICONS = { remove: "delete", revert: "undo" };
const MARKS = { removed: "del", added: "ins", quiet: "small" }, SIGNS = { removed: "− ", added: "+ " };

function cell(it, column, value, target) {
  const element = made("td", column.kind + (column.rests ? " rests" : ""));
  if (["text", "marks"].includes(column.kind)) element.dir = "auto"; // of a text from right to left the beginning is shown
  if (value === null || value.length === 0) return element;
  if (column.kind === "marks") {
    element.append(...value.map(([words, fate]) => fate === "same" ? words : made(MARKS[fate], "", (SIGNS[fate] ?? "") + words)));
    return element;
  }
  const [text, more, length, colour] = Array.isArray(value) ? value : [value];
  if (column.kind === "check" || ICONS[column.kind]) {
    element.append(control(it, column, text, more, target));
    return element;
  }
  if (column.kind === "chip") {
    const chips = Array.isArray(text) ? value : [value];
    element.append(...chips.map(([word, colour]) => made("span", "chip " + colour, word)));
    if (Array.isArray(text)) element.title = value.map(([word]) => word).join(", ");
    return element;
  }
  if (column.kind === "bar") {
    const filled = made("b", "");
    filled.style.width = Math.round(more * 100) + "%";
    element.append(made("i", "", filled), text);
  } else if (column.kind === "span") {
    const filled = made("b", colour);
    Object.assign(filled.style, { left: `min(${more * 100}%, 100% - 3px)`, width: length * 100 + "%" });
    element.append(made("i", "", filled));
  } else {
    element.append(text);
  }
  if (String(text).length > 12) element.title = text;
  return element;
}

function control(it, column, label, isSet, target) {
  const element = made(column.kind === "check" ? "input" : "button", "");
  if (column.kind === "check") Object.assign(element, { type: "checkbox", checked: isSet });
  else element.append(ICONS[column.kind]);
  element.ariaLabel = label;
  element.title = column.reason || label;
  element.disabled = column.reason !== "";
  if (it.selects) element.tabIndex = -1; // the row has the keyboard: the space bar sets it
  element.addEventListener("click", event => event.stopPropagation()); // it does not choose the row
  element.addEventListener(column.kind === "check" ? "change" : "click", () => {
    it.send("used", it.selects && column.kind === "check" ? [checked(it), column.name, null] : [target, column.name, element.checked ?? null]);
  });
  return element;
}

// All of them: of two that are set one right after the other, only the last may arrive.
function checked(it) {
  return it.rows.filter((_, at) => it.body.rows[at].querySelector("input:checked")).map(({ target }) => target);
}

function rowOf(it, { cells, target, begins, is_heading }) {
  if (is_heading) {
    const title = made("th", "", cells[0]);
    title.colSpan = it.columns.length;
    title.scope = "rowgroup";
    return made("tr", "", title);
  }
  const row = made("tr", begins ? "begins" : "", ...it.columns.map((column, at) => cell(it, column, cells[at], target)));
  if (it.selects && target !== null) {
    row.tabIndex = -1;
    row.classList.add("choice");
  }
  return row;
}

function buildHead(it, columns) {
  it.columns = columns;
  it.rows = [];
  it.filled = undefined;
  it.body.replaceChildren();
  it.widths.replaceChildren(...columns.map(({ kind, width, grows, fits }) => {
    const element = made("col", ""), most = kind === "chip" ? 20 : 50; // hundredths of the table
    if (!grows) element.style.width = fits > width ? `clamp(${width}px, ${most}cqi, ${fits}px)` : width + "px";
    return element;
  }));
  // What is left over goes to the column that grows; where nothing is left, the table scrolls sideways.
  it.table.style.minWidth = columns.reduce((sum, { width }) => sum + width, 0) + "px";
  it.head.replaceChildren(...columns.map(({ name, label, kind, help, sort }) => {
    const element = made("th", kind, label);
    element.scope = "col";
    if (help) element.title = help;
    if (kind === "check" && it.selects) element.replaceChildren(headBox(it, label, name));
    if (sort) {
      element.replaceChildren(made("button", "sort " + sort, label));
      element.ariaSort = sort;
      element.firstChild.addEventListener("click", () => it.send("used", [null, name, null]));
    }
    return element;
  }));
  setTabStop(it, it.head.querySelector("[aria-sort$=ending] button") ?? it.head.querySelector("button"));
}

function headBox(it, label, name) {
  it.all = Object.assign(made("input", ""), { type: "checkbox", ariaLabel: label, title: label });
  it.all.addEventListener("change", () => {
    it.body.querySelectorAll("input").forEach(each => { each.checked = it.all.checked; });
    it.send("used", [checked(it), name, null]);
  });
  return it.all;
}

// Only what is new is made anew, so that a long table costs no more than what happened in it.
function fill(it, rows) {
  rows.forEach((row, at) => {
    const signature = JSON.stringify(row), old = it.rows[at];
    if (!old || old.signature !== signature) {
      const row_made = rowOf(it, row), before = it.body.rows[at];
      if (old) before.replaceWith(row_made); else it.body.append(row_made);
    }
    it.rows[at] = { signature, target: row.target };
  });
  while (it.rows.length > rows.length) {
    it.rows.pop();
    it.body.lastElementChild.remove();
  }
}

// A row that has the keyboard and is made anew, or goes, gives it to the one in its place.
function keepFocus(it, place, label) {
  const row = it.body.rows[Math.min(place, it.body.rows.length - 1)];
  const control = label === null ? row : [...row?.querySelectorAll("input, button") ?? []].find(each => each.tagName === label);
  if (it.selects && row?.classList.contains("choice")) focus(it, row);
  else (control ?? it.root).focus({ preventScroll: true });
}

export default function ({ root, data, emit }) {
  const it = instanceOf(root.querySelector(".box"));
  it.send = emit;
  it.row = data.row;
  it.root.style.setProperty("--row", `${data.row}px`);
  it.root.classList.toggle("fills", data.fills);
  it.root.classList.toggle("selects", data.selects);
  it.selects = data.selects;
  it.keeps = data.keeps;
  it.table.role = data.selects ? "grid" : "table";
  it.root.classList.toggle("whole", data.whole);
  it.root.tabIndex = data.whole || (data.selects && data.rows !== "[]") ? -1 : 0; // what scrolls is reached by the keyboard
  it.root.role = data.selects ? null : "region";
  it.root.ariaLabel = data.selects ? null : data.aria_label;
  const held = it.root.getRootNode().activeElement, holder = held?.closest?.("tbody tr") ?? null;
  const headAt = held?.closest?.("th")?.cellIndex ?? -1;
  const heldAt = holder ? holder.sectionRowIndex : -1, heldLabel = holder && holder !== held ? held.tagName : null;
  const columns = JSON.stringify([data.columns, data.selects]), isOther = it.page !== data.page || it.signature !== columns;
  if (it.signature !== columns) buildHead(it, data.columns);
  it.signature = columns;
  it.page = data.page;
  it.table.setAttribute("aria-label", data.aria_label);
  const before = it.rows.length, near = data.chosen ?? data.near;
  if (it.filled !== data.rows) fill(it, JSON.parse(data.rows)); // most often another row is chosen, and no more
  it.filled = data.rows;
  mark(it, data.chosen);
  const rows = it.body.rows, later = new Set(data.later), sought = near === null ? null : JSON.stringify(it.rows[near]?.target);
  [...rows].forEach((row, at) => row.classList.toggle("later", later.has(at)));
  if (it.all) it.all.checked = it.body.querySelector("input") && !it.body.querySelector("input:not(:checked)");
  if (heldAt >= 0 && !held.isConnected) keepFocus(it, heldAt, heldLabel);
  if (headAt >= 0 && !held.isConnected) {
    const control = it.head.cells[headAt]?.firstElementChild;
    if (control?.localName === "button") setTabStop(it, control);
    control?.focus({ preventScroll: true });
  }
  if (it.selects && rows.length && !it.body.querySelector('tr[tabindex="0"]')) {
    const choices = it.body.querySelectorAll("tr.choice");
    (rows[data.chosen] ?? choices[data.follows ? choices.length - 1 : 0] ?? it.root).tabIndex = 0;
  }
  const isAdded = rows.length > before && !isOther, isAsked = near !== null && (isOther || near !== it.near || sought !== it.sought);
  Object.assign(it, { near, sought });
  // In the frame that is drawn next: to ask for a place now would have the whole page laid out in between.
  requestAnimationFrame(() => {
    if (isAsked) { if (rows[near]) show(it, rows[near], data.ahead); }
    else if (near === null && isOther) it.root.scrollTop = data.follows ? it.root.scrollHeight : 0;
    else if (near === null && isAdded && data.follows && it.isAtEnd) it.root.scrollTop = it.root.scrollHeight; // goes with the run
    if (isOther) noteEnd(it); // rows that all fit scroll nothing
  });
}
