// Everything the graph view draws with, and nothing else.
export { Sigma } from "sigma";
export { EdgeLineProgram, EdgeRectangleProgram } from "sigma/rendering";
export { createNodeBorderProgram } from "@sigma/node-border";
export { NodeSquareProgram } from "@sigma/node-square";
export { UndirectedGraph } from "graphology";
