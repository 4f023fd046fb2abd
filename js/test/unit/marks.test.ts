import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits, type ChangeEvent, Doc, type TextEdit, type TextRun } from "crdt-js";
import { givenSeed, Random } from "../random.js";

function pair(): [Doc, Doc] {
  return [new Doc({ replica: "0000000000000001" }), new Doc({ replica: "0000000000000002" })];
}

function sync(...docs: Doc[]): void {
  for (const to of docs) {
    for (const from of docs) {
      to.applyDelta(from.deltaSince(to.version()));
    }
  }
}

test("marks and embeds reach the others, as runs and as edits", () => {
  const [a, b] = pair();
  a.insert(0, "The fox 😀");
  a.mark(4, 3, "bold", true);
  a.insertEmbed(3, { image: "fox.png", size: [3, 4] });
  const edits = b.applyDelta(a.deltaSince());
  assert.deepEqual(a.runs(), [
    { text: "The" },
    { embed: { image: "fox.png", size: [3, 4] } },
    { text: " " },
    { text: "fox", marks: { bold: true } },
    { text: " 😀" },
  ]);
  assert.deepEqual(b.runs(), a.runs());
  assert.equal(b.toString(), "The\ufffc fox 😀");
  assert.equal(applyEdits("", edits), b.toString());
  assert.deepEqual(b.runs(6, 9), [{ text: "ox", marks: { bold: true } }, { text: " " }]);
  b.mark(0, b.length, "bold", null);
  assert.deepEqual(a.applyDelta(b.deltaSince(a.version())), [
    { type: "mark", position: 5, length: 3, name: "bold", value: null },
  ]);
});

test("text typed in a mark or at its end has it; a link does not grow; given marks are exactly those", () => {
  const [a] = pair();
  const edits: TextEdit[] = [];
  a.on("change", (event) => edits.push(...event.edits));
  a.insert(0, "ab", { bold: true });
  a.insert(2, "c");
  a.insert(3, "d", {});
  a.insert(4, "e", { link: { href: "x" } });
  a.insert(5, "f");
  a.insert(0, "g");
  a.insertEmbed(3, { mention: 1 });
  assert.deepEqual(edits, [
    { type: "insert", position: 0, text: "ab", marks: { bold: true } },
    { type: "insert", position: 2, text: "c", marks: { bold: true } },
    { type: "insert", position: 3, text: "d" },
    { type: "insert", position: 4, text: "e", marks: { link: { href: "x" } } },
    { type: "insert", position: 5, text: "f" },
    { type: "insert", position: 0, text: "g" },
    { type: "embed", position: 3, value: { mention: 1 }, marks: { bold: true } },
  ]);
  a.setExpand("note", "both");
  a.mark(0, 1, "note", "");
  a.insert(0, "<");
  assert.deepEqual(a.runs(0, 2), [{ text: "<g", marks: { note: "" } }]);
});

test("registers hold what was said last, and tell", () => {
  const [a, b] = pair();
  a.set("title", "Notes");
  sync(a, b);
  a.set("title", { en: "A" });
  const edits = b.applyDelta(a.deltaSince(b.version()));
  assert.deepEqual(edits, [{ type: "register", name: "title", value: { en: "A" } }]);
  b.set("title", null);
  b.set("language", "en");
  assert.deepEqual(a.applyDelta(b.deltaSince(a.version())), [
    { type: "register", name: "title", value: null },
    { type: "register", name: "language", value: "en" },
  ]);
  assert.equal(a.get("title"), null);
  assert.deepEqual([...a.registers()], [["language", "en"]]);
  assert.equal(a.toString(), "");
});

test("all that one transaction says is said at one time", () => {
  const [a, b] = pair();
  a.insert(0, "text");
  sync(a, b);
  const seen: ChangeEvent[] = [];
  b.on("change", (event) => seen.push(event));
  const delta = a.transact(() => {
    a.mark(0, 2, "bold", true);
    a.insert(4, "!", { italic: true });
    a.mark(0, 1, "bold", null);
  });
  assert.ok(delta);
  b.applyDelta(delta);
  assert.equal(seen.length, 1);
  assert.deepEqual(b.runs(), [
    { text: "t" },
    { text: "e", marks: { bold: true } },
    { text: "xt" },
    { text: "!", marks: { italic: true } },
  ]);
  assert.deepEqual(Doc.fromSnapshot(b.snapshot()).runs(), a.runs());
});

test("a document of text alone stays plain, and one that held more does not become it again", () => {
  const [a, b] = pair();
  a.insert(0, "text", {});
  a.delete(0, 1);
  assert.ok(a.plain);
  a.mark(0, 0, "bold", true);
  a.mark(0, 1, "bold", true);
  assert.ok(!a.plain);
  a.delete(0, 3);
  sync(a, b);
  assert.ok(!b.plain);
  assert.deepEqual(b.runs(), []);
  assert.ok(!Doc.fromSnapshot(a.snapshot()).plain);
});

