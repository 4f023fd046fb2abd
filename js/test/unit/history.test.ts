import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits, Authors, type ChangeEvent, CrdtError, Doc, type HistoryStep, UndoManager } from "crdt-js";
import { givenSeed, Random } from "../random.js";

const ADA = "000000000000000a";
const BOB = "000000000000000b";

function pair(): [Doc, Doc] {
  return [new Doc({ replica: ADA }), new Doc({ replica: BOB })];
}

function sync(one: Doc, other: Doc): void {
  one.applyDelta(other.deltaSince(one.version()));
  other.applyDelta(one.deltaSince(other.version()));
}

function refuses(code: string, use: () => unknown): void {
  assert.throws(use, (error: unknown) => error instanceof CrdtError && error.code === code && error.message !== "");
}

test("every version that a document has passed through can be read", () => {
  const random = new Random(givenSeed());
  const [ada, bob] = pair();
  const passed: { version: Uint8Array; text: string; runs: unknown }[] = [];
  for (let round = 0; round < 60; round++) {
    const doc = random.below(2) === 0 ? ada : bob;
    const position = random.below(doc.length + 1);
    if (random.below(3) === 0 && position < doc.length) {
      doc.delete(position, 1 + random.below(doc.length - position));
    } else if (random.below(5) === 0 && doc.length > 0) {
      doc.mark(0, doc.length, "bold", random.below(2) === 0 ? true : null);
    } else {
      doc.insert(position, random.below(2) === 0 ? "ab" : "é");
    }
    sync(ada, bob);
    passed.push({ version: ada.version(), text: String(ada), runs: ada.runs() });
  }
  const loaded = Doc.fromSnapshot(ada.snapshot({ profile: "compact" }));
  for (const [index, { version, text, runs }] of passed.entries()) {
    const other = passed[random.below(passed.length)] ?? passed[0];
    assert.ok(other);
    for (const doc of [ada, loaded]) {
      assert.equal(doc.textAt(version), text, `version ${String(index)}`);
      assert.equal(doc.sliceAt(version, 0, text.length), text);
      assert.deepEqual(doc.runsAt(version), runs);
      assert.equal(applyEdits(text, doc.diff(version, other.version)), other.text);
      assert.equal(String(doc.at(version)), text);
    }
  }
});

test("a version that was not reached, or is none, is refused", () => {
  const [ada, bob] = pair();
  ada.insert(0, "a😀b");
  bob.insert(0, "later");
  for (const use of [
    () => ada.textAt(bob.version()),
    () => ada.sliceAt(bob.version(), 0, 0),
    () => ada.runsAt(bob.version()),
    () => ada.diff(ada.version(), bob.version()),
    () => ada.at(bob.version()),
    () => ada.restore(bob.version()),
    () => { ada.nameVersion("later", bob.version()); },
    () => { ada.trim(bob.version()); },
    () => ada.text("notes").textAt(bob.version()),
  ]) {
    refuses("not-reached", use);
  }
  refuses("malformed", () => ada.textAt(new Uint8Array([255])));
  refuses("out-of-bounds", () => ada.sliceAt(ada.version(), 0, 5));
  refuses("inside-surrogate-pair", () => ada.sliceAt(ada.version(), 0, 2));
  refuses("inverted-range", () => ada.sliceAt(ada.version(), 3, 1));
  refuses("replica-in-use", () => ada.at(ada.version(), { replica: ADA }));
  refuses("in-transaction", () => ada.transact(() => ada.restore(ada.version())));
  refuses("in-transaction", () => ada.transact(() => { ada.nameVersion("now"); }));
  refuses("in-transaction", () => ada.transact(() => { ada.trim(ada.version()); }));
  assert.equal(String(ada), "a😀b");
});

