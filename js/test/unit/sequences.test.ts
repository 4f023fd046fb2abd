import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits, Doc, type TextEdit, UndoManager } from "crdt-js";
import { applyListEdits } from "../list_edits.js";

function pair(): [Doc, Doc] {
  const [one, other] = [new Doc({ replica: "0000000000000001" }), new Doc({ replica: "0000000000000002" })];
  one.on("delta", (delta) => other.applyDelta(delta));
  other.on("delta", (delta) => one.applyDelta(delta));
  return [one, other];
}

test("a named text is a text of its own in the same document", () => {
  const [mine, theirs] = pair();
  const changes: TextEdit[] = [];
  mine.on("change", ({ edits }) => changes.push(...edits));
  mine.insert(0, "main");
  const notes = mine.text("notes");
  assert.equal(notes.toString(), "");
  assert.deepEqual(mine.sequences(), []);
  let shown = "";
  const told: boolean[] = [];
  notes.on("change", ({ edits, local }) => {
    shown = applyEdits(shown, edits);
    told.push(local);
  });
  notes.insert(0, "milk 🥛");
  notes.mark(0, 4, "bold", true);
  theirs.text("notes").insert(7, ", eggs");
  theirs.text("notes").insertEmbed(0, { image: "i" }, { link: "l" });
  theirs.text("notes").delete(1, 1);
  assert.equal(notes.toString(), "\ufffcilk 🥛, eggs");
  assert.equal(notes.length, notes.toString().length);
  assert.equal(notes.slice(1, 4), "ilk");
  assert.equal(shown, notes.toString());
  assert.deepEqual(told, [true, true, false, false, false]);
  assert.deepEqual(notes.runs(), theirs.text("notes").runs());
  assert.deepEqual(notes.runs(0, 2), [
    { embed: { image: "i" }, marks: { link: "l" } },
    { text: "i", marks: { bold: true } },
  ]);
  assert.equal(mine.toString(), "main");
  assert.deepEqual(changes, [{ type: "insert", position: 0, text: "main" }]);
  assert.deepEqual(mine.sequences(), [{ kind: "text", name: "notes" }]);
  const opened = Doc.fromSnapshot(mine.snapshot());
  assert.deepEqual(opened.text("notes").runs(), notes.runs());
  assert.equal(mine.text("notes"), notes);
});

test("anchors are of their text", () => {
  const [mine, theirs] = pair();
  const notes = mine.text("notes");
  const [start, end] = [notes.anchorAt(0, "after"), notes.anchorAt(0, "before")];
  notes.insert(0, "abc");
  const middle = notes.anchorAt(1, "before");
  theirs.text("notes").insert(0, "_");
  assert.deepEqual([start, middle, end].map((anchor) => notes.resolveAnchor(anchor)), [0, 2, 4]);
  for (const anchor of [start, middle, end]) {
    assert.equal(mine.resolveAnchor(anchor), undefined);
    assert.equal(mine.text("other").resolveAnchor(anchor), undefined);
    assert.equal(mine.list("notes").resolveAnchor(anchor), undefined);
  }
  for (const side of ["before", "after"] as const) {
    const ofMain = mine.anchorAt(0, side);
    assert.equal(mine.resolveAnchor(ofMain), 0);
    assert.equal(notes.resolveAnchor(ofMain), undefined);
    assert.equal(mine.text("other").resolveAnchor(ofMain), undefined);
    assert.equal(mine.text("other").resolveAnchor(theirs.text("other").anchorAt(0, side)), 0);
  }
  assert.throws(() => {
    notes.insert(9, "x");
  }, { code: "out-of-bounds" });
  assert.throws(() => mine.text("other").slice(0, 1), { code: "out-of-bounds" });
});

test("entries of a list are replaced and moved, and what two do at once to one comes to the same", () => {
  const one = new Doc({ replica: "0000000000000001" });
  const other = new Doc({ replica: "0000000000000002" });
  const lists = [one, other].map((doc) => doc.list("todo")) as [ReturnType<Doc["list"]>, ReturnType<Doc["list"]>];
  const shown: unknown[][] = [[], []];
  lists.forEach((list, at) => {
    list.on("change", ({ edits }) => (shown[at] = applyListEdits(shown[at] ?? [], edits)));
  });
  const sync = (): void => {
    other.applyDelta(one.deltaSince(other.version()));
    one.applyDelta(other.deltaSince(one.version()));
    assert.deepEqual(lists[0].values(), lists[1].values());
    assert.deepEqual(shown, [lists[0].values(), lists[1].values()]);
  };
  lists[0].push("a", { b: 1 }, null);
  sync();
  assert.equal(lists[1].length, 3);
  assert.deepEqual([lists[1].get(1), lists[1].get(2), lists[1].get(3)], [{ b: 1 }, null, undefined]);
  lists[0].move(0, 2);
  lists[1].move(0, 1);
  lists[1].replace(1, "A");
  lists[1].insert(0, "first");
  sync();
  assert.equal(lists[0].values().filter((value) => value === "A").length, 1);
  lists[0].delete(0, 2);
  lists[1].move(0, 3);
  sync();
  assert.equal(lists[0].length, 2);
  assert.throws(() => {
    lists[0].replace(2, 1);
  }, { code: "out-of-bounds" });
});

