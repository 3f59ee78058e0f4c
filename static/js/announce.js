// Says a sentence through the page's one polite live region.
const region = document.getElementById("live");

export function announce(sentence) {
  if (!region || !sentence) return;
  region.textContent = "";
  // An unchanged text is not read again; the gap makes it a change.
  setTimeout(() => {
    region.textContent = sentence;
  }, 50);
}
