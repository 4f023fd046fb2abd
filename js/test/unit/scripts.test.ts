import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runScript } from "../script.js";

const folder = join(process.cwd(), "../crdt-testkit/scripts");
const scripts = readdirSync(folder).filter((name) => name.endsWith(".script"));

test("there are scripts", () => {
  assert.ok(scripts.length > 10);
});

for (const name of scripts) {
  test(name.replace(/\.script$/, "").replaceAll("_", " "), () => {
    runScript(readFileSync(join(folder, name), "utf8"));
  });
}
