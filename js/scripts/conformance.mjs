// Bundles test/browser/conformance/main.ts and runs it. Needs dist/ (npm run build) and a Chromium.
//   node scripts/conformance.mjs [--seeds N] [--text NAME] [BINDING…]
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, ".test/conformance.js");
await build({
  absWorkingDir: root,
  entryPoints: ["test/browser/conformance/main.ts"],
  outfile: out,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  tsconfigRaw: {},
  sourcemap: "inline",
  logLevel: "warning",
});
const node = spawn(process.execPath, ["--enable-source-maps", out, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
node.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