test("anchors of a list stay beside their entries", () => {
  const [mine, theirs] = pair();
  const list = mine.list("l");
  const [start, end] = [list.anchorAt(0, "after"), list.anchorAt(0, "before")];
  assert.deepEqual([start, end].map((anchor) => theirs.list("l").resolveAnchor(anchor)), [0, 0]);
  list.push("a", "b", "c");
  const [before, after] = [list.anchorAt(1, "before"), list.anchorAt(1, "after")];
  theirs.list("l").insert(1, "x");
  const places = (): unknown[] => [start, after, before, end].map((anchor) => list.resolveAnchor(anchor));
  assert.deepEqual(places(), [0, 1, 2, 4]);
  theirs.list("l").move(2, 0);
  assert.deepEqual(list.values(), ["b", "a", "x", "c"]);
  assert.deepEqual(places(), [0, 2, 3, 4]);
  list.delete(1, 2);
  assert.deepEqual(places(), [0, 1, 1, 2]);
  assert.equal(mine.list("other").resolveAnchor(before), undefined);
  assert.equal(mine.resolveAnchor(before), undefined);
  assert.throws(() => list.anchorAt(3, "before"), { code: "out-of-bounds" });
  assert.throws(() => mine.list("other").anchorAt(1, "before"), { code: "out-of-bounds" });
  assert.throws(() => list.resolveAnchor(Uint8Array.of(9, 9)), { code: "malformed" });
});

test("an embed gets another value, and keeps its place and its marks", () => {
  const [mine, theirs] = pair();
  const undo = new UndoManager(mine, { interval: 0 });
  for (const text of [mine, mine.text("notes")]) {
    const copy = text === mine ? theirs : theirs.text("notes");
    text.insert(0, "a😀b");
    text.insertEmbed(3, { image: "small" }, { link: "l" });
    const shown: TextEdit[][] = [];
    const watched: readonly { on(type: "change", listener: (event: { readonly edits: readonly TextEdit[] }) => void): unknown }[] = [text, copy];
    for (const each of watched) {
      each.on("change", ({ edits }) => shown.push([...edits]));
    }
    text.replaceEmbed(3, { image: "large" });
    const told = [
      { type: "delete", position: 3, length: 1 },
      { type: "embed", position: 3, value: { image: "large" }, marks: { link: "l" } },
    ];
    assert.deepEqual(shown, [told, told]);
    copy.insert(0, "_");
    copy.replaceEmbed(4, { image: "huge" });
    assert.deepEqual(text.runs(4, 5), [{ embed: { image: "huge" }, marks: { link: "l" } }]);
    assert.deepEqual(copy.runs(), text.runs());
    for (const [position, code] of [[0, "no-embed"], [2, "no-embed"], [3, "inside-surrogate-pair"], [6, "out-of-bounds"], [-1, "out-of-bounds"]] as const) {
      assert.throws(() => {
        text.replaceEmbed(position, null);
      }, { code });
    }
    assert.throws(() => {
      text.replaceEmbed(4, undefined as unknown as null);
    }, { code: "malformed" });
    text.replaceEmbed(4, null);
    undo.undo();
    assert.deepEqual(text.runs(4, 5), copy.runs(4, 5));
    assert.deepEqual(text.runs(4, 5), [{ embed: { image: "huge" }, marks: { link: "l" } }]);
  }
});

test("one transaction holds edits of several sequences, and is undone as one", () => {
  const [mine, theirs] = pair();
  mine.list("l").push(1, 2, 3);
  const undo = new UndoManager(mine, { interval: 0 });
  let deltas = 0;
  mine.on("delta", () => deltas++);
  mine.transact(() => {
    mine.insert(0, "main");
    mine.text("n").insert(0, "named");
    mine.list("l").move(0, 2);
  });
  assert.equal(deltas, 1);
  assert.equal(theirs.text("n").toString(), "named");
  assert.deepEqual(theirs.list("l").values(), [2, 3, 1]);
  assert.ok(undo.undo());
  assert.equal(theirs.toString() + theirs.text("n").toString(), "");
  assert.deepEqual(theirs.list("l").values(), [1, 2, 3]);
  assert.ok(undo.redo());
  assert.equal(theirs.toString(), "main");
  assert.equal(theirs.text("n").toString(), "named");
  assert.deepEqual(theirs.list("l").values(), [2, 3, 1]);
});

test("registers of a named text are its own", () => {
  const [mine, theirs] = pair();
  const told: TextEdit[] = [];
  theirs.text("n").on("change", ({ edits }) => told.push(...edits));
  mine.text("n").set("last-line:header", 1);
  mine.set("last-line:header", 2);
  assert.deepEqual([...theirs.text("n").registers()], [["last-line:header", 1]]);
  assert.deepEqual(told, [{ type: "register", name: "last-line:header", value: 1 }]);
  assert.equal(theirs.get("last-line:header"), 2);
});
