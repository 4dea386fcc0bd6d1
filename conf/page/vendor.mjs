// Copies the plot libraries of the report page from node_modules to the assets of the package, with their licences.
// node vendor.mjs NODE_MODULES ASSETS
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [modules, assets] = process.argv.slice(2);
const LIBRARIES = [
  { name: "vega", from: "build/vega.min.js", to: "vega.min.js", as: asIs },
  { name: "vega-lite", from: "build/vega-lite.min.js", to: "vega-lite.min.js", as: asIs },
  { name: "vega-interpreter", from: "build/vega-interpreter.js", to: "vega-interpreter.min.js", as: classicScript },
];
const IMPORT = "import { ascending, isString, DisallowedObjectProperties } from 'vega-util';";
const CHANGED = "Changed: the import and the export of the module, so that it is a script.\n";
const BUNDLED = /^(d3-|internmap$|delaunator$|robust-predicates$|topojson-client$)/;
const EXPORT = "export { expression as expressionInterpreter };";

function asIs(text) {
  return text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "\n");
}

// The interpreter comes as a module only, and a browser loads no module from file://. Nothing else is changed.
function classicScript(text) {
  if (!text.includes(IMPORT) || !text.includes(EXPORT)) throw new Error("vega-interpreter has another form");
  const inside = text.replace(IMPORT, "").replace(EXPORT, "vega.expressionInterpreter = expression;");
  const names = "const { ascending, isString, DisallowedObjectProperties } = vega;";
  return `(function (vega) {\n"use strict";\n${names}\n${asIs(inside)}})(globalThis.vega);\n`;
}

function licenceOf(name) {
  const { version, license } = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  const notice = join(modules, name, "LICENSE");
  return { version, license, notice: existsSync(notice) ? readFileSync(notice, "utf8").trim() : "" };
}

function copied({ name, from, to, as }) {
  const text = as(readFileSync(join(modules, name, from), "utf8"));
  writeFileSync(join(assets, to), text);
  const { version, license, notice } = licenceOf(name);
  const digest = createHash("sha256").update(text).digest("hex");
  const changed = as === classicScript ? CHANGED : "";
  return `${to}: ${name} ${version}, ${license}\nsha256 ${digest}\n${changed}\n${notice}\n`;
}

function bundled(name) {
  const { version, license, notice } = licenceOf(name);
  return `Inside vega.min.js: ${name} ${version}, ${license}\n\n${notice}\n`;
}

const inside = readdirSync(modules).filter((name) => BUNDLED.test(name)).sort();
const parts = [...LIBRARIES.map(copied), ...inside.map(bundled)];
writeFileSync(join(assets, "LICENSES.txt"), parts.join(`\n${"-".repeat(80)}\n\n`));
