import assert from "node:assert/strict";
import { test } from "node:test";
import { CrdtError, Doc } from "crdt-js";

function refuses(code: string, use: () => unknown): void {
  assert.throws(use, (error: unknown) => {
    assert.ok(error instanceof CrdtError, String(error));
    assert.equal(error.name, "CrdtError");
    assert.equal(error.code, code);
    assert.notEqual(error.message, "");
    return true;
  });
}

test("every refusal has its code and changes nothing", () => {
  const doc = new Doc({ replica: "0000000000000001" });
  doc.insert(0, "a😀b");
  const version = doc.version();
  doc.on("change", () => assert.fail("no event expected"));

  refuses("out-of-bounds", () => { doc.insert(5, "x"); });
  refuses("out-of-bounds", () => { doc.insert(-1, "x"); });
  refuses("out-of-bounds", () => { doc.insert(0.5, "x"); });
  refuses("out-of-bounds", () => { doc.insert(NaN, "x"); });
  refuses("out-of-bounds", () => { doc.insert(2 ** 32, "x"); });
  refuses("out-of-bounds", () => { doc.delete(3, 2); });
  refuses("out-of-bounds", () => doc.slice(0, 9));
  refuses("out-of-bounds", () => doc.anchorAt(9, "before"));
  refuses("inverted-range", () => doc.slice(3, 1));
  refuses("inside-surrogate-pair", () => { doc.insert(2, "x"); });
  refuses("inside-surrogate-pair", () => { doc.delete(1, 1); });
  refuses("inside-surrogate-pair", () => doc.slice(0, 2));
  refuses("ill-formed-text", () => { doc.insert(0, "\ud83d"); });
  refuses("ill-formed-text", () => { doc.insert(0, "\ude00\ud83d"); });
  refuses("invalid-replica", () => new Doc({ replica: "1" }));
  refuses("in-transaction", () => doc.transact(() => doc.applyDelta(new Uint8Array())));

  assert.equal(doc.toString(), "a😀b");
  assert.deepEqual(doc.version(), version);
});

test("bytes that are not ours are refused and change nothing", () => {
  const doc = new Doc({ replica: "0000000000000001" });
  doc.insert(0, "text");
  const other = new Doc({ replica: "0000000000000002" });
  other.insert(0, "some other text");
  const delta = other.deltaSince();
  const version = doc.version();
  for (const bytes of [new Uint8Array(), new Uint8Array([250]), new Uint8Array(100).fill(255), delta.slice(0, -1)]) {
    for (const use of [
      () => doc.applyDelta(bytes),
      () => Doc.fromSnapshot(bytes),
      () => doc.deltaSince(bytes),
      () => doc.resolveAnchor(bytes),
    ]) {
      assert.throws(use, (error: unknown) => error instanceof CrdtError && error.code !== "");
    }
  }
  for (let at = 0; at < delta.length; at++) {
    const wrong = delta.slice();
    wrong[at] = (wrong[at] ?? 0) ^ 0x55;
    try {
      new Doc().applyDelta(wrong);
    } catch (error) {
      assert.ok(error instanceof CrdtError, String(error));
    }
  }
  assert.equal(doc.toString(), "text");
  assert.deepEqual(doc.version(), version);
});

test("two copies under one replica id are found out", () => {
  const a = new Doc({ replica: "0000000000000001" });
  const b = new Doc({ replica: "0000000000000001" });
  a.insert(0, "a");
  b.insert(0, "b");
  refuses("replica-collision", () => a.applyDelta(b.deltaSince()));
  assert.equal(a.toString(), "a");
});
