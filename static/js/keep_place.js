// A part of the page that fetches itself again ([data-keep-place]) leaves the reader
// where they were: the same element has focus, the same rows stay ticked,
// what was unfolded stays so, what has data-keep-scroll stays where it was scrolled to.
// With data-announce-new="words" the rows that are new are counted aloud, politely.
import { announce } from "./announce.js";

let place = null;

const rowIds = (region) => [...region.querySelectorAll("[data-row][id]")].map((row) => row.id);
const scrolled = (region) => [...region.querySelectorAll("[data-keep-scroll][id]")];

function remember(region) {
  const focused = document.activeElement;
  const ticked = [...region.querySelectorAll("input[type=checkbox]:checked[value]")];
  place = {
    focus: region.contains(focused) ? focused.id || focused.closest("[data-row]")?.id : null,
    open: [...region.querySelectorAll("details[open][id]")].map((each) => each.id),
    rows: new Set(rowIds(region)),
    scroll: scrolled(region).map((box) => [box.id, box.scrollTop]),
    ticked: new Set(ticked.map((box) => `${box.name}=${box.value}`)),
  };
}

function restore(region) {
  const { focus, open, rows, scroll, ticked } = place;
  place = null;
  const fresh = rowIds(region).filter((id) => !rows.has(id)).length;
  const words = region.dataset.announceNew;
  if (words && fresh) announce(`${fresh} ${words}`);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const box of region.querySelectorAll("input[type=checkbox][value]")) {
    if (ticked.has(`${box.name}=${box.value}`)) box.checked = true;
  }
  // After unfolding: what is folded has no height to scroll in.
  for (const [id, top] of scroll) {
    const box = document.getElementById(id);
    if (box) box.scrollTop = top;
  }
  const again = focus && document.getElementById(focus);
  if (!again) return;
  const target = again.matches("[data-row]") ? again.querySelector("[data-row-link]") : again;
  target?.focus({ preventScroll: true });
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const region = event.detail.target.closest?.("[data-keep-place]");
  if (region && event.detail.shouldSwap) remember(region);
});

// After the swap and before select_rows.js counts on afterSettle.
document.addEventListener("htmx:afterSwap", (event) => {
  const region = event.detail.elt.closest?.("[data-keep-place]");
  if (place && region) restore(region);
});