test("restoring is an edit that others receive and undo takes back", () => {
  const [ada, bob] = pair();
  const undo = new UndoManager(ada);
  ada.insert(0, "The plan");
  const version = ada.version();
  ada.delete(4, 4);
  ada.insert(4, "end");
  sync(ada, bob);
  undo.stop();
  const events: ChangeEvent[] = [];
  ada.on("change", (event) => events.push(event));
  ada.on("delta", (delta) => bob.applyDelta(delta));
  const edits = ada.restore(version, "history");
  assert.equal(applyEdits("The end", edits), "The plan");
  assert.deepEqual(events, [{ edits, origin: "history", local: true }]);
  assert.equal(String(ada), "The plan");
  assert.equal(String(bob), "The plan");
  const there = ada.version();
  assert.deepEqual(ada.restore(there), []);
  assert.deepEqual(ada.version(), there, "what is so already is said in no operation");
  assert.ok(undo.undo());
  assert.equal(String(bob), "The end");
});

test("versions have names, which replicate", () => {
  const [ada, bob] = pair();
  ada.on("delta", (delta) => bob.applyDelta(delta));
  let changes = 0;
  ada.on("change", () => changes++);
  ada.insert(0, "first");
  const first = ada.version();
  ada.nameVersion("draft");
  ada.insert(5, " and second");
  ada.nameVersion("end");
  ada.nameVersion("beginning", first);
  assert.deepEqual([...bob.namedVersions().keys()], ["beginning", "draft", "end"]);
  assert.deepEqual(bob.namedVersions().get("draft"), first);
  const texts = [...bob.namedVersions().values()].map((version) => bob.textAt(version));
  assert.deepEqual(texts, ["first", "first", "first and second"]);
  ada.forgetVersion("draft");
  ada.forgetVersion("never named");
  assert.deepEqual([...bob.namedVersions().keys()], ["beginning", "end"]);
  assert.equal(changes, 2, "names are about the content, not in it");
  assert.equal(ada.registers().size, 0);
  refuses("reserved-name", () => { ada.set("crdt:version:mine", 1); });
  refuses("name-too-long", () => { ada.nameVersion("x".repeat(1012)); });
  refuses("ill-formed-text", () => { ada.nameVersion("\ud800"); });
});

test("a history goes forwards and backwards, and its edits lead from point to point", () => {
  const [ada, bob] = pair();
  ada.insert(0, "Hello");
  sync(ada, bob);
  bob.delete(1, 4);
  bob.insert(1, "i 😀");
  ada.mark(0, 1, "bold", true);
  sync(ada, bob);
  for (const steps of ["run", "operation"] as const) {
    using history = ada.history({ steps });
    assert.equal(history.position, 0);
    const passed: { step: HistoryStep; text: string; version: Uint8Array }[] = [];
    let text = "";
    for (const step of history) {
      text = applyEdits(text, step.edits);
      assert.equal(history.text, text);
      passed.push({ step, text, version: history.version });
    }
    assert.equal(text, String(ada));
    assert.equal(history.position, history.length);
    assert.equal(passed.length, history.length);
    assert.deepEqual(history.version, ada.version());
    assert.equal(history.next(), undefined);
    const operations = passed.reduce((sum, { step }) => sum + step.to - step.from, 0);
    assert.equal(operations, [...ada.history({ steps: "operation" })].length);
    for (let at = passed.length - 1; at >= 0; at--) {
      const step = history.previous();
      assert.ok(step);
      text = applyEdits(text, step.edits);
      assert.equal(text, passed[at - 1]?.text ?? "");
      const { replica, from, to } = step;
      const { step: there } = passed[at] ?? assert.fail();
      assert.deepEqual([replica, from, to], [there.replica, there.from, there.to]);
    }
    assert.equal(history.previous(), undefined);
    const random = new Random(givenSeed());
    for (let turn = 0; turn < 20; turn++) {
      const position = random.below(history.length + 1);
      text = applyEdits(text, history.seek(position));
      assert.equal(history.position, position);
      assert.equal(text, passed[position - 1]?.text ?? "");
      assert.equal(ada.textAt(history.version), text);
    }
    history.seek(2 ** 32 - 1);
    assert.equal(history.position, history.length);
    refuses("out-of-bounds", () => history.seek(-1));
  }
});

