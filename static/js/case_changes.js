// What cases need beyond htmx:
//   case-changed             sent by the server after a change; said aloud here, and
//                            [data-case-version] learns the version if the change was
//                            ours alone: another's change must still count as stale
//   case-refused             sent where nothing was done; said in [data-refused]
//   [data-fresh-token]       came with a part of the page; every form takes it over
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

document.addEventListener("case-refused", ({ detail }) => {
  const told = document.querySelector("[data-refused]");
  told.querySelector("span").textContent = detail.value;
  told.hidden = false;
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb === "get") return;
  const told = document.querySelector("[data-refused]");
  if (told) told.hidden = true;
});

// After signing in anew, the forms that were left open need the new token.
document.addEventListener("htmx:afterSwap", (event) => {
  const token = event.detail.elt.querySelector?.("[data-fresh-token]")?.value;
  if (!token) return;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) {
    input.value = token;
  }
  const ended = document.querySelector("[data-signed-out]");
  if (ended) ended.hidden = true;
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful, xhr } = event.detail;
  const taken = successful && xhr.status < 400;
  if (taken && elt.matches?.("form[data-empties]")) elt.reset();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submits]")) event.target.form.requestSubmit();
});
