// Draws each [data-graph] from the columns at its data-src (dashboard/graph.py) and keeps
// its list in step: [data-node="id"] rows of the table that data-list names.
// Sends `graph:select` on the figure, detail {id, neighbours}, id null for none; takes
// `graph:show`, detail {id}. Without WebGL the list alone remains, and a notice says why.
import { colour } from "./colours.js";
import { announce } from "./announce.js";

// Above this, recolouring on every hover costs more than a frame (measured on 24,000).
const HOVER_LIMIT = 5000;
// A thin edge in the group's darker shade gives pale groups their 3:1.
const EDGE_OF_PALE = 0.12;
// Beyond this, hairlines: each costs two points instead of four.
const MANY_EDGES = 20_000;
// Up to this many, what is shared is always named.
const FEW_INDICATORS = 40;
// Height of a line of labels, in pixels.
const LINE = 13;

function hasWebGL() {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2"));
}

function build(drawing, figures) {
  const { nodes, edges, groups } = figures;
  const graph = new drawing.UndirectedGraph({ allowSelfLoops: false });
  const shared = groups.filter((group) => group.shape === "square");
  const few = shared.reduce((sum, group) => sum + group.count, 0) <= FEW_INDICATORS;
  nodes.id.forEach((id, i) => {
    const group = groups[nodes.group[i]];
    graph.addNode(id, {
      x: nodes.x[i],
      y: nodes.y[i],
      size: nodes.size[i],
      ring: nodes.ring[i] || EDGE_OF_PALE,
      risky: nodes.ring[i] > 0,
      label: nodes.label[i],
      forceLabel: few && group.shape === "square",
      group: group.key,
      type: group.shape,
    });
  });
  edges.source.forEach((from, i) => {
    const [source, target] = [nodes.id[from], nodes.id[edges.target[i]]];
    if (graph.hasEdge(source, target)) return;
    graph.addEdge(source, target, {
      kind: figures.kinds[edges.kind[i]].key,
      size: 0.5 + 1.5 * edges.weight[i],
    });
  });
  return graph;
}

class GraphView {
  constructor(figure, drawing, figures) {
    this.figure = figure;
    this.figures = figures;
    this.canvas = figure.querySelector("[data-graph-canvas]");
    this.list = document.getElementById(figure.dataset.list);
    this.graph = build(drawing, figures);
    this.hiddenGroups = new Set();
    this.hiddenKinds = new Set();
    this.selected = null;
    this.hovered = null;
    this.written = [];
    this.paint();
    this.sigma = new drawing.Sigma(this.graph, this.canvas, this.settings(drawing));
    this.listen();
    this.legend();
    this.tell();
  }

  settings(drawing) {
    return {
      nodeProgramClasses: {
        circle: drawing.createNodeBorderProgram({
          borders: [
            { size: { attribute: "ring", mode: "relative" }, color: { attribute: "ringColour" } },
            { size: { fill: true }, color: { attribute: "color" } },
          ],
          drawLabel: undefined,
          drawHover: undefined,
        }),
        square: class extends drawing.NodeSquareProgram {
          // Its own label painters know no dark theme; the settings' are used instead.
          drawLabel = undefined;
          drawHover = undefined;
        },
      },
      defaultNodeType: "circle",
      edgeProgramClasses: {
        line:
          this.graph.size > MANY_EDGES ? drawing.EdgeLineProgram : drawing.EdgeRectangleProgram,
      },
      defaultEdgeType: "line",
      enableEdgeEvents: false,
      allowInvalidContainer: true,
      labelRenderedSizeThreshold: 8.5,
      defaultDrawNodeLabel: (context, data) => this.drawLabel(context, data),
      defaultDrawNodeHover: (context, data) => this.drawHover(context, data),
      nodeReducer: (id, data) => this.nodeLook(id, data),
      edgeReducer: (id, data) => this.edgeLook(id, data),
      zIndex: true,
      minCameraRatio: 0.02,
      maxCameraRatio: 3,
    };
  }

