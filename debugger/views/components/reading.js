// The transcript of a run of which the run, a turn or a message can be chosen: takes in its data, again and again.

const MARKS = { pass: "✓ pass", fail: "✗ fail", unsure: "? unsure" };
const WHO = { user: "User", agent: "Agent", system: "System", error: "Error" };
const instances = new WeakMap(); // one record per mounted box

function instanceOf(root) {
  let it = instances.get(root);
  if (!it) {
    it = { root, drawn: [] };
    instances.set(root, it);
    wire(it);
  }
  return it;
}

function wire(it) {
  const choiceOf = event => event.target.closest(".choice");
  it.root.addEventListener("click", event => {
    const choice = choiceOf(event);
    if (choice && !isReading(it)) choose(it, choice);
  });
  it.root.addEventListener("keydown", event => {
    const choice = choiceOf(event), all = choices(it);
    if (!choice || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = all.indexOf(choice), to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) focus(it, all[Math.min(Math.max(to, 0), all.length - 1)]);
    else if (event.key === "Enter" || event.key === " ") choose(it, choice);
    else return;
    event.preventDefault();
    event.stopPropagation(); // the page has keys of its own
  });
}

function choices(it) {
  return [...it.root.querySelectorAll(".choice")];
}

function choose(it, choice) { // once more clears the choice
  const isChosen = choice.ariaPressed === "true";
  mark(it, isChosen ? "" : choice.dataset.target); // at once: what follows from it takes a moment
  focus(it, choice);
  it.send("chosen", isChosen ? "run" : choice.dataset.target);
}

function focus(it, choice) {
  choices(it).forEach(each => { each.tabIndex = each === choice ? 0 : -1; });
  choice.focus({ preventScroll: true });
  choice.scrollIntoView({ block: "nearest" });
}

function mark(it, target) {
  choices(it).forEach(each => { each.ariaPressed = String(each.dataset.target === target); });
}

function choiceOf(target, className, verdict, ...content) {
  const choice = made("div", "choice " + className, ...content);
  if (verdict) choice.append(made("span", "mark " + verdict, MARKS[verdict]));
  choice.role = "button";
  choice.tabIndex = -1;
  choice.ariaPressed = "false";
  choice.dataset.target = target;
  return choice;
}

function messageOf({ target, role, text, node, verdict }) {
  const words = made("div", "", made("p", "words", text), ...(node ? [made("small", "", node)] : []));
  return choiceOf(target, "message " + role, verdict, made("span", "who", WHO[role]), words);
}

// Only what is new is made anew: the place that is read, and a marked text, stay.
function fill(it, turns, isOther) {
  if (isOther || !turns.length) it.drawn = [];
  const drawn = turns.map((turn, at) => {
    const signature = JSON.stringify(turn), old = it.drawn[at];
    return old?.signature === signature ? old : { signature, element: turnOf(turn) };
  });
  if (drawn.length !== it.drawn.length) it.root.replaceChildren(...drawn.map(({ element }) => element));
  else drawn.forEach(({ element }, at) => { if (element !== it.drawn[at].element) it.drawn[at].element.replaceWith(element); });
  it.drawn = drawn;
}

function turnOf({ target, title, path, changes, error, verdict, messages }) {
  const head = choiceOf(target, "head", verdict, made("b", "", title), made("span", "path", path));
  const facts = changes.length ? [made("ul", "facts", ...changes.map(change => made("li", "", change)))] : [];
  const errors = error ? [made("p", "error", error)] : [];
  const turn = made("section", "turn", head, ...messages.map(messageOf), ...facts, ...errors);
  turn.ariaLabel = title;
  return turn;
}

export default function ({ root, data, emit }) {
  const it = instanceOf(root.querySelector(".box")), isOther = it.page !== data.page;
  it.send = emit;
  const had = it.root.getRootNode().activeElement?.dataset?.target;
  if (it.turns !== data.turns || isOther) {
    const turns = JSON.parse(data.turns);
    fill(it, turns, isOther);
    if (!turns.length) it.root.replaceChildren(made("p", "empty", data.empty));
  }
  it.turns = data.turns;
  it.page = data.page;
  mark(it, data.chosen);
  const all = choices(it), chosen = all.find(each => each.dataset.target === data.chosen);
  const first = chosen ?? all.find(each => each.dataset.target === had) ?? all[0];
  all.forEach(each => { each.tabIndex = each === first ? 0 : -1; });
  if (had && !isOther) first?.focus({ preventScroll: true });
  const isNew = it.chosen !== data.chosen;
  it.chosen = data.chosen;
  // In the frame that is drawn next: to ask for a place now would have the whole page laid out in between.
  requestAnimationFrame(() => {
    if (isOther) it.root.scrollTop = 0;
    if (chosen && isNew) chosen.scrollIntoView({ block: "nearest" });
  });
}
