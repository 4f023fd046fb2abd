import assert from "node:assert/strict";
import { test } from "node:test";
import { Lag } from "../../src/bindings/lag.js";
import { type QuillOp, readChange } from "../../src/bindings/quill/delta.js";
import { applyEdits } from "../../src/edit.js";
import { newSeed, Random } from "../random.js";

/** Quill's content after a change, by the meaning of deltas alone. */
function compose(content: string, ops: readonly QuillOp[]): string {
  let at = 0;
  let text = "";
  for (const op of ops) {
    if (typeof op.insert === "string") {
      text += op.insert;
    } else if (typeof op.retain === "number") {
      text += content.slice(at, at + op.retain);
      at += op.retain;
    } else {
      at += op.delete ?? 0;
    }
  }
  return text + content.slice(at);
}

/** The document after a change, and what has to be corrected in the editor. */
function change(doc: string, ops: readonly QuillOp[]): [string, QuillOp[]] {
  const { edits, correction } = readChange(ops, doc.length, new Lag());
  return [applyEdits(doc, edits), correction];
}

test("typing and deleting reach the document as they are", () => {
  assert.deepEqual(change("abc", [{ retain: 1 }, { insert: "x" }]), ["axbc", []]);
  assert.deepEqual(change("abc", [{ retain: 1 }, { delete: 2 }]), ["a", []]);
  assert.deepEqual(readChange([{ retain: 2 }, { insert: "x" }], 3, new Lag()).edits, [
    { type: "insert", position: 2, text: "x" },
  ]);
});

test("the last newline is Quill's, whoever deletes or replaces it", () => {
  assert.deepEqual(change("abc", [{ insert: "new\n" }, { delete: 4 }])[0], "new");
  assert.deepEqual(change("abc", [{ retain: 4 }, { insert: "x\n" }])[0], "abc\nx");
  assert.deepEqual(change("a\nb", [{ retain: 2 }, { delete: 2 }])[0], "a");
  assert.deepEqual(change("", [{ insert: "\n" }])[0], "\n");
});

test("any plain change leaves the document with Quill's content less its last newline", () => {
  const random = new Random(newSeed());
  for (let round = 0; round < 5000; round++) {
    const doc = Array.from({ length: random.below(6) }, () => random.pick(["a", "b", "\n"])).join("");
    let rest = doc.length + 1;
    const ops: QuillOp[] = [];
    for (let count = random.below(5); count > 0; count--) {
      const length = Math.min(rest, 1 + random.below(3));
      if (random.fraction() < 0.4) {
        ops.push({ insert: random.pick(["x", "\n", "y\n", "\nz"]) });
      } else if (length > 0) {
        ops.push(random.fraction() < 0.5 ? { retain: length } : { delete: length });
        rest -= length;
      }
    }
    const content = compose(`${doc}\n`, ops);
    if (content.endsWith("\n")) {
      assert.equal(change(doc, ops)[0], content.slice(0, -1), JSON.stringify({ doc, ops }));
    }
  }
});

test("embeds and formats are taken out again", () => {
  assert.deepEqual(change("ab", [{ retain: 1 }, { insert: { image: "x.png" } }]), ["ab", [{ retain: 1 }, { delete: 1 }]]);
  assert.deepEqual(change("ab", [{ retain: 1, attributes: { bold: true } }, { insert: "c" }]), [
    "acb",
    [{ retain: 1, attributes: { bold: null } }, { retain: 1 }],
  ]);
  assert.deepEqual(change("ab", [{ retain: 1, attributes: { bold: null } }]), ["ab", []]);
});
