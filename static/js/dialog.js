// data-opens="ID" opens a <dialog>; data-closes inside it closes it.
// A click on the backdrop closes one that holds nothing typed.
// [data-opens-when-filled] is a <dialog> that opens when htmx puts something into it.
function typedIn(dialog) {
  return [...dialog.querySelectorAll("textarea, input[type=text]")].some(
    (input) => input.value !== input.defaultValue,
  );
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    document.getElementById(opener.dataset.opens)?.showModal();
    return;
  }
  if (event.target.closest("[data-closes]")) {
    event.target.closest("dialog")?.close();
    return;
  }
  if (event.target.matches("dialog[open]") && !typedIn(event.target)) {
    event.target.close();
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  const dialog = event.detail.target;
  if (!dialog.matches?.("dialog[data-opens-when-filled]") || dialog.open) return;
  dialog.showModal();
});

// A server's refusal comes back into the dialog it was sent from; success closes it.
document.addEventListener("htmx:afterRequest", (event) => {
  const dialog = event.detail.elt.closest?.("dialog[open]");
  // A refusal that is swapped in counts as successful to htmx: the status tells.
  const done = event.detail.successful && event.detail.xhr.status < 400;
  if (dialog && done && event.detail.requestConfig.verb !== "get") {
    dialog.close();
  }
});
