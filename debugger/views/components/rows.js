// A list of rows of which one can be chosen: takes in its data, again and again.

const ROW = 32;
const instances = new WeakMap(); // one record per mounted list

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
  it.root.addEventListener("scroll", () => {
    it.isAtEnd = it.root.scrollTop + it.root.clientHeight >= it.root.scrollHeight - ROW;
  }, { passive: true });
  const rowOf = event => event.target.closest("tbody tr");
  it.body.addEventListener("click", event => {
    const row = rowOf(event);
    if (row && !isReading(it)) choose(it, row);
  });
  it.body.addEventListener("keydown", event => {
    const row = rowOf(event), rows = [...it.body.rows];
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = rows.indexOf(row), page = Math.max(1, Math.floor(it.root.clientHeight / ROW) - 2);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) focus(it, rows[Math.min(Math.max(to, 0), rows.length - 1)]);
    else if (event.key === "Enter" || event.key === " ") choose(it, row);
    else return;
    event.preventDefault();
    event.stopPropagation(); // the page has keys of its own
  });
}

// Whether a person has just marked some text to copy it, which ends in a click as well.
function isReading(it) {
  const root = it.root.getRootNode(), marked = (root.getSelection || document.getSelection).call(root.getSelection ? root : document);
  return Boolean(marked && !marked.isCollapsed && marked.toString().trim());
}

function choose(it, row) { // once more gives it back
  const { target } = it.rows[row.sectionRowIndex], isChosen = row.ariaSelected === "true";
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
  [...it.body.rows].forEach((row, at) => {
    const isChosen = String(at === place);
    if (row.ariaSelected !== isChosen) row.ariaSelected = isChosen;
  });
}

// Scroll no more than it takes, and leave the page around where it is.
function show(it, row) {
  const top = row.offsetTop - ROW, bottom = row.offsetTop + ROW;
  if (top < it.root.scrollTop) it.root.scrollTop = top;
  else if (bottom > it.root.scrollTop + it.root.clientHeight) it.root.scrollTop = bottom - it.root.clientHeight;
}

function cell(column, value) {
  const made = document.createElement("td");
  made.className = column.kind;
  if (value === null || value === "") return made;
  const [text, more] = Array.isArray(value) ? value : [value];
  if (column.kind === "chip") {
    const chip = document.createElement("span");
    chip.className = "chip " + more;
    chip.textContent = text;
    made.append(chip);
  } else if (column.kind === "bar") {
    const track = document.createElement("i"), filled = document.createElement("b");
    filled.style.width = Math.round(more * 100) + "%";
    track.append(filled);
    made.append(track, text);
  } else {
    made.textContent = text;
  }
  if (String(text).length > 12) made.title = text;
  return made;
}

function rowOf(it, { cells, begins }) {
  const made = document.createElement("tr");
  made.tabIndex = -1;
  if (begins) made.className = "begins";
  made.append(...it.columns.map((column, at) => cell(column, cells[at])));
  return made;
}

function buildHead(it, columns) {
  it.columns = columns;
  it.rows = [];
  it.filled = undefined;
  it.body.replaceChildren();
  it.widths.replaceChildren(...columns.map(({ width, grows }) => {
    const made = document.createElement("col");
    if (!grows) made.style.width = width + "px";
    return made;
  }));
  // What is left over goes to the column that grows; where nothing is left, the list scrolls sideways.
  it.table.style.minWidth = columns.reduce((sum, { width }) => sum + width, 0) + "px";
  it.head.replaceChildren(...columns.map(({ label, kind, help }) => {
    const made = document.createElement("th");
    made.scope = "col";
    made.className = kind;
    made.textContent = label;
    if (help) made.title = help;
    return made;
  }));
}

// Only what is new is made anew, so that a long list costs no more than what happened in it.
function fill(it, rows) {
  rows.forEach((row, at) => {
    const signature = JSON.stringify([row.cells, row.begins]), old = it.rows[at];
    if (!old || old.signature !== signature) {
      const made = rowOf(it, row);
      if (old) it.body.rows[at].replaceWith(made); else it.body.append(made);
    }
    it.rows[at] = { signature, target: row.target };
  });
  while (it.rows.length > rows.length) {
    it.rows.pop();
    it.body.lastElementChild.remove();
  }
}

function write(element, text) {
  element.textContent = text;
  element.hidden = text === "";
}

export default function ({ data, parentElement, setTriggerValue }) {
  const it = instanceOf(parentElement.querySelector(".box"));
  it.send = setTriggerValue;
  write(parentElement.querySelector("h4"), data.title);
  write(parentElement.querySelector("p"), data.none);
  it.root.hidden = data.none !== "";
  const columns = JSON.stringify(data.columns), isOther = it.page !== data.page || it.signature !== columns;
  if (it.signature !== columns) buildHead(it, data.columns);
  it.signature = columns;
  it.page = data.page;
  it.table.setAttribute("aria-label", data.aria_label);
  const before = it.rows.length, near = data.chosen ?? data.near;
  if (it.filled !== data.rows) fill(it, JSON.parse(data.rows)); // most often another row is chosen, and no more
  it.filled = data.rows;
  mark(it, data.chosen);
  const rows = it.body.rows, sought = near === null ? null : JSON.stringify(it.rows[near]?.target);
  if (rows.length && !it.body.querySelector('tr[tabindex="0"]')) rows[data.chosen ?? rows.length - 1].tabIndex = 0;
  const isAdded = rows.length > before && !isOther, isAsked = near !== null && (isOther || near !== it.near || sought !== it.sought);
  Object.assign(it, { near, sought });
  // In the frame that is drawn next: to ask for a place now would have the whole page laid out in between.
  requestAnimationFrame(() => {
    if (isAsked) { if (rows[near]) show(it, rows[near]); }
    else if (near === null && isOther) it.root.scrollTop = data.follows ? it.root.scrollHeight : 0;
    else if (near === null && isAdded && it.isAtEnd) it.root.scrollTop = it.root.scrollHeight; // goes with the run
  });
}
