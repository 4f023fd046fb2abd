import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits, Doc, type ListEdit, type TextEdit, UndoManager } from "crdt-js";

function pair(): [Doc, Doc] {
  const [one, other] = [new Doc({ replica: "0000000000000001" }), new Doc({ replica: "0000000000000002" })];
  one.on("delta", (delta) => other.applyDelta(delta));
  other.on("delta", (delta) => one.applyDelta(delta));
  return [one, other];
}

function applyListEdits(values: unknown[], edits: readonly ListEdit[]): unknown[] {
  const list = [...values];
  for (const edit of edits) {
    if (edit.type === "insert") {
      list.splice(edit.index, 0, edit.value);
    } else if (edit.type === "delete") {
      list.splice(edit.index, edit.length);
    } else {
      list[edit.index] = edit.value;
    }
  }
  return list;
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
  assert.equal(mine.resolveAnchor(middle), undefined);
  assert.equal(mine.text("other").resolveAnchor(middle), undefined);
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
