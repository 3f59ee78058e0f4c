// When a single key may act: never while typing, never under a dialog, never with a
// modifier, and not at all once switched off (WCAG 2.1.4).
const SETTING = "stillwatch.keys";

export function keysOn() {
  try {
    return localStorage.getItem(SETTING) !== "off";
  } catch {
    return true;
  }
}

export function setKeys(on) {
  try {
    localStorage.setItem(SETTING, on ? "on" : "off");
  } catch {
    // Storage is forbidden; keys stay on.
  }
}

export function isTyping(target) {
  return Boolean(
    target.closest?.(
      "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]",
    ),
  );
}

export function mayAct(event) {
  return (
    keysOn() &&
    !event.defaultPrevented &&
    !event.ctrlKey &&
    !event.metaKey &&
    !event.altKey &&
    !event.isComposing &&
    !isTyping(event.target) &&
    !document.querySelector("dialog[open]")
  );
}
