
// A control that has the keyboard and goes gives it to what takes its place, so that the page never is without:
// to its like, to what opened a dialog, else to what a person goes on with. One listener, whatever draws the control.
// Never to a button that acts, such as Stop: the next press of a key was meant for something else.
const GOES_ON = [[".st-key-desk", "input, textarea, button"], [".st-key-message", "textarea"], [".st-key-head_bar", "[aria-current]"]];
const DIALOG = '[data-testid="stDialog"]', HOST = '[data-testid="stBidiComponentIsolated"]';
const keyboard = { held: null, opener: null, key: "", isPointer: false, isWaiting: false };

function note(event) { // moves within a shadow tree are no focusin of the page
  if (document.activeElement === document.body) return;
  const [held] = event.composedPath(), names = event.target.closest("[class*=st-key-]")?.classList ?? [];
  Object.assign(keyboard, { held, key: [...names].find(each => each.startsWith("st-key-")) });
  if (!event.target.closest(DIALOG)) keyboard.opener = held.closest?.(".menu")?.parentElement.querySelector(":scope > button") ?? held; // a menu closes at a press
}

document.addEventListener("focusin", note);
document.addEventListener("keydown", event => {
  Object.assign(keyboard, { isPointer: false, isWaiting: false });
  note(event);
}, true);
document.addEventListener("keydown", ({ key, target }) => { // a painted table keeps Escape from its dialog
  if (key === "Escape" && target.localName === "canvas") target.closest(DIALOG)?.querySelector('[aria-label="Close"]')?.click();
}, true);
document.addEventListener("pointerdown", () => { Object.assign(keyboard, { isPointer: true, isWaiting: false, held: null }); }, true);
document.addEventListener("click", note, true);
new MutationObserver(keepKeyboard).observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-test-script-state"] });

function isSeen(element) {
  return Boolean(element?.isConnected && element.checkVisibility({ visibilityProperty: true }) && !element.disabled && element.ariaDisabled !== "true");
}

function controlAt([place, control]) {
  const boxes = [...document.querySelectorAll(place)].flatMap(box => [box, ...box.querySelectorAll(HOST)]);
  return boxes.flatMap(box => [...(box.shadowRoot ?? box).querySelectorAll(control)]).find(isSeen);
}

function keepKeyboard() {
  const { held, opener, key, isPointer, isWaiting } = keyboard, isLost = document.activeElement === document.body && held && !isSeen(held);
  if ((!isLost && !isWaiting) || document.querySelector(DIALOG)) return;
  const [desk, message, ...others] = GOES_ON, isOfDesk = key?.startsWith("st-key-desk");
  const like = key && !isOfDesk ? [[`.${key}`, held.localName]] : [], answer = isPointer && !isOfDesk ? [] : [message];
  const wanted = [...(isWaiting ? [] : like), desk, ...answer].map(controlAt).find(Boolean);
  const next = (isLost && isSeen(opener) ? opener : wanted) ?? (isLost && !isPointer ? others.map(controlAt).find(Boolean) : undefined);
  if (!next) return;
  keyboard.isWaiting = !wanted && next !== opener; // for what a person goes on with, which may come a moment later
  next.focus({ preventScroll: true });
}
