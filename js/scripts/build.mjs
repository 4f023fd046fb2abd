// dist/: the entries as ES modules and CommonJS, declarations for both, and the .wasm file.
// Needs wasm/ (cargo xtask wasm).
import { execFileSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { encodeWasm } from "./wasm-text.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const wasm = join(root, "wasm/crdt_wasm_bg.wasm");

// `core` is shared by `index` and `slim`; it stays a file of its own, outside the `exports` of the package.
const entries = {
  core: "src/core.ts",
  index: "src/index.ts",
  slim: "src/slim.ts",
  quill: "src/bindings/quill/index.ts",
  codemirror: "src/bindings/codemirror/index.ts",
  monaco: "src/bindings/monaco/index.ts",
  prosemirror: "src/bindings/prosemirror/index.ts",
  textarea: "src/bindings/textarea/index.ts",
};

const inlineWasm = {
  name: "inline-wasm",
  setup(builder) {
    builder.onResolve({ filter: /^crdt:wasm$/ }, () => ({ path: "crdt:wasm", namespace: "wasm" }));
    builder.onLoad({ filter: /.*/, namespace: "wasm" }, async () => ({
      contents: encodeWasm(await readFile(wasm)),
      loader: "text",
    }));
  },
};

/** Leaves imports of `core` to the loader. */
const sharedCore = (extension) => ({
  name: "shared-core",
  setup(builder) {
    builder.onResolve({ filter: /^\.\/core\.js$/ }, () => ({ path: `./core${extension}`, external: true }));
  },
});

async function bundle(format, extension) {
  await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: dist,
    outExtension: { ".js": extension },
    bundle: true,
    // Optional peers. Of other editors only types are imported.
    external: ["@codemirror/*", "prosemirror-*"],
    format,
    target: "es2022",
    platform: "neutral",
    minifySyntax: true,
    legalComments: "none",
    logLevel: "warning",
    plugins: [inlineWasm, sharedCore(extension)],
    // The loader of wasm-bindgen's glue, which is never called, would make this warn.
    define: format === "cjs" ? { "import.meta.url": "undefined" } : {},
  });
}

/** CommonJS needs declarations of its own, or TypeScript takes the package for an ES module. */
async function commonJsDeclarations(folder) {
  for (const entry of await readdir(folder, { recursive: true })) {
    if (entry.endsWith(".d.ts")) {
      const text = await readFile(join(folder, entry), "utf8");
      await writeFile(
        join(folder, entry.replace(/\.ts$/, ".cts")),
        text.replaceAll(/(from "\.[^"]*)\.js"/g, '$1.cjs"'),
      );
    }
  }
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
const tsc = join(root, "node_modules/typescript/bin/tsc");
execFileSync(process.execPath, [tsc, "-p", root, "--emitDeclarationOnly"], { stdio: "inherit" });
await commonJsDeclarations(join(dist, "types"));
await bundle("esm", ".js");
await bundle("cjs", ".cjs");
await cp(wasm, join(dist, "crdt.wasm"));
for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  await cp(join(root, "..", licence), join(dist, licence));
}