  // Colours belong to the theme, so they are put on again when it changes.
  paint() {
    const categories = Object.fromEntries(
      this.figures.groups.map((group) => [group.key, `cat-${group.category}`]),
    );
    const ink = colour("ink");
    this.colours = {
      edge: colour("line-2"),
      strong: colour("accent"),
      away: colour("line"),
      page: colour("bg"),
      label: colour("ink"),
    };
    this.graph.updateEachNodeAttributes((id, attributes) => ({
      ...attributes,
      color: colour(categories[attributes.group]),
      ringColour: attributes.risky ? ink : colour(`${categories[attributes.group]}-edge`),
    }));
  }

  focusNode() {
    return this.hovered ?? this.selected;
  }

  nodeLook(id, data) {
    if (this.hiddenGroups.has(data.group)) return { ...data, hidden: true };
    const focus = this.focusNode();
    if (!focus) return data;
    if (id === focus) return { ...data, forceLabel: true, highlighted: id === this.selected, zIndex: 2 };
    if (this.graph.areNeighbors(id, focus)) return { ...data, zIndex: 1 };
    return { ...data, color: this.colours.away, ringColour: this.colours.away, label: "", forceLabel: false, zIndex: 0 };
  }

  edgeLook(id, data) {
    if (this.hiddenKinds.has(data.kind)) return { ...data, hidden: true };
    const focus = this.focusNode();
    if (!focus) return { ...data, color: this.colours.edge };
    if (this.graph.hasExtremity(id, focus)) return { ...data, color: this.colours.strong, size: data.size + 0.5, zIndex: 1 };
    return { ...data, hidden: true };
  }

  // A halo in the page's colour keeps a label readable above lines and marks.
  drawLabel(context, data) {
    if (!data.label) return;
    context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeStyle = this.colours.page;
    context.fillStyle = this.colours.label;
    const left = data.x + data.size + 4;
    if (!this.hasRoom(left, data.y, context.measureText(data.label).width)) return;
    context.strokeText(data.label, left, data.y + 4);
    context.fillText(data.label, left, data.y + 4);
  }

  // A label that would run into one already written is left out: two on top of each
  // other say nothing. Zooming in, or the list, shows the rest.
  hasRoom(left, middle, width) {
    const right = left + width;
    const taken = this.written.some(
      (other) => left < other.right && other.left < right && Math.abs(middle - other.middle) < LINE,
    );
    if (!taken) this.written.push({ left, right, middle });
    return !taken;
  }

  drawHover(context, data) {
    if (!data.label) return;
    context.font = `500 12px ${getComputedStyle(document.body).fontFamily}`;
    const left = data.x + data.size + 6;
    const width = context.measureText(data.label).width;
    context.fillStyle = colour("bg-raised");
    context.strokeStyle = colour("line-strong");
    context.beginPath();
    context.lineWidth = 1;
    context.roundRect(left - 5, data.y - 11, width + 10, 22, 4);
    context.fill();
    context.stroke();
    context.fillStyle = colour("ink");
    context.fillText(data.label, left, data.y + 4);
  }

  listen() {
    const refresh = () => this.sigma.refresh({ skipIndexation: true });
    this.sigma.on("beforeRender", () => (this.written = []));
    this.sigma.on("clickNode", ({ node }) => this.select(node));
    this.sigma.on("clickStage", () => this.select(null));
    if (this.graph.order <= HOVER_LIMIT) {
      this.sigma.on("enterNode", ({ node }) => {
        this.hovered = node;
        refresh();
      });
      this.sigma.on("leaveNode", () => {
        this.hovered = null;
        refresh();
      });
    }
    this.figure.addEventListener("graph:show", ({ detail }) => this.select(detail.id));
    this.list?.addEventListener("click", (event) => {
      if (event.target.closest("a, button, input, label")) return;
      const row = event.target.closest("[data-node]");
      if (row) this.select(row.dataset.node);
    });
    this.list?.addEventListener("focusin", (event) => {
      const row = event.target.closest("[data-node]");
      if (row && row.dataset.node !== this.selected) this.select(row.dataset.node);
    });
    document.addEventListener("themechange", () => {
      this.paint();
      this.sigma.refresh();
    });
    for (const button of this.figure.querySelectorAll("[data-graph-zoom]")) {
      button.addEventListener("click", () => this.zoom(button.dataset.graphZoom));
    }
    this.figure.querySelector("[data-graph-tools]").hidden = false;
  }

