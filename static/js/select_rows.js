// Selecting rows for one act on many. Inside a [data-select] form:
//   input[data-select-row]        one row; Shift-click selects the range
//   input[data-select-page]       every row of this page
//   [data-select-bar]             shown while something is selected
//   [data-select-count]           how many
//   button[data-select-matching]  take every row that matches the filter instead; its
//                                 value is the token the server made for that filter,
//                                 and data-total the count at that moment
//   input[name=selection]         where the token goes; disabled while rows are named
//   button[data-select-clear]     none
// The form lies inside what htmx swaps, so a refresh never leaves an old count beside
// new rows.
import { announce } from "./announce.js";

let anchor = null;

const form = (element) => element.closest("[data-select]");
const boxes = (within) => [...within.querySelectorAll("input[data-select-row]")];
const token = (within) => within.querySelector("input[name=selection]");

function show(within) {
  const all = boxes(within);
  const picked = all.filter((box) => box.checked).length;
  const matching = within.querySelector("[data-select-matching]");
  const everything = Boolean(token(within)?.value);
  const count = everything ? Number(matching.dataset.total) : picked;
  const page = within.querySelector("input[data-select-page]");
  if (page) {
    page.checked = picked > 0 && picked === all.length;
    page.indeterminate = picked > 0 && picked < all.length;
  }
  for (const slot of within.querySelectorAll("[data-select-count]")) {
    slot.textContent = count.toLocaleString();
  }
  const bar = within.querySelector("[data-select-bar]");
  if (bar) bar.hidden = count === 0;
  // Offered only once the whole page is chosen: the usual wish is a few rows.
  if (matching) {
    const more = Number(matching.dataset.total) > all.length;
    matching.hidden = everything || picked !== all.length || !more;
  }
  if (bar && !bar.hidden) announce(bar.querySelector("[data-select-words]")?.textContent.trim());
}

function forgetMatching(within) {
  const input = token(within);
  if (!input) return;
  input.value = "";
  input.disabled = true;
}

function range(within, box) {
  const all = boxes(within);
  const [from, to] = [all.indexOf(anchor), all.indexOf(box)].sort((a, b) => a - b);
  if (from < 0) return;
  for (const between of all.slice(from, to + 1)) between.checked = box.checked;
}

function onRow(box, shift) {
  const within = form(box);
  if (shift && anchor && form(anchor) === within) range(within, box);
  anchor = box;
  forgetMatching(within);
  show(within);
}

function setAll(within, checked) {
  for (const box of boxes(within)) box.checked = checked;
  forgetMatching(within);
  show(within);
}

function takeMatching(button) {
  const within = form(button);
  const input = token(within);
  input.value = button.value;
  input.disabled = false;
  show(within);
}

document.addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-select] *");
  if (!target) return;
  if (target.matches("input[data-select-row]")) onRow(target, event.shiftKey);
  else if (target.matches("input[data-select-page]")) setAll(form(target), target.checked);
  const button = target.closest("button");
  if (button?.matches("[data-select-clear]")) setAll(form(button), false);
  if (button?.matches("[data-select-matching]")) takeMatching(button);
});

function start(within) {
  for (const element of within.querySelectorAll("[data-select]")) show(element);
}

document.addEventListener("htmx:afterSettle", () => start(document));
start(document);
