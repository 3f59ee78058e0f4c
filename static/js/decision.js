// The decision form beside the table of accounts.
//   form[data-decision]  verdict, accounts, ground, reason
//   [data-members]       the table's section; its ticked rows belong to the form
//   [data-picked]        holds ticked rows of pages of the table that are not shown
//   [data-picked-count]  how many are picked in all
//   [data-decide]        leads from the selection to the form
// A preview answers for the verdict and the accounts it was made for; when either
// changes it goes, and the server would refuse it anyway.
const form = () => document.querySelector("form[data-decision]");
const members = () => document.querySelector("[data-members]");
const boxes = () => [...(members()?.querySelectorAll("input[data-select-row]") ?? [])];
const elsewhere = () => form()?.querySelector("[data-picked]");

function pickedCount() {
  const token = members()?.querySelector("input[name=selection]");
  if (token?.value) return Number(members().querySelector("[data-select-matching]").dataset.total);
  return boxes().filter((box) => box.checked).length + elsewhere().childElementCount;
}

function choose(name, value) {
  const radio = form().querySelector(`input[name=${name}][value=${value}]`);
  if (radio) radio.checked = true;
}

function forgetPreview() {
  for (const id of ["preview", "decision-go"]) {
    document.getElementById(id)?.replaceChildren();
  }
}

function preview() {
  const chosen = (name) => form().querySelector(`input[name=${name}]:checked`);
  if (!chosen("verdict") || !chosen("scope")) return;
  const token = members()?.querySelector("input[name=selection]");
  if (chosen("scope").value === "picked" && !token?.value && pickedCount() === 0) return;
  form().querySelector("[data-preview]").click();
}

function fitGrounds() {
  const verdict = form()?.querySelector("input[name=verdict]:checked")?.value;
  const select = form()?.querySelector("select[name=ground]");
  if (!verdict) return;
  for (const group of select.querySelectorAll("optgroup")) {
    group.disabled = !group.dataset.verdicts.split(" ").includes(verdict);
  }
  if (select.selectedOptions[0]?.closest("optgroup")?.disabled) select.value = "";
}

function showPicked() {
  if (!form()) return;
  form().querySelector("[data-picked-count]").textContent = pickedCount().toLocaleString();
}

function onPick() {
  if (!form()) return;
  showPicked();
  choose("scope", "picked");
  forgetPreview();
}

// Rows that leave the screen stay picked; rows that come back show it.
function putAway() {
  for (const box of boxes().filter((each) => each.checked)) {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = "account";
    input.value = box.value;
    elsewhere().append(input);
  }
}

function bringBack() {
  if (!form()) return;
  const rows = new Map(boxes().map((box) => [box.value, box]));
  for (const input of [...elsewhere().children]) {
    const box = rows.get(input.value);
    if (!box) continue;
    box.checked = true;
    input.remove();
  }
  showPicked();
  fitGrounds();
}

document.addEventListener("change", (event) => {
  if (!event.target.form?.matches("[data-decision]")) return;
  if (event.target.matches("[name=verdict], [name=scope]")) {
    fitGrounds();
    forgetPreview();
    preview();
  }
});

// After select_rows.js, which listens on document too and was loaded before.
document.addEventListener("click", (event) => {
  const within = event.target.closest?.("[data-members] [data-select]");
  if (within && event.target.closest("input, button")) {
    if (event.target.closest("[data-select-clear]")) elsewhere()?.replaceChildren();
    onPick();
  }
  if (event.target.closest?.("[data-decide]")) {
    event.preventDefault();
    document.getElementById("decision-box").scrollIntoView({ block: "nearest" });
    form()?.querySelector("input[name=verdict]").focus();
  }
});

// What is missing is said beside the field, before the dialog would hide the field.
document.addEventListener(
  "click",
  (event) => {
    if (!event.target.closest?.(".decision-ask") || form().reportValidity()) return;
    event.stopPropagation();
  },
  { capture: true },
);

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, shouldSwap } = event.detail;
  if (shouldSwap && target.matches?.("[data-members]") && form()) putAway();
});

document.addEventListener("htmx:afterSwap", bringBack);
bringBack();
