import assert from "node:assert/strict";
import { test } from "node:test";
import { Doc } from "crdt-js";
import Delta from "quill-delta";
import { marksFrom, pushOp, type QuillOp, withAttributes } from "../../src/bindings/quill/delta.js";
import { applyQuillDelta, quillContents } from "../../src/bindings/quill/headless.js";
import { Cells } from "../cells.js";
import { randomChange } from "../quill/random_change.js";
import { givenSeed, Random } from "../random.js";

/** A document with this content of Quill's. */
function holding(contents: readonly QuillOp[]): Cells {
  const doc = new Cells();
  applyQuillDelta(doc, [...contents, { delete: 1 }]);
  assert.deepEqual(quillContents(doc), contents);
  doc.asked.length = 0;
  return doc;
}

/** What a change of a content asks of the document, whose content is then what quill-delta says. */
function asked(contents: QuillOp[], change: QuillOp[]): unknown[] {
  const doc = holding(contents);
  applyQuillDelta(doc, change);
  assert.deepEqual(quillContents(doc), clean(new Delta(contents as never).compose(new Delta(change as never))));
  return doc.asked;
}

/** Without attributes that are `null`: quill-delta leaves them in what is inserted. */
function clean({ ops }: { readonly ops: readonly QuillOp[] }): QuillOp[] {
  const all: QuillOp[] = [];
  for (const { attributes, ...op } of ops) {
    pushOp(all, withAttributes(op, marksFrom(attributes)));
  }
  return all;
}

const BOLD = { bold: true };

test("typing and deleting reach the document as they are", () => {
  assert.deepEqual(asked([{ insert: "abc\n" }], [{ retain: 1 }, { insert: "x" }]), [
    { type: "insert", position: 1, text: "x", marks: {} },
  ]);
  assert.deepEqual(asked([{ insert: "abc\n" }], [{ retain: 1 }, { delete: 2 }]), [
    { type: "delete", position: 1, length: 2 },
  ]);
});

test("what is inserted has exactly its attributes", () => {
  const bold: QuillOp[] = [{ insert: "abc", attributes: BOLD }, { insert: "\n" }];
  assert.deepEqual(asked(bold, [{ retain: 3 }, { insert: "x" }]), [{ type: "insert", position: 3, text: "x", marks: {} }]);
  assert.deepEqual(asked(bold, [{ retain: 3 }, { insert: { image: "i" }, attributes: { width: 3, alt: null } }]), [
    { type: "embed", position: 3, value: { image: "i" }, marks: { width: 3 } },
  ]);
});

test("formats are marks only where they change something", () => {
  const contents: QuillOp[] = [{ insert: "ab" }, { insert: "cd", attributes: BOLD }, { insert: "ef\n" }];
  assert.deepEqual(asked(contents, [{ retain: 6, attributes: BOLD }]), [
    { type: "mark", position: 0, length: 2, name: "bold", value: true },
    { type: "mark", position: 4, length: 2, name: "bold", value: true },
  ]);
  assert.deepEqual(asked(contents, [{ retain: 6, attributes: { bold: null, italic: null } }]), [
    { type: "mark", position: 2, length: 2, name: "bold", value: null },
  ]);
  assert.deepEqual(asked(contents, [{ retain: 2 }, { retain: 2, attributes: BOLD }]), []);
});

test("the last newline is Quill's, whoever deletes or replaces it", () => {
  assert.deepEqual(asked([{ insert: "abc\n" }], [{ insert: "new\n" }, { delete: 4 }]).length, 3);
  asked([{ insert: "abc\n" }], [{ retain: 4 }, { insert: "x\n" }]);
  asked([{ insert: "a\nb\n" }], [{ retain: 2 }, { delete: 2 }]);
  assert.deepEqual(asked([{ insert: "\n" }], [{ insert: "\n" }]), [{ type: "insert", position: 0, text: "\n", marks: {} }]);
});

test("the last line keeps its formats, and gives them on with its newline", () => {
  const title: QuillOp[] = [{ insert: "Title" }, { insert: "\n", attributes: { header: 1 } }];
  const cell = (value: number | null): unknown => ({ type: "register", name: "last-line:header", value });
  assert.deepEqual(asked([{ insert: "Title\n" }], [{ retain: 5 }, { retain: 1, attributes: { header: 1 } }]), [cell(1)]);
  // Enter at its end, as Quill does it.
  assert.deepEqual(
    asked(title, [{ retain: 5 }, { insert: "\n", attributes: { header: 1 } }, { retain: 1, attributes: { header: null } }]),
    [{ type: "insert", position: 5, text: "\n", marks: { header: 1 } }, cell(null)],
  );
  // Something behind it: it becomes an ordinary newline.
  assert.deepEqual(asked(title, [{ retain: 6 }, { insert: "more\n" }]), [
    { type: "insert", position: 5, text: "\n", marks: { header: 1 } },
    { type: "insert", position: 6, text: "more", marks: {} },
    cell(null),
  ]);
  // It goes: the newline in front of it becomes the last.
  asked([{ insert: "a" }, { insert: "\n", attributes: { list: "bullet" } }, { insert: "b\n" }], [{ retain: 2 }, { delete: 2 }]);
});

for (const [name, lastLine] of [
  ["with Quill's last newline", true],
  ["taken literally", false],
] as const) {
  test(`any change leaves the document with what quill-delta composes, ${name}`, () => {
    const random = new Random(givenSeed());
    for (let round = 0; round < 400; round++) {
      const doc = new Cells();
      let content = new Delta(lastLine ? [{ insert: "\n" }] : []);
      for (let step = 0; step < 12; step++) {
        const text = content.reduce((all, op) => all + (typeof op.insert === "string" ? op.insert : "\ufffc"), "");
        const change = randomChange(random, text);
        const next = new Delta(clean(content.compose(new Delta(change))));
        const end = next.ops.at(-1)?.insert;
        if (lastLine && !(typeof end === "string" && end.endsWith("\n"))) {
          continue; // no editor does that
        }
        content = next;
        applyQuillDelta(doc, change, { lastLine });
        assert.deepEqual(quillContents(doc, { lastLine }), content.ops, `round ${String(round)}: ${JSON.stringify(change)}`);
      }
    }
  });
}

test("half a surrogate pair is deleted as the whole, and halves of two that remain are one", () => {
  for (const [text, change, left] of [
    ["a😀b", [{ retain: 2 }, { delete: 1 }, { insert: "!" }], "a!b"],
    ["a😀b", [{ retain: 1 }, { delete: 1 }, { retain: 2 }, { insert: "!" }], "ab!"],
    ["👧😀", [{ retain: 1 }, { delete: 2 }], "\ud83d\ude00"],
  ] as const) {
    const doc = new Doc();
    doc.insert(0, text);
    applyQuillDelta(doc, change);
    assert.equal(doc.toString(), left);
  }
});
