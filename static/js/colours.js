// Tokens of css/tokens.css as colours that a canvas or Plotly understands.
// light-dark() is settled by the browser only where a real property uses it, so a
// probe wears each token for a moment.
const probe = document.createElement("span");
probe.hidden = true;

export function colour(token) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${token})`;
  return getComputedStyle(probe).color;
}

export function faded(token, opacity) {
  const [r, g, b] = colour(token).match(/[\d.]+/g);
  return `rgba(${r}, ${g}, ${b}, ${opacity})`;
}
