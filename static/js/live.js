// Keeps a page that htmx refreshes calm:
//   [data-ago]       <time> elements stay true ("3m ago" becomes "4m ago")
//   [data-announce]  swapped-in content says what changed, once, politely
//   [data-poll]      a hidden tab stops asking; it asks again when looked at
// A response that could not be swapped says so instead of leaving the page as it was:
//   [data-request-failed], [data-signed-out]  shown until a request gets through
import { announce } from "./announce.js";

const UNITS = [
  ["y", 31536000],
  ["mo", 2592000],
  ["w", 604800],
  ["d", 86400],
  ["h", 3600],
  ["m", 60],
];

// The same words as dashboard/display.py.
function ago(then) {
  const gap = (Date.now() - then) / 1000;
  const size = Math.abs(gap);
  const unit = UNITS.find(([, seconds]) => size >= seconds);
  if (!unit) return "now";
  const count = `${Math.floor(size / unit[1])}${unit[0]}`;
  return gap > 0 ? `${count} ago` : `in ${count}`;
}

function refreshTimes(within = document) {
  for (const time of within.querySelectorAll("time[data-ago]")) {
    const words = ago(Date.parse(time.dateTime));
    if (time.textContent !== words) time.textContent = words;
  }
}

setInterval(refreshTimes, 20_000);

document.addEventListener("htmx:afterSettle", (event) => {
  refreshTimes(event.target);
  const speaker = event.target.matches("[data-announce]")
    ? event.target
    : event.target.querySelector("[data-announce]");
  announce(speaker?.dataset.announce);
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const asked = event.detail.requestConfig.triggeringEvent;
  const polled = event.detail.elt.matches("[data-poll]") && !asked?.isTrusted;
  if (polled && document.hidden) event.preventDefault();
});

function refreshAll() {
  for (const element of document.querySelectorAll("[data-poll]")) {
    window.htmx?.trigger(element, "refresh");
  }
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refreshAll();
});

let askedAgain = false;
const notice = (name) => document.querySelector(`[data-${name}]`);

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    // Whoever was signed out signs in beside this page: what they typed stays in it.
    const ended = event.detail.xhr?.status === 401;
    const shown = notice(ended ? "signed-out" : "request-failed");
    if (ended) askedAgain = false;
    if (shown) shown.hidden = false;
  });
}

document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) return;
  const failed = notice("request-failed");
  if (failed) failed.hidden = true;
  const ended = notice("signed-out");
  if (!ended || ended.hidden) return;
  // Forms of before the new sign-in hold an old token: with [data-fresh-token] on the
  // page, whoever brings the new one takes the notice away.
  if (!notice("fresh-token")) ended.hidden = true;
  else if (!askedAgain) refreshAll();
  askedAgain = true;
});
