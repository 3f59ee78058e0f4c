// Writes static/vendor from pinned npm packages:
//   npm install --no-package-lock && npm run build
// No lock file is kept: it would write a registry's address into the repository.
// The pins in package.json and the SHA-256 in VERSIONS.md say what was built.
import { createHash } from "node:crypto";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const out = new URL("../../static/vendor/", import.meta.url);

await build({
  entryPoints: ["sigma.entry.js"],
  outfile: new URL("sigma.min.js", out).pathname,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "inline",
  // graphology and sigma read this to choose their production code.
  define: { "process.env.NODE_ENV": '"production"' },
});

// A source-map comment would make the hashed static storage look for a file that
// is not shipped, and the whole deployment would stop there.
const plotly = await readFile(
  "node_modules/plotly.js-basic-dist-min/plotly-basic.min.js",
  "utf8",
);
await writeFile(
  new URL("plotly-basic.min.js", out),
  plotly.replace(/^\/\/# sourceMappingURL=.*$/gm, ""),
);

const licences = {
  "plotly.txt": "plotly.js-basic-dist-min/LICENSE",
  "sigma.txt": "sigma/LICENSE.txt",
  "graphology.txt": "graphology/LICENSE.txt",
  "events.txt": "events/LICENSE",
};
for (const [name, source] of Object.entries(licences)) {
  await copyFile(`node_modules/${source}`, new URL(`licences/${name}`, out));
}

for (const name of ["plotly-basic.min.js", "sigma.min.js"]) {
  const bytes = await readFile(new URL(name, out));
  console.log(createHash("sha256").update(bytes).digest("hex"), name);
}
