// Draws each [data-chart] from the figure at its data-src. The figure (dashboard/charts.py)
// carries data and no colours; this file is the theme. Plotly itself is fetched only
// when the first chart comes near the screen.
//   trace.meta.tone        a token: "cat-1" … "cat-8", "accent", "muted"
//   shape.name             "milestone", or "band:review" for a risk band behind a line
import { colour, faded } from "./colours.js";

const CONFIG = { displayModeBar: false, responsive: true, doubleClick: false, scrollZoom: false };
const MANY_BARS = 100;
let library;

function plotly() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.body.dataset.plotly;
    script.onload = () => resolve(window.Plotly);
    script.onerror = reject;
    document.head.append(script);
  });
  return library;
}

function axis(given = {}) {
  return {
    automargin: true,
    fixedrange: true,
    gridcolor: colour("line"),
    linecolor: colour("line"),
    zerolinecolor: colour("line"),
    tickcolor: colour("line"),
    spikecolor: colour("line-strong"),
    spikethickness: 1,
    spikedash: "solid",
    ...given,
  };
}

function shape(given) {
  if (given.name?.startsWith("band:")) {
    const token = `risk-${given.name.slice(5)}`;
    return { ...given, fillcolor: faded(token, 0.1), line: { width: 0 } };
  }
  return { ...given, line: { color: colour("ink-3"), width: 1, dash: "dot" } };
}

function note(given) {
  const font = { size: 11, color: colour("ink-2") };
  // A label lifted above its neighbours keeps a thread down to its line.
  const thread = { arrowhead: 0, arrowwidth: 1, arrowcolor: colour("ink-3"), standoff: 0 };
  return { ...given, ...thread, font, borderpad: 1 };
}

function layout(given) {
  const body = getComputedStyle(document.body);
  return {
    bargap: 0.18,
    ...given,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: body.fontFamily, size: 11, color: colour("ink-2") },
    margin: { l: 36, r: 12, t: 6, b: given.showlegend ? 46 : 24, ...given.margin },
    dragmode: false,
    legend: { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom", traceorder: "normal" },
    hoverlabel: {
      bgcolor: colour("bg-raised"),
      bordercolor: colour("line-strong"),
      font: { family: body.fontFamily, size: 12, color: colour("ink") },
    },
    xaxis: axis({ showgrid: false, ...given.xaxis }),
    yaxis: axis({ rangemode: "tozero", nticks: 5, ...given.yaxis }),
    shapes: given.shapes?.map(shape),
    annotations: given.annotations?.map(note),
  };
}

function trace(given) {
  const tone = given.meta?.tone ?? "accent";
  const token = { accent: "accent", muted: "ink-3" }[tone] ?? tone;
  const fill = colour(token);
  // Pale categories reach 3:1 against the page by their edge.
  const edge = tone.startsWith("cat-") ? colour(`${tone}-edge`) : fill;
  if (given.type === "bar") {
    // Hundreds of thin bars would be all edge.
    const width = given.x.length > MANY_BARS ? 0 : 0.6;
    return { ...given, marker: { ...given.marker, color: fill, line: { color: edge, width } } };
  }
  return {
    ...given,
    line: { ...given.line, color: edge, width: 1.75 },
    marker: { ...given.marker, color: edge },
    error_y: given.error_y && { ...given.error_y, color: edge, thickness: 1.5, width: 4 },
    fillcolor: given.fill ? faded(token, 0.14) : undefined,
  };
}

async function draw(element) {
  const library = await plotly();
  const { data, layout: given } = element.figure;
  const drawn = element.dataset.state === "drawn" ? library.react : library.newPlot;
  await drawn(element, data.map(trace), layout(given), CONFIG);
  element.dataset.state = "drawn";
}

async function load(element) {
  try {
    const response = await fetch(element.dataset.src, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`${response.status} from ${element.dataset.src}`);
    element.figure = await response.json();
    await draw(element);
  } catch (error) {
    console.error(error);
    element.dataset.state = "failed";
    element.hidden = true;
    const figure = element.closest("figure");
    figure.querySelector("[data-chart-failed]").hidden = false;
    figure.querySelector("details").open = true;
  }
}

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      near.unobserve(entry.target);
      load(entry.target);
    }
  },
  { rootMargin: "300px" },
);

function start() {
  for (const element of document.querySelectorAll("[data-chart][data-state=waiting]")) {
    near.observe(element);
  }
}

document.addEventListener("themechange", () => {
  for (const element of document.querySelectorAll("[data-chart][data-state=drawn]")) draw(element);
});
// Paper cannot wait for what was never scrolled to; its table is printed instead.
window.addEventListener("beforeprint", () => {
  for (const element of document.querySelectorAll("[data-chart][data-state=waiting]")) {
    element.closest("figure").querySelector("details").open = true;
    element.hidden = true;
  }
});

window.addEventListener("afterprint", () => {
  for (const element of document.querySelectorAll("[data-chart][data-state=waiting]")) {
    element.hidden = false;
  }
});

document.addEventListener("htmx:afterSettle", start);
start();
