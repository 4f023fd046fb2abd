// Bundles the TypeScript tests and runs them with Node's test runner; `screenshots` runs the photographer instead.
import { build } from "esbuild";
import { spawn } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = `${root}dist/test`;
const screenshots = process.argv[2] === "screenshots";

const files = (await readdir(`${root}test`)).filter((name) =>
  screenshots ? name === "screenshots.ts" : name.endsWith(".test.ts"),
);
await rm(out, { recursive: true, force: true });
await build({
  entryPoints: files.map((name) => `${root}test/${name}`),
  outdir: out,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  outExtension: { ".js": ".mjs" },
  logLevel: "warning",
});
const programs = files.map((name) => `${out}/${name.replace(/\.ts$/, ".mjs")}`);
// One file at a time: each starts a browser, and two cores are enough for one.
const options = screenshots ? [] : ["--test", "--test-concurrency=1", "--test-reporter=spec"];
const run = spawn(process.execPath, [...options, ...programs], { stdio: "inherit", cwd: root });
run.on("exit", (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1);
});
