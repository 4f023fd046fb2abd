import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits, Doc, UndoManager } from "crdt-js";

function pair(): [Doc, Doc] {
  const [one, other] = [new Doc({ replica: "0000000000000001" }), new Doc({ replica: "0000000000000002" })];
  one.on("delta", (delta) => other.applyDelta(delta));
  other.on("delta", (delta) => one.applyDelta(delta));
  return [one, other];
}

test("one's own edits are undone, whatever others did since", () => {
  const [mine, theirs] = pair();
  const undo = new UndoManager(mine, { interval: 0 });
  mine.insert(0, "Hello world");
  theirs.insert(5, " there,");
  mine.delete(0, 5);
  assert.equal(mine.toString(), " there, world");
  let shown = mine.toString();
  mine.on("change", ({ edits, origin, local }) => {
    shown = applyEdits(shown, edits);
    assert.ok(local && origin === undo);
  });
  assert.ok(undo.undo());
  assert.equal(mine.toString(), "Hello there, world");
  assert.ok(undo.undo());
  assert.equal(mine.toString(), " there,");
  assert.ok(!undo.undo() && !undo.canUndo && undo.canRedo);
  assert.ok(undo.redo() && undo.redo() && !undo.redo());
  assert.equal(mine.toString(), " there, world");
  assert.equal(shown, mine.toString());
  assert.equal(theirs.toString(), mine.toString());
});

test("marks, embeds and registers are undone, and the selection comes back", () => {
  const [mine, theirs] = pair();
  mine.insert(0, "text", { color: "red" });
  mine.insertEmbed(2, { image: "i" });
  const before = mine.runs();
  const undo = new UndoManager(mine, { interval: 0 });
  let selection = { anchor: 1, head: 4 };
  undo.selection = {
    read: () => selection,
    write: (restored) => {
      selection = restored;
    },
  };
  undo.noteSelection();
  mine.delete(1, 3);
  mine.transact(() => {
    mine.mark(0, 2, "color", "blue");
    mine.set("title", "new");
  });
  selection = { anchor: 0, head: 0 };
  undo.noteSelection();
  undo.undo();
  assert.equal(mine.get("title"), null);
  undo.undo();
  assert.deepEqual(selection, { anchor: 1, head: 4 });
  assert.deepEqual(mine.runs(), before);
  assert.deepEqual(theirs.runs(), before);
});

test("edits are grouped by time until somebody says stop", () => {
  const doc = new Doc();
  const undo = new UndoManager(doc, { interval: 1e9 });
  const seen: boolean[] = [];
  undo.on("change", ({ canUndo }) => {
    seen.push(canUndo);
  });
  doc.insert(0, "a");
  doc.insert(1, "b");
  undo.stop();
  doc.insert(2, "c");
  undo.undo();
  assert.equal(doc.toString(), "ab");
  undo.undo();
  assert.equal(doc.toString(), "");
  assert.deepEqual(seen, [true, true, true, true, false]);
  undo.destroy();
  doc.insert(0, "d");
  assert.ok(!undo.undo() && !undo.canUndo);
});

test("a group of replicas is undone as one", () => {
  const [mine, theirs] = pair();
  const undo = new UndoManager(mine, { interval: 0, replicas: [mine.replica, theirs.replica] });
  mine.insert(0, "mine ");
  theirs.insert(5, "theirs");
  undo.undo();
  assert.equal(theirs.toString(), "mine ");
});

test("seeded content never doubles", () => {
  const content = [{ text: "Title", marks: { bold: true } }, { embed: { image: "i" } }, { text: "\nüben" }];
  const [one, other] = [Doc.seeded(content, "d"), Doc.seeded(content, "d")];
  assert.deepEqual(one.runs(), content);
  one.insert(0, ">");
  other.applyDelta(one.deltaSince(other.version()));
  assert.equal(other.toString(), one.toString());
  assert.equal(Doc.seeded("plain", "d").toString(), "plain");
  assert.throws(() => Doc.seeded("\ud800", "d"), { code: "ill-formed-text" });
});
