// Moves through a list by keys: [data-rows] holds [data-row] elements, each with one
// [data-row-link] and perhaps an input[data-select-row].
//   j k  next, previous     o  open     x  select     Shift-x  select up to here
// Real focus moves from link to link (roving tabindex), so a screen reader follows.
import { mayAct } from "./keys.js";

const links = () => [...document.querySelectorAll("[data-rows] [data-row-link]")];

function rove(current) {
  for (const link of links()) link.tabIndex = link === current ? 0 : -1;
}

function start() {
  const all = links();
  if (all.length && !all.some((link) => link.tabIndex === 0 && link.hasAttribute("tabindex"))) {
    rove(all[0]);
  }
}

function move(step) {
  const all = links();
  if (!all.length) return;
  const row = document.activeElement?.closest("[data-row]");
  const here = all.findIndex((link) => link.closest("[data-row]") === row);
  const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step;
  const target = all[Math.max(0, Math.min(next, all.length - 1))];
  rove(target);
  target.focus();
}

function select(event) {
  const row = document.activeElement?.closest("[data-row]");
  const box = row?.querySelector("input[data-select-row]");
  // A synthetic click carries Shift on, so that ranges are made in one place.
  box?.dispatchEvent(
    new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }),
  );
}

const ACTIONS = {
  j: () => move(1),
  k: () => move(-1),
  o: () => document.activeElement?.closest("[data-row]")?.querySelector("[data-row-link]")?.click(),
  x: select,
  X: select,
};

document.addEventListener("keydown", (event) => {
  if (!mayAct(event) || !document.querySelector("[data-rows]")) return;
  const action = ACTIONS[event.key];
  if (!action) return;
  event.preventDefault();
  action(event);
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches?.("[data-rows] [data-row-link]")) rove(event.target);
});
document.addEventListener("htmx:afterSettle", start);
start();
