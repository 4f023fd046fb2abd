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

// Until the package has marks.
const plain = (name: string): boolean =>
  !/^[A-Z*]( runs| registers|: (mark|unmark|embed|expand|set|unset) |: .* with \{)/m.test(readFileSync(join(folder, name), "utf8"));

for (const name of scripts.filter(plain)) {
  test(name.replace(/\.script$/, "").replaceAll("_", " "), () => {
    runScript(readFileSync(join(folder, name), "utf8"));
  });
}
