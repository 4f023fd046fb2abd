// Bundles test/<kind>/*.test.ts and runs them with node:test. The tests see the built package under its name.
//   node scripts/test.mjs unit|browser [NAME…]
import { spawn } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [kind = "unit", ...names] = process.argv.slice(2);
const out = join(root, ".test", kind);

const tests = (await readdir(join(root, "test", kind)))
  .filter((file) => file.endsWith(".test.ts"))
  .filter((file) => names.length === 0 || names.some((name) => file.startsWith(name)));

await rm(out, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: tests.map((file) => `test/${kind}/${file}`),
  outdir: out,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  // Not the paths of test/tsconfig.json, by which types come from src: what runs is the built package.
  tsconfigRaw: {},
  sourcemap: "inline",
  logLevel: "warning",
});
const files = tests.map((file) => join(out, file.replace(/\.ts$/, ".js")));
const node = spawn(process.execPath, ["--enable-source-maps", "--test", "--test-reporter=spec", ...files], {
  cwd: root,
  stdio: "inherit",
});
node.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
