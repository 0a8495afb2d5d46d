// A press beside a dialog leaves it open: what is beside it is there to be read, and what is typed in it would be gone.
// Escape leaves it; what is typed in the field that has the keyboard is sent before.

const dialogs = new WeakSet();
const TYPED = "textarea, input:not([role=combobox])"; // Escape closes the list of a combobox first

addEventListener("pointerdown", event => { // of the window: it hears of the press before the dialog does
  if (!dialogs.has(event.target)) return;
  event.preventDefault(); // the field keeps the keyboard
  event.stopImmediatePropagation();
}, true);

addEventListener("keydown", event => {
  if (event.key !== "Escape" || event.isComposing || !event.composedPath().some(each => dialogs.has(each))) return;
  if (event.composedPath()[0].matches?.(TYPED)) event.composedPath()[0].blur();
}, true);

export default function ({ root, around }) {
  const dialog = root.getRootNode().host?.closest(around.dialog);
  if (dialog) dialogs.add(dialog);
}
