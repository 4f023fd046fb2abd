import assert from "node:assert/strict";
import { test } from "node:test";
import { CrdtError, Doc, Log } from "crdt-js";

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function refuses(code: string, use: () => unknown): void {
  assert.throws(use, (error: unknown) => error instanceof CrdtError && error.code === code && error.message !== "");
}

/** A document whose edits go to a log. */
function kept(): { doc: Doc; log: Log; parts: Uint8Array[] } {
  const [doc, log] = [new Doc(), new Log()];
  const parts = [log.begin()];
  doc.on("delta", (delta) => parts.push(log.append(delta)));
  return { doc, log, parts };
}

test("what was appended is replayed, and goes on", () => {
  const { doc, log, parts } = kept();
  doc.insert(0, "Kept");
  doc.mark(0, 4, "bold", true);
  doc.text("notes").insert(0, "also");
  const bytes = joined(parts);
  assert.equal(log.length, bytes.length);
  assert.deepEqual(log.begin(), new Uint8Array(), "only once");
  const replayed = Log.replay(bytes, { replica: "000000000000000a" });
  assert.equal(replayed.deltas, 3);
  assert.equal(replayed.tornTail, undefined);
  assert.equal(replayed.doc.replica, "000000000000000a");
  assert.deepEqual(replayed.doc.runs(), doc.runs());
  assert.equal(String(replayed.doc.text("notes")), "also");
  replayed.doc.on("delta", (delta) => parts.push(replayed.log.append(delta)));
  replayed.doc.insert(4, " on");
  assert.equal(String(Log.replay(joined(parts)).doc), "Kept on");
  assert.deepEqual(log.append(new Uint8Array()), new Uint8Array());
});

test("an empty log holds an empty document", () => {
  const { doc, deltas, tornTail } = Log.replay(new Log().begin());
  assert.deepEqual([String(doc), deltas, tornTail], ["", 0, undefined]);
});

test("a torn tail is reported wherever it is torn, and what comes behind the sound part is found", () => {
  const { doc, parts } = kept();
  doc.insert(0, "sound");
  const sound = joined(parts);
  doc.insert(5, ", torn");
  const bytes = joined(parts);
  for (let length = sound.length + 1; length < bytes.length; length++) {
    const replayed = Log.replay(bytes.slice(0, length));
    assert.equal(String(replayed.doc), "sound");
    assert.deepEqual(replayed.tornTail, { offset: sound.length, bytes: length - sound.length });
    assert.equal(replayed.log.length, sound.length);
    const stored = [sound];
    replayed.doc.on("delta", (delta) => stored.push(replayed.log.append(delta)));
    replayed.doc.insert(5, " again");
    assert.equal(String(Log.replay(joined(stored)).doc), "sound again");
  }
});

test("a bad record in front of a good one is an error that says where", () => {
  const { doc, parts } = kept();
  doc.insert(0, "one");
  doc.insert(3, "two");
  const bytes = joined(parts);
  const offset = parts[0]?.length ?? 0;
  bytes[offset + 9] = (bytes[offset + 9] ?? 0) ^ 1;
  refuses("damaged", () => Log.replay(bytes));
  assert.throws(() => Log.replay(bytes), { message: new RegExp(`byte ${String(offset)}`) });
  refuses("malformed", () => Log.replay(new Uint8Array([1, 2, 3])));
  refuses("malformed", () => Log.replay(doc.snapshot()));
});

test("compacting leaves one snapshot, and loses nothing", () => {
  const { doc, log, parts } = kept();
  for (let turn = 0; turn < 100; turn++) {
    doc.insert(0, "line\n");
    doc.delete(1, 2);
  }
  assert.ok(log.tailBytes > log.snapshotBytes);
  const before = log.length;
  const compacted = [log.compact(doc)];
  assert.ok(log.length < before / 4, `${String(log.length)} of ${String(before)}`);
  assert.equal(log.tailBytes, 0);
  doc.on("delta", () => compacted.push(parts.at(-1) ?? assert.fail()));
  doc.insert(0, "after\n");
  const replayed = Log.replay(joined(compacted));
  assert.equal(replayed.deltas, 1);
  assert.equal(String(replayed.doc), String(doc));
  assert.equal(replayed.doc.history().length, doc.history().length);
  assert.ok(replayed.log.snapshotBytes > 0);

  refuses("lacking", () => log.compact(new Doc()));
  // A log that starts with a document that is there already.
  const started = Log.replay(new Log().compact(doc));
  assert.equal(String(started.doc), String(doc));
});

test("what is refused was not appended, and what was freed says so", () => {
  const { doc, log, parts } = kept();
  doc.insert(0, "text");
  const length = log.length;
  refuses("malformed", () => log.append(new Uint8Array([1, 2, 3])));
  assert.equal(log.length, length);
  doc.insert(0, "more ");
  assert.equal(String(Log.replay(joined(parts)).doc), "more text");
  const other = new Doc();
  other.free();
  refuses("freed", () => log.compact(other));
  log.free();
  log.free();
  refuses("freed", () => log.length);
});