test("a history is a copy, and what was freed says so", () => {
  const doc = new Doc();
  doc.insert(0, "kept");
  const history = doc.history();
  doc.insert(4, " on");
  doc.free();
  history.seek(1);
  assert.equal(history.text, "kept");
  history.free();
  history.free();
  refuses("freed", () => history.text);
  refuses("freed", () => doc.history());
  const authors = new Authors();
  authors.free();
  refuses("freed", () => authors.encode());
  refuses("freed", () => new Doc().history({ authors }));
});

test("authors say who it was, and put steps in the order of time", () => {
  const [ada, bob] = pair();
  ada.insert(0, "second");
  bob.insert(0, "first ");
  sync(ada, bob);
  const authors = new Authors();
  authors.record(BOB, 0, 6, "Bob", 1_000);
  authors.record(ADA, 0, 6, "Ada Lovelace", 2_000);
  authors.record(ADA, 0, 9, "Mallory", 3_000);
  assert.deepEqual(authors.of(ADA, 5), { user: "Ada Lovelace", timeMs: 2_000 });
  assert.deepEqual(authors.of(ADA, 6), { user: "Mallory", timeMs: 3_000 });
  assert.equal(authors.of(ADA, 9), undefined);
  assert.equal(authors.of("0000000000000001", 0), undefined);
  const read = Authors.decode(authors.encode());
  assert.deepEqual(read.entries(), [
    { replica: ADA, from: 0, to: 6, user: "Ada Lovelace", timeMs: 2_000 },
    { replica: ADA, from: 6, to: 9, user: "Mallory", timeMs: 3_000 },
    { replica: BOB, from: 0, to: 6, user: "Bob", timeMs: 1_000 },
  ]);
  const merged = new Authors();
  merged.merge(read);
  assert.deepEqual(merged.encode(), authors.encode());

  using history = ada.history({ authors });
  const steps = [...history];
  assert.deepEqual(steps.map(({ replica, timeMs }) => [replica, timeMs]), [[BOB, 1_000], [ADA, 2_000]]);
  history.seekTime(1_500);
  assert.equal(history.text, "first ");
  history.seekTime(0);
  assert.equal(history.position, 0);
  history.seekTime(Date.now());
  assert.equal(history.position, 2);

  refuses("malformed", () => Authors.decode(new Uint8Array([1])));
  refuses("name-too-long", () => { authors.record(ADA, 0, 1, "x".repeat(1025), 0); });
  refuses("invalid-replica", () => { authors.record("ada", 0, 1, "Ada", 0); });
  refuses("out-of-bounds", () => { authors.record(ADA, -1, 1, "Ada", 0); });
});

test("attribution covers the text, and deleted text says who deleted it", () => {
  const [ada, bob] = pair();
  ada.insert(0, "😀 Hello");
  sync(ada, bob);
  bob.delete(4, 4);
  bob.insert(4, "i");
  sync(ada, bob);
  assert.equal(String(ada), "😀 Hi");
  assert.deepEqual(ada.attribution(), [
    { position: 0, length: 4, replica: ADA, from: 0, to: 3 },
    { position: 4, length: 1, replica: BOB, from: 4, to: 5 },
  ]);
  assert.deepEqual(ada.attribution(2, 4), [{ position: 2, length: 2, replica: ADA, from: 1, to: 3 }]);
  assert.deepEqual(ada.attribution(0, 0), []);
  // The deletion stands behind the insertion at its place or in front of it: both are at 4 or 5.
  const [deleted, ...more] = ada.deletedText();
  assert.ok(deleted);
  assert.deepEqual(more, []);
  assert.equal(deleted.text, "ello");
  assert.deepEqual([deleted.insertedBy, deleted.deletedBy], [{ replica: ADA, seq: 3 }, { replica: BOB, seq: 0 }]);
  assert.ok(deleted.position === 4 || deleted.position === 5);
  assert.deepEqual(ada.deletedText(0, 2), []);
  refuses("out-of-bounds", () => ada.attribution(0, 6));
  refuses("inside-surrogate-pair", () => ada.attribution(1));
  refuses("inverted-range", () => ada.deletedText(3, 2));
});

