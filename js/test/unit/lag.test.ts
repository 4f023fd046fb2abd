import assert from "node:assert/strict";
import { test } from "node:test";
import { Lag, type ReleaseStep } from "../../src/bindings/lag.js";
import { applyEdits, type TextEdit } from "../../src/edit.js";
import { givenSeed, Random } from "../random.js";

function show(shown: string, steps: readonly ReleaseStep[]): string {
  let at = 0;
  let text = "";
  for (const step of steps) {
    if ("insert" in step) {
      text += step.insert;
    } else if ("retain" in step) {
      text += shown.slice(at, at + step.retain);
      at += step.retain;
    } else {
      at += step.delete;
    }
  }
  return text + shown.slice(at);
}

test("typing while a remote insertion in front waits lands behind it", () => {
  const lag = new Lag();
  lag.documentChanged([{ type: "insert", position: 0, text: "new " }]);
  assert.deepEqual(lag.screenChanged({ position: 3, deleted: 0, inserted: "x" }), [
    { type: "insert", position: 7, text: "x" },
  ]);
  assert.equal(show("oldx", lag.release()), "new oldx");
  assert.ok(lag.none);
});

test("replacing what somebody else deleted meanwhile deletes nothing twice", () => {
  const lag = new Lag();
  lag.documentChanged([{ type: "delete", position: 1, length: 3 }]); // a[bcd]e
  assert.deepEqual(lag.screenChanged({ position: 2, deleted: 3, inserted: "X" }), [
    { type: "delete", position: 1, length: 1 }, // the e
    { type: "insert", position: 1, text: "X" },
  ]);
  assert.equal(show("abX", lag.release()), "aX");
});

test("what others inserted inside a stretch that is replaced here stays", () => {
  const lag = new Lag();
  lag.documentChanged([{ type: "insert", position: 2, text: "!" }]); // ab!cd
  const edits = lag.screenChanged({ position: 1, deleted: 2, inserted: "" });
  assert.equal(applyEdits("ab!cd", edits), "a!d");
  assert.equal(show("ad", lag.release()), "a!d");
});

test("however edits mix while they wait, the screen shows the document in the end", () => {
  const random = new Random(givenSeed());
  for (let round = 0; round < 3000; round++) {
    const lag = new Lag();
    let shown = "0123456789".slice(0, random.below(11));
    let doc = shown;
    for (let step = random.below(12); step > 0; step--) {
      if (random.fraction() < 0.5) {
        const edit = randomEdit(random, doc, "ABCDEF");
        doc = applyEdits(doc, [edit]);
        lag.documentChanged([edit]);
      } else {
        const position = random.below(shown.length + 1);
        const deleted = random.below(Math.min(4, shown.length - position + 1));
        const inserted = "uvwxyz".slice(0, random.below(4));
        const kept = new Set(shown.slice(position, position + deleted));
        const before = doc;
        doc = applyEdits(doc, lag.screenChanged({ position, deleted, inserted }));
        shown = shown.slice(0, position) + inserted + shown.slice(position + deleted);
        // Only what was selected on the screen may go.
        assert.ok(Array.from(before).every((character) => doc.includes(character) || kept.has(character)));
      }
    }
    assert.equal(show(shown, lag.release()), doc);
  }
});

function randomEdit(random: Random, text: string, letters: string): TextEdit {
  const position = random.below(text.length + 1);
  const length = random.below(Math.min(4, text.length - position + 1));
  return length > 0
    ? { type: "delete", position, length }
    : { type: "insert", position, text: letters.slice(0, 1 + random.below(3)) };
}
