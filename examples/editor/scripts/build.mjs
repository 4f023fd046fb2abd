// Bundles the page into dist/: index.html, main.js, main.css.
import { build } from "esbuild";
import { cp, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = `${root}dist`;

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  entryPoints: { main: `${root}src/main.ts` },
  outdir: out,
  bundle: true,
  format: "esm",
  target: ["es2022"],
  minify: true,
  sourcemap: true,
  preserveSymlinks: true,
  logLevel: "warning",
});
await cp(`${root}src/index.html`, `${out}/index.html`);
await cp(`${root}src/icon.svg`, `${out}/icon.svg`);
