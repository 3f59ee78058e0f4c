// [data-prints] opens the browser's print dialog; without scripts it stays hidden, and
// the browser's own menu prints the same page.
for (const button of document.querySelectorAll("[data-prints]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
