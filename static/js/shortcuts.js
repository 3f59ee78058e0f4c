// Single keys:
//   g then a letter  follows the link with data-go="letter"
//   ?                opens the help dialog
//   any other        acts on the element with data-key="…": a field is focused, the
//                    rest is clicked. One inside the focused row comes before the page's.
// A key can open a dialog; what others will feel is done by the dialog's own button.
import { keysOn, mayAct, setKeys } from "./keys.js";

const GO_WINDOW_MS = 1500;
let goSince = -GO_WINDOW_MS;

const visible = (element) => element.checkVisibility() && !element.disabled;

function keyed(key) {
  const selector = `[data-key="${CSS.escape(key)}"]`;
  const row = document.activeElement?.closest("[data-row]");
  const inRow = row ? [...row.querySelectorAll(selector)] : [];
  // Rows carry their own verbs; without a focused row those must not fire.
  const onPage = [...document.querySelectorAll(selector)].filter(
    (element) => !element.closest("[data-row]"),
  );
  return [...inRow, ...onPage].find(visible);
}

function act(element) {
  if (element.matches("input, textarea, select")) {
    element.focus();
    element.select?.();
  } else {
    element.click();
  }
}

document.addEventListener("keydown", (event) => {
  if (!mayAct(event)) return;
  // When keys were pressed, and not when a busy page came to look at them.
  const going = event.timeStamp - goSince < GO_WINDOW_MS;
  goSince = -GO_WINDOW_MS;
  if (going) {
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
      return;
    }
  }
  if (event.key === "g") {
    goSince = event.timeStamp;
  } else if (event.key === "?") {
    event.preventDefault();
    document.getElementById("keys")?.showModal();
  } else {
    const element = keyed(event.key);
    if (!element) return;
    event.preventDefault();
    act(element);
  }
});

const box = document.querySelector("[data-keys-switch]");
if (box) {
  box.checked = keysOn();
  box.addEventListener("change", () => setKeys(box.checked));
}
