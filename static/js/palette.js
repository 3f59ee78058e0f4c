// Ctrl-K: every place and every verb of the page in one list.
// Verbs are what the server rendered: navigation links, and elements with data-verb="words".
const dialog = document.getElementById("palette");
const input = dialog?.querySelector("input");
const list = dialog?.querySelector("[role=listbox]");
let commands = [];
let chosen = 0;

function collect() {
  const places = [...document.querySelectorAll(".side-links a")].map((link) => ({
    words: link.querySelector(".label").textContent,
    keys: link.dataset.go ? ["g", link.dataset.go] : [],
    element: link,
  }));
  const verbs = [...document.querySelectorAll("[data-verb]")]
    .filter((element) => element.checkVisibility() && !element.disabled)
    .map((element) => ({
      words: element.dataset.verb,
      keys: element.dataset.key ? [element.dataset.key] : [],
      element,
    }));
  return [...verbs, ...places];
}

const matching = () =>
  commands.filter(({ words }) =>
    words.toLowerCase().includes(input.value.trim().toLowerCase()),
  );

function option(command, index) {
  const item = document.createElement("div");
  item.id = `palette-option-${index}`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", String(index === chosen));
  const words = document.createElement("span");
  words.textContent = command.words;
  const keys = document.createElement("span");
  for (const key of command.keys) {
    const cap = document.createElement("kbd");
    cap.textContent = key;
    keys.append(cap, " ");
  }
  item.append(words, keys);
  item.addEventListener("click", () => run(command));
  return item;
}

function draw() {
  const found = matching();
  chosen = Math.max(0, Math.min(chosen, found.length - 1));
  list.replaceChildren(...found.map(option));
  const current = list.children[chosen];
  current?.scrollIntoView({ block: "nearest" });
  if (current) input.setAttribute("aria-activedescendant", current.id);
  else input.removeAttribute("aria-activedescendant");
}

function run(command) {
  dialog.close();
  command.element.click();
}

function open() {
  commands = collect();
  input.value = "";
  chosen = 0;
  draw();
  dialog.showModal();
}

if (dialog) {
  document.addEventListener("keydown", (event) => {
    const asked = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    if (!asked || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    open();
  });
  input.addEventListener("input", () => {
    chosen = 0;
    draw();
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      chosen += step;
      draw();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const command = matching()[chosen];
      if (command) run(command);
    }
  });
}
