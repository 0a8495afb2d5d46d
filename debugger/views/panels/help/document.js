// A document of the help: a link to another one is followed in this tab, and the place that it names is shown.

const instances = new WeakMap(); // one record per mounted document

function instanceOf(root) {
  let it = instances.get(root);
  if (it) return it;
  it = { root };
  root.addEventListener("click", event => {
    const link = event.target.closest("a[href^='help?']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // the browser opens a tab
    event.preventDefault();
    it.emit("followed", link.getAttribute("href"));
  });
  instances.set(root, it);
  return it;
}

export default function ({ root, data, emit }) {
  const it = instanceOf(root.querySelector(".document"));
  it.emit = emit;
  const isOther = it.html !== data.html || it.place !== data.place;
  if (it.html !== data.html) it.root.innerHTML = data.html; // made on the server, without HTML of others
  it.html = data.html;
  it.place = data.place;
  if (!isOther || data.place === null) return;
  const heading = data.place ? it.root.querySelector(`#${CSS.escape(data.place)}`) : it.root.querySelector("h1");
  requestAnimationFrame(() => {
    heading?.scrollIntoView({ block: "start" });
    heading?.focus({ preventScroll: true });
  });
}
