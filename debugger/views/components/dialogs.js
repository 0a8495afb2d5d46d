// A press beside a side dialog leaves it open: what is beside it is there to be read, and what is typed in it would be
// gone. Escape leaves it; what is typed in the field that has the keyboard is sent before.
const SIDE_DIALOG = '[data-testid="stDialog"]:has([data-testid="stDialogResizeHandle"])';
const TYPED = "textarea, input:not([role=combobox])"; // Escape closes the list of a combobox first

addEventListener("pointerdown", event => { // of the window: it hears of the press before the dialog does
  if (!event.target.matches?.(SIDE_DIALOG)) return;
  event.preventDefault(); // the field keeps the keyboard
  event.stopImmediatePropagation();
}, true);

addEventListener("keydown", event => {
  if (event.key !== "Escape" || event.isComposing || !event.target.closest?.(SIDE_DIALOG)) return;
  const [field] = event.composedPath();
  if (field.matches(TYPED)) field.blur();
}, true);