  zoom(way) {
    const camera = this.sigma.getCamera();
    const still = { duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150 };
    if (way === "in") camera.animatedZoom(still);
    else if (way === "out") camera.animatedUnzoom(still);
    else camera.animatedReset(still);
  }

  select(id) {
    this.selected = id !== null && this.graph.hasNode(id) ? id : null;
    this.sigma.refresh({ skipIndexation: true });
    const neighbours = this.selected ? this.graph.neighbors(this.selected) : [];
    this.mirror(neighbours);
    if (this.selected) announce(this.graph.getNodeAttribute(this.selected, "label"));
    this.figure.dispatchEvent(
      new CustomEvent("graph:select", { bubbles: true, detail: { id: this.selected, neighbours } }),
    );
  }

  mirror(neighbours) {
    if (!this.list) return;
    const near = new Set(neighbours);
    for (const row of this.list.querySelectorAll("[data-node]")) {
      const chosen = row.dataset.node === this.selected;
      row.classList.toggle("is-selected", chosen);
      row.classList.toggle("is-near", near.has(row.dataset.node));
      if (chosen) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
      if (chosen && !row.contains(document.activeElement)) this.reveal(row);
    }
  }

  // Scrolls the list and leaves the page where the reader has it.
  reveal(row) {
    const box = row.closest(".table-box");
    if (box) box.scrollTop = row.offsetTop - box.clientHeight / 2;
  }

  legend() {
    const { groups, kinds } = this.figures;
    const buttons = [
      ...groups.map((group) => this.toggle(group, group.shape, group.category, this.hiddenGroups)),
      ...kinds.map((kind) => this.toggle(kind, "line", null, this.hiddenKinds)),
    ];
    this.figure.querySelector("[data-graph-legend]").replaceChildren(...buttons);
  }

  toggle(entry, shape, category, hidden) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.dataset.shape = shape;
    if (category) swatch.dataset.category = category;
    const count = document.createElement("span");
    count.className = "count";
    count.textContent = entry.count.toLocaleString();
    button.append(swatch, entry.label, " ", count);
    button.addEventListener("click", () => {
      const shown = hidden.delete(entry.key) || (hidden.add(entry.key), false);
      button.setAttribute("aria-pressed", String(shown));
      this.sigma.refresh();
    });
    return button;
  }

  tell() {
    const { shown, total } = this.figures;
    if (shown >= total) return;
    this.figure.querySelector("[data-graph-shown]").textContent = shown.toLocaleString();
    this.figure.querySelector("[data-graph-total]").textContent = total.toLocaleString();
    this.figure.querySelector("[data-graph-cut]").hidden = false;
  }
}

function fail(figure) {
  for (const part of ["canvas", "legend", "note"]) {
    figure.querySelector(`[data-graph-${part}]`).hidden = true;
  }
  figure.querySelector("[data-graph-failed]").hidden = false;
}

async function start(figure) {
  figure.dataset.state = "started";
  if (!hasWebGL()) return fail(figure);
  try {
    const [drawing, response] = await Promise.all([
      import(new URL(document.body.dataset.sigma, document.baseURI).href),
      fetch(figure.dataset.src, { headers: { Accept: "application/json" } }),
    ]);
    if (!response.ok) throw new Error(`${response.status} from ${figure.dataset.src}`);
    const view = new GraphView(figure, drawing, await response.json());
    view.canvas.addEventListener("webglcontextlost", () => fail(figure), true);
    figure.dataset.state = "drawn";
  } catch (error) {
    console.error(error);
    fail(figure);
  }
}

function startAll() {
  for (const figure of document.querySelectorAll("[data-graph]:not([data-state])")) start(figure);
}

document.addEventListener("htmx:afterSettle", startAll);
startAll();
