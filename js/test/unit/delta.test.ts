import assert from "node:assert/strict";
import { test } from "node:test";
import { CrdtError, deltaVersion, diffDelta, Doc, mergeDeltas, validateDelta } from "crdt-js";

const ADA = "000000000000000a";

function keystrokes(): { doc: Doc; deltas: Uint8Array[] } {
  const doc = new Doc({ replica: ADA });
  const deltas: Uint8Array[] = [];
  doc.on("delta", (delta) => deltas.push(delta));
  for (const [position, letter] of Array.from("night").entries()) {
    doc.insert(position, letter);
  }
  return { doc, deltas };
}

test("deltas merge into one, which says the same in fewer bytes", () => {
  const { doc, deltas } = keystrokes();
  const merged = mergeDeltas(deltas);
  assert.ok(merged.length < deltas.reduce((sum, { length }) => sum + length, 0) / 3);
  const other = new Doc();
  other.applyDelta(merged);
  assert.equal(String(other), "night");
  assert.deepEqual(other.version(), doc.version());
  assert.deepEqual(mergeDeltas([...deltas, merged].reverse()), merged);
  assert.deepEqual(mergeDeltas([mergeDeltas(deltas.slice(2)), mergeDeltas(deltas.slice(0, 3))]), merged);
  // Longer than one byte of length.
  const long = new Doc();
  long.insert(0, "x".repeat(100_000));
  const both = mergeDeltas([long.deltaSince(), merged]);
  other.applyDelta(both);
  assert.equal(other.length, 100_005);
  assert.deepEqual(validateDelta(mergeDeltas([])), { operations: 0, runs: 0, replicas: 0, textBytes: 0, values: 0 });
});

test("what a version lacks of a delta is cut out of it", () => {
  const { doc, deltas } = keystrokes();
  const all = doc.deltaSince();
  const seen = new Doc();
  seen.applyDelta(mergeDeltas(deltas.slice(0, 2)));
  assert.deepEqual(diffDelta(all, seen.version()), doc.deltaSince(seen.version()));
  assert.equal(diffDelta(all, doc.version()).length, 3);
  assert.deepEqual(diffDelta(all, new Doc().version()), all);
});

test("a delta says which operations it holds, and how much", () => {
  const { doc, deltas } = keystrokes();
  const [one, , three, four] = deltas;
  assert.ok(one && three && four);
  const version = deltaVersion(mergeDeltas([three, four, one]));
  assert.deepEqual(version.ranges, [{ replica: ADA, from: 0, to: 1 }, { replica: ADA, from: 2, to: 4 }]);
  assert.deepEqual(version.start, new Doc().version());
  assert.deepEqual(deltaVersion(doc.deltaSince()).end, doc.version());
  doc.insertEmbed(0, { image: "x" });
  doc.delete(3, 1);
  const summary = validateDelta(doc.deltaSince());
  assert.deepEqual(summary, { operations: 7, runs: 3, replicas: 1, textBytes: 5 + 3, values: 1 });
});

test("what is no delta is refused with a code, and so are two of one name", () => {
  const { deltas } = keystrokes();
  const [delta] = deltas;
  assert.ok(delta);
  const empty = new Doc().version();
  for (const bytes of [new Uint8Array(), new Uint8Array([250]), new Uint8Array(50).fill(255), delta.slice(0, -1)]) {
    for (const use of [
      () => mergeDeltas([delta, bytes]),
      () => diffDelta(bytes, empty),
      () => deltaVersion(bytes),
      () => validateDelta(bytes),
      () => diffDelta(delta, bytes.length === 0 ? bytes : Uint8Array.from([255, ...bytes])),
    ]) {
      assert.throws(use, (error: unknown) => error instanceof CrdtError && error.code !== "");
    }
  }
  const twin = new Doc({ replica: ADA });
  twin.insert(0, "other");
  assert.throws(
    () => mergeDeltas([delta, twin.deltaSince()]),
    (error: unknown) => error instanceof CrdtError && error.code === "replica-collision",
  );
});
