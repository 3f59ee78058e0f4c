// data-opens="ID" opens a <dialog>; data-closes inside it closes it.
// A click on the backdrop closes one that holds nothing typed.
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

// A server's refusal comes back into the dialog it was sent from; success closes it.
document.addEventListener("htmx:afterRequest", (event) => {
  const dialog = event.detail.elt.closest?.("dialog[open]");
  if (dialog && event.detail.successful && event.detail.requestConfig.verb !== "get") {
    dialog.close();
  }
});