test("named texts have a past, too", () => {
  const doc = new Doc({ replica: ADA });
  const notes = doc.text("notes");
  const before = doc.version();
  notes.insert(0, "one");
  const version = doc.version();
  notes.delete(0, 3);
  notes.insert(0, "two!");
  assert.equal(notes.textAt(before), "");
  assert.equal(notes.textAt(version), "one");
  assert.equal(notes.sliceAt(version, 1, 3), "ne");
  assert.equal(notes.attribution().reduce((sum, { length }) => sum + length, 0), 4);
  assert.deepEqual(notes.deletedText().map(({ text }) => text), ["one"]);
  doc.restore(version);
  assert.equal(String(notes), "one");
  const other = doc.text("never edited");
  assert.equal(other.textAt(version), "");
  assert.equal(other.sliceAt(version, 0, 0), "");
  assert.deepEqual(other.attribution(), []);
  assert.deepEqual(other.deletedText(), []);
  refuses("out-of-bounds", () => other.sliceAt(version, 0, 1));
});

test("a trimmed document forgets, and refuses what builds on that", () => {
  const [ada, bob] = pair();
  ada.insert(0, "a secret that nobody should keep, and more");
  const old = ada.version();
  sync(ada, bob);
  bob.insert(20, "[typed offline, in the middle of it]");
  assert.ok(ada.canTellSince(new Doc().version()));
  ada.delete(1, 41);
  const events: string[] = [];
  ada.on("change", () => events.push("change"));
  const [before, passed] = [ada.snapshot().length, ada.version()];
  ada.trim(passed);
  assert.deepEqual(ada.floor, passed);
  assert.equal(String(ada), "a");
  assert.ok(ada.snapshot().length < before);
  assert.deepEqual(ada.deletedText(), []);
  assert.deepEqual(events, []);

  refuses("trimmed", () => ada.textAt(old));
  using history = ada.history();
  assert.deepEqual([history.length, history.text, history.version], [0, "a", passed], "it starts where it was trimmed");
  refuses("trimmed", () => ada.restore(old));
  assert.equal(ada.textAt(passed), "a");
  assert.ok(!ada.canTellSince(old));
  const version = ada.version();
  assert.throws(
    () => ada.applyDelta(bob.deltaSince(old)),
    (error: unknown) => error instanceof CrdtError && error.code === "trimmed" && error.message.includes("reload"),
  );
  assert.deepEqual([String(ada), ada.version()], ["a", version]);
  // Who lacks what is gone gets it from a snapshot, not from a delta.
  refuses("trimmed", () => new Doc().applyDelta(ada.deltaSince()));
  const reloaded = Doc.fromSnapshot(ada.snapshot(), { replica: "000000000000000c" });
  assert.deepEqual(reloaded.floor, passed);
  reloaded.insert(1, "nd on");
  ada.applyDelta(reloaded.deltaSince(ada.version()));
  assert.equal(String(ada), "and on");
  using later = ada.history({ steps: "operation" });
  let text = later.text;
  for (const step of later) {
    text = applyEdits(text, step.edits);
  }
  assert.deepEqual([later.length, text], [5, "and on"]);
  assert.equal(String(ada.at(passed)), "a");
});

test("both profiles of a snapshot open as the document", () => {
  const doc = new Doc({ replica: ADA });
  for (let line = 0; line < 200; line++) {
    doc.insert(doc.length, `line ${String(line)}, of many that are alike\n`);
    doc.delete(doc.length - 6, 2);
  }
  doc.mark(0, 4, "bold", true);
  const [fast, compact] = [doc.snapshot(), doc.snapshot({ profile: "compact" })];
  assert.deepEqual(doc.snapshot({ profile: "fast" }), fast);
  assert.ok(compact.length < fast.length, `${String(compact.length)} ${String(fast.length)}`);
  for (const bytes of [fast, compact]) {
    const loaded = Doc.fromSnapshot(bytes);
    assert.deepEqual(loaded.runs(), doc.runs());
    assert.deepEqual(loaded.version(), doc.version());
    assert.equal(loaded.history().length, doc.history().length);
  }
});
