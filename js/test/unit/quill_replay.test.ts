/** `npm run quill-replay` on our own cases and on random ones. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import Delta from "quill-delta";
import { randomChange } from "../quill/random_change.js";
import { givenSeed, Random } from "../random.js";

function replay(...files: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/quill-replay.mjs", ...files], { encoding: "utf8" });
  return { status, output: stdout + stderr };
}

/** Runs `use` on a file that holds this as JSON. */
function withFile(content: unknown, use: (file: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "quill-replay-"));
  try {
    const file = join(folder, "cases.json");
    writeFileSync(file, JSON.stringify(content));
    use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("our own cases pass", () => {
  assert.deepEqual(replay("test/quill/cases.json"), { status: 0, output: "11 passed, 0 failed\n" });
});

test("random transactions compose in a document as quill-delta composes them", () => {
  const random = new Random(givenSeed());
  const cases = Array.from({ length: 60 }, (_, index) => {
    let content = index % 3 === 0 ? new Delta([{ insert: "\n" }]) : new Delta();
    const transactions = Array.from({ length: 20 }, () => {
      const text = content.reduce((all, op) => all + (typeof op.insert === "string" ? op.insert : "\ufffc"), "");
      const ops = randomChange(random, text);
      content = content.compose(new Delta(ops));
      return index % 2 === 0 ? ops : { ops };
    });
    return { name: `random ${String(index)}`, transactions, contents: { ops: content.ops } };
  });
  withFile(cases, (file) => {
    assert.deepEqual(replay(file), { status: 0, output: "60 passed, 0 failed\n" });
  });
});

test("a case whose contents are others fails, and says why", () => {
  withFile([{ name: "wrong", transactions: [[{ insert: "a" }]], contents: { ops: [{ insert: "b" }] } }], (file) => {
    const { status, output } = replay(file);
    assert.equal(status, 1);
    assert.match(output, /^wrong: .*\n0 passed, 1 failed\n$/);
  });
});
