/** What docs/comparison.md says of this library: every row that claims something has a line, and the lines run. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { transform } from "esbuild";

const root = process.cwd();
const page = readFileSync(join(root, "../docs/comparison.md"), "utf8");

function blocks(language: string): string[] {
  return [...page.matchAll(/^```(\w+)\n(.*?)^```/gms)].filter((block) => block[1] === language).map((block) => block[2] ?? "");
}

test("every row that claims something has a line that shows it", () => {
  const shown = new Set<string>();
  for (const line of ["ts", "rust", "sh"].flatMap(blocks).flatMap((block) => block.split("\n"))) {
    const comment = /(?:\/\/|#) (\d[\d ]*)/.exec(line);
    for (const row of comment?.[1]?.trim().split(" ") ?? []) {
      shown.add(row);
    }
  }
  const rows = [...page.matchAll(/^\| (\d+) \|([^|]*)\| ([^|]*) \|/gm)];
  assert.ok(rows.length > 40);
  assert.deepEqual(rows.map(([, number]) => Number(number)), rows.map((_, index) => index + 1));
  const claims = rows.filter(([, , , ours]) => !/^not?\b/.test(ours ?? ""));
  assert.deepEqual(claims.map(([, number]) => number).filter((number) => !shown.has(number ?? "")), []);
});

for (const [index, source] of blocks("ts").entries()) {
  test(`program ${String(index + 1)} of the page runs`, async () => {
    const folder = join(root, ".test/comparison");
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${String(index + 1)}.mjs`);
    writeFileSync(file, (await transform(source, { loader: "ts" })).code);
    await import(pathToFileURL(file).href);
  });
}

test("the commands of the page exist", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
  for (const command of blocks("sh").flatMap((block) => block.split("\n")).filter((line) => line !== "")) {
    const script = /^npm --prefix js (?:run )?(?:-s )?([\w:-]+)/.exec(command)?.[1];
    const cargo = /^cargo (?:run|test|tree) .*?-p ([\w-]+)(?:.* --bin (\w+))?/.exec(command);
    if (script !== undefined) {
      assert.ok(script in scripts, command);
    } else if (cargo) {
      const crate = cargo[1] === "crdt-examples" ? "examples" : (cargo[1] ?? "");
      assert.ok(existsSync(join(root, "..", crate, cargo[2] === undefined ? "Cargo.toml" : `src/bin/${cargo[2]}.rs`)), command);
    } else {
      assert.match(command, /^cargo xtask demo/);
    }
    const named = /^npm .*?(?:test|test:browser) -- (\w+)/.exec(command)?.[1];
    const tests = readdirSync(join(root, "test", script === "test:browser" ? "browser" : "unit"));
    assert.ok(named === undefined || tests.some((file) => file.startsWith(named)), command);
  }
});
