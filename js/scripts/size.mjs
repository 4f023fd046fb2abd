// What an application ships: a one-line program on each entry, bundled and minified.
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const programs = {
  "crdt-js: Doc": `import { Doc } from "crdt-js"; console.log(new Doc());`,
  "crdt-js: Doc, WebSocketProvider": `import { Doc, WebSocketProvider } from "crdt-js"; console.log(new WebSocketProvider(new Doc(), "/", "x"));`,
  "crdt-js/slim: Doc, WebSocketProvider": `import { Doc, init, WebSocketProvider } from "crdt-js/slim"; await init("/crdt.wasm"); console.log(new WebSocketProvider(new Doc(), "/", "x"));`,
  "crdt-js/quill": `import { bindQuill } from "crdt-js/quill"; console.log(bindQuill);`,
  "crdt-js/prosemirror": `import { collaboration } from "crdt-js/prosemirror"; console.log(collaboration);`,
  "crdt-js/codemirror": `import { collaboration } from "crdt-js/codemirror"; console.log(collaboration);`,
  "crdt-js/monaco": `import { bindMonaco } from "crdt-js/monaco"; console.log(bindMonaco);`,
  "crdt-js/textarea": `import { bindTextarea } from "crdt-js/textarea"; console.log(bindTextarea);`,
};

function report(name, bytes) {
  const gzip = gzipSync(bytes, { level: 9 }).length;
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  console.log(`${name.padEnd(38)} ${[bytes.length, gzip, brotli].map((size) => String(size).padStart(9)).join("")}`);
}

console.log(`${"".padEnd(38)} ${["raw", "gzip -9", "brotli 11"].map((head) => head.padStart(9)).join("")}`);
for (const [name, contents] of Object.entries(programs)) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    external: ["@codemirror/*", "prosemirror-*"],
    format: "esm",
    write: false,
  });
  report(name, outputFiles[0].contents);
}
report("crdt.wasm", readFileSync(join(root, "dist/crdt.wasm")));
