// What opens over the page, as a menu or a dialog, is outside of the app: it takes the colour scheme of the document,
// which is that of the app.
const app = document.querySelector('[data-testid="stApp"]');

function passOn() {
  document.documentElement.style.colorScheme = getComputedStyle(app).colorScheme;
}

if (app) {
  new MutationObserver(passOn).observe(app, { attributeFilter: ["class"] });
  passOn();
}
