// What cases need beyond htmx:
//   case-changed             sent by the server after a change; said aloud here, and
//                            [data-case-version] learns the version if the change was
//                            ours alone: another's change must still count as stale
//   [data-opens-when-filled] a <dialog> that opens when htmx puts a form into it
//   form[data-empties]       is emptied once what it sent was taken
//   select[data-submits]     sends its form when another entry is chosen
import { announce } from "./announce.js";

document.addEventListener("case-changed", ({ detail }) => {
  announce(detail.sentence);
  if (!detail.version) return;
  for (const input of document.querySelectorAll("[data-case-version]")) {
    if (Number(input.value) === detail.version - 1) input.value = detail.version;
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  const dialog = event.detail.target;
  if (!dialog.matches?.("dialog[data-opens-when-filled]") || dialog.open) return;
  dialog.showModal();
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful } = event.detail;
  if (successful && elt.matches?.("form[data-empties]")) elt.reset();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submits]")) event.target.form.requestSubmit();
});
