import assert from "node:assert/strict";
import { test } from "node:test";
import Delta from "quill-delta";
import { Lag } from "../../src/bindings/lag.js";
import { writeChange } from "../../src/bindings/quill/change.js";
import { marksFrom, pushOp, type QuillOp, sameShape, withAttributes } from "../../src/bindings/quill/delta.js";
import { differences } from "../../src/bindings/quill/difference.js";
import { ALL_FORMATS, type Formats, shownMarks } from "../../src/bindings/quill/formats.js";
import { applyQuillDelta } from "../../src/bindings/quill/headless.js";
import { showChange, shownContent } from "../../src/bindings/quill/show.js";
import { EMBED, type TextEdit } from "../../src/edit.js";
import { Cells } from "../cells.js";
import { randomChange } from "../quill/random_change.js";
import { givenSeed, Random } from "../random.js";

/** A document, an editor that shows it, and edits of others that the screen does not show until it is told to. */
class Desk {
  readonly doc = new Cells();
  readonly lag = new Lag();
  screen = new Delta([{ insert: "\n" }]);

  constructor(readonly formats: Formats = ALL_FORMATS) {}

  get content(): QuillOp[] {
    return shownContent(this.doc, 0, this.doc.length + 1, this.formats);
  }

  others(change: QuillOp[]): void {
    this.doc.asked.length = 0;
    applyQuillDelta(this.doc, change);
    this.lag.documentChanged(this.doc.asked);
  }

  here(change: QuillOp[]): TextEdit[] {
    const length = this.screen.length() - 1;
    this.screen = cleaned(this.screen.compose(new Delta(change)));
    this.doc.asked.length = 0;
    writeChange(change, this.doc, { lag: this.lag, formats: this.formats, length, lastLine: true, embedAt: () => ({}) });
    return [...this.doc.asked];
  }

  release(): QuillOp[] {
    const ops = showChange(this.lag.release(), this.doc, this.formats, (position, length) =>
      this.screen.slice(position, position + length).ops,
    );
    this.screen = cleaned(this.screen.compose(new Delta(ops)));
    return ops;
  }
}

function cleaned(delta: Delta): Delta {
  const ops: QuillOp[] = [];
  for (const { attributes, ...op } of delta.ops) {
    pushOp(ops, withAttributes(op, marksFrom(attributes)));
  }
  return new Delta(ops);
}

function textOf(delta: Delta): string {
  return delta.reduce((text, op) => text + (typeof op.insert === "string" ? op.insert : EMBED), "");
}

test("formats wait, and are shown where the text stands then", () => {
  const desk = new Desk();
  desk.here([{ insert: "one two" }]);
  desk.others([{ retain: 4 }, { retain: 3, attributes: { bold: true } }]);
  desk.others([{ retain: 7 }, { insert: { image: "i" }, attributes: { width: 1 } }]);
  assert.deepEqual(desk.here([{ insert: "> " }]), [{ type: "insert", position: 0, text: "> ", marks: {} }]);
  assert.deepEqual(desk.release(), [
    { retain: 6 },
    { retain: 3, attributes: { bold: true } },
    { insert: { image: "i" }, attributes: { width: 1 } },
  ]);
});

test("formatting what somebody else deleted or typed meanwhile formats what is left and what was seen", () => {
  const desk = new Desk();
  desk.here([{ insert: "abcdef" }]);
  desk.others([{ retain: 1 }, { delete: 2 }, { insert: "XY" }]); // aXYdef
  assert.deepEqual(desk.here([{ retain: 5, attributes: { bold: true } }]), [
    { type: "mark", position: 0, length: 1, name: "bold", value: true },
    { type: "mark", position: 3, length: 2, name: "bold", value: true },
  ]);
  desk.release();
  assert.deepEqual(desk.screen.ops, desk.content);
});

test("the last line's formats wait, too", () => {
  const desk = new Desk();
  desk.here([{ insert: "Title" }]);
  desk.doc.set("last-line:header", 1);
  desk.lag.documentChanged([{ type: "mark", position: 5, length: 1, name: "header", value: 1 }]);
  desk.here([{ retain: 5 }, { insert: "!" }]);
  assert.deepEqual(desk.release(), [{ retain: 6 }, { retain: 1, attributes: { header: 1 } }]);
});

test("however changes mix while they wait, the screen shows the document in the end", () => {
  const random = new Random(givenSeed());
  for (let round = 0; round < 500; round++) {
    const desk = new Desk();
    for (let step = 1 + random.below(10); step > 0; step--) {
      if (random.fraction() < 0.5) {
        desk.others(randomChange(random, desk.doc.toString()));
      } else {
        const text = textOf(desk.screen);
        desk.here(randomChange(random, text, text.length - 1));
      }
      for (let at = 0; at <= desk.doc.length; at++) {
        assert.ok(desk.lag.toScreen(at) < desk.screen.length());
      }
    }
    desk.release();
    assert.deepEqual(desk.screen.ops, desk.content);
  }
});