test("what is no mark, no value and no name is refused and changes nothing", () => {
  const [a] = pair();
  a.insert(0, "text");
  const version = a.version();
  for (const [code, use] of [
    ["out-of-bounds", () => { a.mark(2, 3, "bold", true); }],
    ["out-of-bounds", () => { a.insertEmbed(5, 1); }],
    ["out-of-bounds", () => a.runs(0, 5)],
    ["malformed", () => { a.mark(0, 1, "bold", undefined as never); }],
    ["malformed", () => { a.insertEmbed(0, (() => 1) as never); }],
    ["ill-formed-text", () => { a.mark(0, 1, "\ud83d", true); }],
    ["ill-formed-text", () => { a.insert(0, "x", { "a\0b": 1 }); }],
    ["name-too-long", () => { a.mark(0, 1, "x".repeat(2000), true); }],
  ] as const) {
    assert.throws(use, { name: "CrdtError", code });
  }
  assert.deepEqual(a.version(), version);
});

/** Applies edits to a list of characters with their marks: what a listener of events knows. */
function follow(shown: TextRun[], edits: readonly TextEdit[]): TextRun[] {
  const cells = shown.flatMap((run): TextRun[] =>
    "text" in run ? run.text.split("").map((text) => ({ ...run, text })) : [run],
  );
  for (const edit of edits) {
    if (edit.type === "register") {
      continue;
    }
    const { position } = edit;
    const marked = "marks" in edit ? { marks: edit.marks } : {};
    if (edit.type === "insert") {
      cells.splice(position, 0, ...edit.text.split("").map((text) => ({ text, ...marked })));
    } else if (edit.type === "embed") {
      cells.splice(position, 0, { embed: edit.value, ...marked });
    } else if (edit.type === "delete") {
      cells.splice(position, edit.length);
    } else {
      for (let at = position; at < position + edit.length; at++) {
        const { marks, ...content } = cells[at] ?? assert.fail("outside");
        const left = Object.entries(marks ?? {}).filter(([name]) => name !== edit.name);
        const now = edit.value === null ? left : [...left, [edit.name, edit.value] as const];
        cells[at] = now.length > 0 ? { ...content, marks: Object.fromEntries(now) } : content;
      }
    }
  }
  return joined(cells);
}

function joined(cells: readonly TextRun[]): TextRun[] {
  const runs: TextRun[] = [];
  const key = (run: TextRun): string => JSON.stringify(Object.entries(run.marks ?? {}).sort());
  for (const cell of cells) {
    const last = runs.at(-1);
    if (last && "text" in last && "text" in cell && key(last) === key(cell)) {
      runs[runs.length - 1] = { ...last, text: last.text + cell.text };
    } else {
      runs.push(cell);
    }
  }
  return runs;
}

test("events, local ones and others', tell all that runs have, in random histories", () => {
  const random = new Random(givenSeed());
  const docs = [1, 2, 3].map((replica) => new Doc({ replica: replica.toString(16).padStart(16, "0") }));
  const shown: TextRun[][] = docs.map(() => []);
  docs.forEach((doc, index) => {
    doc.on("change", ({ edits }) => {
      shown[index] = follow(shown[index] ?? [], edits);
    });
  });
  for (let round = 0; round < 500; round++) {
    const doc = random.pick(docs);
    if (random.fraction() < 0.3) {
      doc.applyDelta(random.pick(docs).deltaSince(doc.version()));
    } else {
      editAtRandom(doc, random);
    }
    docs.forEach((each, index) => {
      assert.deepEqual(shown[index], joined(each.runs()), `round ${String(round)}`);
    });
  }
  sync(...docs);
  for (const doc of docs) {
    assert.deepEqual(doc.runs(), docs[0]?.runs());
    assert.deepEqual(Doc.fromSnapshot(doc.snapshot()).runs(), doc.runs());
  }
});

function editAtRandom(doc: Doc, random: Random): void {
  const position = random.below(doc.length + 1);
  const length = random.below(Math.min(5, doc.length - position + 1));
  const kind = random.fraction();
  const [marks] = random.pick([[], [], [{}], [{ bold: true }], [{ link: "x", italic: { a: 1 } }]]);
  if (kind < 0.35) {
    doc.insert(position, random.pick(["a", "bc", "é", "\n"]), marks);
  } else if (kind < 0.45) {
    doc.insertEmbed(position, random.pick([{ image: "x" }, 7, ["y"]]), marks);
  } else if (kind < 0.6) {
    doc.delete(position, length);
  } else {
    doc.mark(position, length, random.pick(["bold", "link", "italic"]), random.pick([true, "x", { a: 1 }, null]));
  }
}
