// The light / system / dark switch: buttons with data-theme-set="light | dark | ''".
// Sends `themechange` on document, for what cannot follow CSS by itself.
const root = document.documentElement;
const buttons = document.querySelectorAll("[data-theme-set]");

function show() {
  const theme = root.dataset.theme ?? "";
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme));
  }
}

function tell() {
  document.dispatchEvent(new CustomEvent("themechange"));
}

function choose(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  try {
    localStorage.setItem("stillwatch.theme", theme);
  } catch {
    // Storage is forbidden; the choice lasts for this page.
  }
  show();
  tell();
}

for (const button of buttons) {
  button.addEventListener("click", () => choose(button.dataset.themeSet));
}
for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
  matchMedia(query).addEventListener("change", tell);
}
show();