/** Of the formats only some; a line is a header or a list. */
const SOME: Formats = {
  knowsAll: false,
  knows: (name) => ["bold", "header", "list"].includes(name),
  suitsEmbed: () => true,
  knowsEmbed: (kind) => kind === "image",
  isBlock: (name) => ["header", "list"].includes(name),
  isKind: (name) => ["header", "list"].includes(name),
};

test("what the editor does not know stays in the document, also around what is typed", () => {
  const desk = new Desk(SOME);
  desk.others([{ insert: "ab", attributes: { comment: 1, bold: true } }, { insert: { poll: [1, 2] } }, { insert: "cd" }]);
  desk.release();
  assert.deepEqual(desk.screen.ops, [
    { insert: "ab", attributes: { bold: true } },
    { insert: { "crdt-unknown": { poll: [1, 2] } } },
    { insert: "cd\n" },
  ]);
  desk.here([{ retain: 1 }, { insert: "x" }]);
  assert.equal(desk.doc.has(1, "comment"), 1);
  assert.equal(desk.doc.has(1, "bold"), null);
  // Cut and pasted, the unknown embed is what it was.
  desk.here([{ insert: { "crdt-unknown": { poll: [1, 2] } } }, { retain: 3 }, { delete: 1 }]);
  assert.deepEqual(desk.doc.runs(0, 1), [{ embed: { poll: [1, 2] } }]);
  assert.deepEqual(desk.screen.ops, desk.content);
});

test("of two kinds of a line one shows, and goes with the other when somebody changes the line", () => {
  const desk = new Desk(SOME);
  desk.others([{ insert: "a\nb" }]);
  desk.others([{ retain: 1 }, { retain: 1, attributes: { header: 1 } }]);
  desk.others([{ retain: 1 }, { retain: 1, attributes: { list: "bullet" } }]);
  desk.release();
  assert.deepEqual(desk.screen.ops, [{ insert: "a" }, { insert: "\n", attributes: { list: "bullet" } }, { insert: "b\n" }]);
  desk.here([{ retain: 1 }, { retain: 1, attributes: { list: null } }]);
  assert.equal(desk.doc.has(1, "header"), null);
  assert.deepEqual(desk.screen.ops, desk.content);
  assert.deepEqual(shownMarks({ bold: true, header: 2 }, "newline", SOME), { header: 2 });
  assert.deepEqual(shownMarks({ bold: true, header: 2 }, "text", SOME), { bold: true });
});

test("what an editor shows otherwise than it was told is known, and edits around it land right", () => {
  const desk = new Desk();
  desk.here([{ insert: "ab" }]);
  // An image that the editor refuses, and a newline that it adds.
  desk.others([{ retain: 1 }, { insert: { image: "i" } }]);
  desk.lag.release();
  desk.screen = new Delta([{ insert: "ab\n\n" }]);
  desk.lag.differs(differences(desk.content, desk.screen.ops, diff));
  assert.ok(!desk.lag.waits);
  desk.here([{ retain: 2 }, { insert: "c" }]);
  assert.equal(desk.doc.toString(), `a${EMBED}bc`);
  assert.equal(desk.lag.toDocument(0), 0);
  assert.equal(desk.lag.toScreen(4), 3);
  desk.release();
  assert.deepEqual(desk.screen.ops, desk.content);
});

test("what an editor could not show is found by itself, not with what stands beside it", () => {
  const [cat, dog, film] = [{ image: "cat" }, { image: "dog" }, { video: "film" }];
  const found = (want: QuillOp[], have: QuillOp[]): unknown =>
    differences(want, have, diff).map((piece) => (piece.kind === "unseen" ? piece.text : { [piece.kind]: piece.length }));
  assert.deepEqual(found([{ insert: cat }, { insert: "x" }, { insert: dog }, { insert: "long text\n" }], [{ insert: "xlong text\n" }]), [
    EMBED,
    { both: 1 },
    EMBED,
  ]);
  assert.deepEqual(found([{ insert: "👩" }, { insert: cat }, { insert: "👧\n" }], [{ insert: "😀\n" }]), [`👩${EMBED}👧`, { gone: 2 }]);
  // Which of two it is says what it is; an editor may show one with another value.
  assert.deepEqual(found([{ insert: film }, { insert: cat }, { insert: dog }, { insert: "\n" }], [{ insert: cat }, { insert: "\n" }]), [
    EMBED,
    { both: 1 },
    EMBED,
  ]);
  assert.deepEqual(found([{ insert: cat }, { insert: film }, { insert: "\n" }], [{ insert: { video: "" } }, { insert: "\n" }]), [EMBED]);
});

test("changes have one shape if they make the same text", () => {
  assert.ok(sameShape([{ retain: 2 }, { delete: 1 }, { insert: "x" }], [{ retain: 1 }, { retain: 1, attributes: { bold: true } }, { insert: "x" }, { delete: 1 }, { retain: 4 }]));
  assert.ok(!sameShape([{ retain: 2 }, { insert: "x\n" }], [{ retain: 2 }, { insert: "x" }]));
  assert.ok(sameShape([], [{ retain: 3, attributes: { bold: null } }]));
});

function diff(from: string, to: string): QuillOp[] {
  return new Delta([{ insert: from }]).diff(new Delta([{ insert: to }])).ops;
}
