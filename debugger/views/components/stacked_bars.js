// Charts of stacked bars, each part of them a button: takes in its data, again and again.

const instances = new WeakMap(); // one record per mounted element

function part(it, { label, colour, count, target }, most) {
  const element = made("button", colour);
  element.style.flexBasis = (100 * count) / most + "%";
  element.title = element.ariaLabel = label;
  element.tabIndex = -1;
  element.addEventListener("click", () => it.send("chosen", target));
  return element;
}

function chart(it, { title, is_upright, bars, legend }) {
  const most = Math.max(...bars.map(({ total }) => total)), step = is_upright ? Math.ceil(bars.length / 7) : 1;
  const drawn = bars.map(({ label, total, parts }, at) => {
    const name = made("span", "name", (bars.length - 1 - at) % step ? "" : label), number = made("span", "total", String(total));
    name.title = label;
    return made("div", "bar", name, made("div", "parts", ...parts.map(each => part(it, each, most)), number));
  });
  const kinds = made("ul", "legend", ...legend.map(([word, colour]) => made("li", "", made("i", colour), word)));
  const figure = made("div", "figure" + (is_upright ? " upright" : ""), made("div", "bars", ...drawn), kinds);
  const section = made("section", "", made("h4", "", title), figure);
  section.ariaLabel = title;
  return section;
}

function strip(it, { title, bars }) {
  const most = Math.max(...bars.map(({ total }) => total));
  const drawn = bars.map(({ total, parts: [day] }) => {
    if (!day) return made("span", "");
    const element = part(it, day, most), filled = made("b", day.colour);
    element.style.flexBasis = "";
    filled.style.height = Math.max((100 * total) / most, 10) + "%";
    element.className = "";
    element.ariaPressed = String(day.is_chosen);
    element.append(filled);
    return element;
  });
  const section = made("section", "strip", ...drawn);
  section.ariaLabel = title;
  return section;
}

function table({ title, bars }) {
  const rows = bars.flatMap(({ label, parts }) => parts.map(({ kind, count }) =>
    made("tr", "", made("th", "", label), made("td", "", kind), made("td", "number", String(count)))));
  const drawn = made("table", "", made("caption", "", title), made("tbody", "", ...rows)), scrolled = made("div", "table", drawn);
  scrolled.tabIndex = 0; // what scrolls is reached by the keyboard
  scrolled.ariaLabel = title;
  scrolled.role = "region";
  return made("section", "", scrolled);
}

function buttons(it) {
  return [...it.root.querySelectorAll("button")];
}

function move(it, event) { // one stop of the Tab key, and the arrows within
  const all = buttons(it), at = all.indexOf(event.target);
  const to = { ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (at < 0 || !all[to] || event.ctrlKey || event.metaKey || event.altKey) return;
  all[at].tabIndex = -1;
  all[to].tabIndex = 0;
  all[to].focus();
  event.preventDefault();
  event.stopPropagation(); // the page has keys of its own
}

export default function ({ root, data, emit }) {
  const charts = root.querySelector(".charts"), it = instances.get(charts) ?? { root: charts };
  if (!instances.has(charts)) charts.addEventListener("keydown", event => move(it, event));
  instances.set(charts, it);
  it.send = emit;
  const drawing = JSON.stringify(data);
  if (it.drawing === drawing) return;
  it.drawing = drawing;
  const held = buttons(it).indexOf(charts.getRootNode().activeElement);
  charts.replaceChildren(...data.charts.map(each => (data.is_table ? table(each) : (data.is_strip ? strip : chart)(it, each))));
  const all = buttons(it), next = all[Math.min(Math.max(held, 0), all.length - 1)];
  if (next) next.tabIndex = 0;
  if (held >= 0) next?.focus({ preventScroll: true });
}
