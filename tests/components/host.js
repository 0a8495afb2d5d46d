// Draws components by their keys, each as often as its data change, and keeps what they tell.

const AROUND = {
  dialog: ".dialog", closesDialog: '[aria-label="Close"]', opened: ":root[data-menu]", messageBox: ".st-key-message", startsTurn: ".st-key-message",
  demo: ":root[data-demo]", panes: ".panes", abovePanes: ".dialog, :root[data-menu]", engineerPane: ".engineer", surroundings: ".head", viewSwitch: [".head", "button"],
};
const mounted = new Map();
window.events = [];
window.keys = []; // those that no component has kept from the page
document.addEventListener("keydown", event => { if (!event.defaultPrevented) window.keys.push(event.key); });

function mount(key, html, css, into) {
  const host = document.createElement("div"), root = host.attachShadow({ mode: "open" }), sheet = new CSSStyleSheet();
  host.className = `st-key-${key}`;
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  root.innerHTML = `<div><div>${html}</div></div>`; // as Streamlit has it
  document.querySelector(into).append(host);
  return { host, root };
}

function size({ style }, height) {
  if (height === "stretch") Object.assign(style, { flex: "1 1 0", minHeight: "0" });
  else if (height) Object.assign(style, { flex: "none", height: `${height}px` });
}

// Before they are there, texts have other sizes.
await Promise.all([...document.fonts].map(font => font.load()));

window.draw = async ({ key, html, css, script, data, height, into }) => {
  const { default: draw } = await import(script);
  if (!mounted.has(key)) mounted.set(key, mount(key, html, css, into));
  const { host, root } = mounted.get(key);
  size(host, height);
  draw({ root, data: JSON.parse(data), emit: (event, value) => { window.events.push([key, event, value]); }, around: AROUND });
  await window.drawn();
};

// An observer of sizes is called between the layout of a frame and its painting.
window.drawn = () => new Promise(done => { requestAnimationFrame(() => requestAnimationFrame(done)); });
