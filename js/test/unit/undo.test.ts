import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits, Doc, type NamedText, UndoManager, type UndoSelection } from "crdt-js";

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
  undo.follow({
    text: mine,
    read: () => selection,
    write: (restored) => {
      selection = restored;
    },
  });
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

/** Something that selects in a text, and what is selected there. */
class FakeEditor {
  constructor(
    readonly text: Doc | NamedText,
    public selected: UndoSelection | undefined,
  ) {}

  read(): UndoSelection | undefined {
    return this.selected;
  }

  write(selection: UndoSelection): void {
    this.selected = selection;
  }
}

test("a selection comes back in the text in which it was", () => {
  const [mine, theirs] = pair();
  mine.insert(0, "main text");
  const notes = mine.text("notes");
  const undo = new UndoManager(mine, { interval: 0 });
  const editor = new FakeEditor(notes, { anchor: 0, head: 0 });
  const end = undo.follow(editor);
  // Nobody has opened the text yet.
  undo.noteSelection(editor);
  notes.insert(0, "some notes");
  editor.selected = { anchor: 9, head: 5 };
  undo.noteSelection();
  notes.delete(5, 4);
  editor.selected = { anchor: 1, head: 1 };
  theirs.text("notes").insert(0, "> ");
  theirs.insert(0, "The ");
  assert.ok(undo.undo());
  assert.equal(notes.toString(), "> some notes");
  assert.deepEqual(editor.selected, { anchor: 11, head: 7 });
  assert.ok(undo.undo());
  assert.deepEqual(editor.selected, { anchor: 2, head: 2 });
  end();
  assert.ok(undo.redo());
  assert.deepEqual(editor.selected, { anchor: 2, head: 2 });
  assert.equal(mine.toString(), "The main text");
});

test("one manager follows editors of several texts, and the last of one that was in use", () => {
  const [mine] = pair();
  const undo = new UndoManager(mine, { interval: 0 });
  const title = new FakeEditor(mine.text("title"), { anchor: 0, head: 0 });
  const body = new FakeEditor(mine, { anchor: 0, head: 0 });
  const other = new FakeEditor(mine, { anchor: 0, head: 0 });
  for (const editor of [title, body, other]) {
    undo.follow(editor);
  }
  undo.noteSelection(title);
  mine.text("title").insert(0, "Title");
  title.selected = { anchor: 5, head: 5 };
  undo.noteSelection(body);
  mine.insert(0, "body");
  body.selected = { anchor: 4, head: 4 };
  undo.noteSelection(title);
  mine.text("title").insert(5, "!");
  title.selected = { anchor: 6, head: 6 };
  undo.undo();
  assert.deepEqual([title, body, other].map(({ selected }) => selected?.head), [5, 4, 0]);
  title.selected = { anchor: 1, head: 1 };
  undo.undo();
  assert.deepEqual([title, body, other].map(({ selected }) => selected?.head), [1, 0, 0]);
  undo.undo();
  assert.deepEqual([title, body, other].map(({ selected }) => selected?.head), [0, 0, 0]);
});

test("an editor of another document, and a selection that is none, are refused", () => {
  const [mine, theirs] = pair();
  const undo = new UndoManager(mine);
  for (const text of [theirs, theirs.text("notes")]) {
    assert.throws(() => undo.follow(new FakeEditor(text, undefined)), { code: "foreign-text" });
  }
  mine.insert(0, "😀");
  for (const [head, code] of [[3, "out-of-bounds"], [0.5, "out-of-bounds"], [1, "inside-surrogate-pair"]] as const) {
    const editor = new FakeEditor(mine, { anchor: 0, head });
    const end = undo.follow(editor);
    assert.throws(() => {
      undo.noteSelection(editor);
    }, { code });
    // While edits are recorded, it only does not come back.
    mine.insert(0, "x");
    mine.delete(0, 1);
    end();
    undo.noteSelection(editor);
  }
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
