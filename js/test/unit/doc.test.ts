import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits, type ChangeEvent, Doc, type TextEdit } from "crdt-js";
import { givenSeed, Random } from "../random.js";

function pair(): [Doc, Doc] {
  return [new Doc({ replica: "0000000000000001" }), new Doc({ replica: "0000000000000002" })];
}

test("two copies that exchange deltas hold one text", () => {
  const [a, b] = pair();
  a.insert(0, "hello");
  b.applyDelta(a.deltaSince(b.version()));
  a.insert(5, " world");
  b.insert(0, "> ");
  b.applyDelta(a.deltaSince(b.version()));
  a.applyDelta(b.deltaSince(a.version()));
  assert.equal(a.toString(), "> hello world");
  assert.equal(b.toString(), a.toString());
  assert.equal(b.length, 13);
  assert.equal(b.slice(2, 7), "hello");
});

test("positions count UTF-16 code units", () => {
  const [a, b] = pair();
  a.insert(0, "😀é漢");
  a.insert(2, "x");
  assert.equal(a.toString(), "😀xé漢");
  const edits = b.applyDelta(a.deltaSince());
  assert.equal(applyEdits("", edits), "😀xé漢");
  a.delete(0, 2);
  assert.deepEqual(b.applyDelta(a.deltaSince(b.version())), [{ type: "delete", position: 0, length: 2 }]);
});

test("a transaction leaves as one delta and one change event", () => {
  const [a, b] = pair();
  const events: string[] = [];
  const deltas: Uint8Array[] = [];
  a.on("change", ({ edits, origin, local }) => events.push(`change ${String(edits.length)} ${String(origin)} ${String(local)}`));
  a.on("delta", (delta) => {
    events.push("delta");
    deltas.push(delta);
  });
  const delta = a.transact(() => {
    a.insert(0, "one two");
    a.delete(3, 1);
    a.transact(() => {
      a.insert(3, ", ");
    });
  }, "me");
  assert.deepEqual(events, ["change 3 me true", "delta"]);
  assert.deepEqual(deltas, [delta]);
  assert.ok(delta);
  b.applyDelta(delta);
  assert.equal(b.toString(), "one, two");
});

test("a transaction without edits gives nothing", () => {
  const [a] = pair();
  a.on("change", () => assert.fail("no event expected"));
  a.on("delta", () => assert.fail("no event expected"));
  assert.equal(a.transact(() => undefined), undefined);
  a.insert(0, "");
  a.delete(0, 0);
});

test("an error in a transaction keeps its edits and sends them", () => {
  const [a, b] = pair();
  a.on("delta", (delta) => b.applyDelta(delta));
  assert.throws(
    () =>
      a.transact(() => {
        a.insert(0, "kept");
        throw new TypeError("mine");
      }),
    { name: "TypeError", message: "mine" },
  );
  a.insert(4, "!");
  assert.equal(b.toString(), "kept!");
});

test("a listener may edit: its events follow, in the same order for all", () => {
  const [a, b] = pair();
  const seen: string[] = [];
  const record = (who: string) => (event: ChangeEvent) => {
    seen.push(`${who}${event.edits.map((edit) => (edit.type === "insert" ? edit.text : "-")).join("")}`);
  };
  a.on("change", record("1"));
  const stop = a.on("change", () => {
    stop();
    a.insert(1, "b");
  });
  a.on("change", record("2"));
  a.on("delta", (delta) => b.applyDelta(delta));
  a.insert(0, "a");
  assert.deepEqual(seen, ["1a", "2a", "1b", "2b"]);
  assert.equal(b.toString(), "ab");
});

test("a listener that throws harms nobody and is reported", async () => {
  const [a, b] = pair();
  const reported = new Promise<unknown>((resolve) => {
    process.setUncaughtExceptionCaptureCallback(resolve);
  });
  a.on("change", () => {
    throw new Error("bad listener");
  });
  a.on("delta", (delta) => b.applyDelta(delta));
  a.insert(0, "fine");
  assert.equal(b.toString(), "fine");
  assert.equal(String(await reported), "Error: bad listener");
  process.setUncaughtExceptionCaptureCallback(null);
});

test("one listener added twice is heard twice and can stop once", () => {
  const [a] = pair();
  let heard = 0;
  const listener = (): void => {
    heard++;
  };
  const stop = a.on("change", listener);
  a.on("change", listener);
  a.insert(0, "x");
  stop();
  stop();
  a.insert(0, "x");
  assert.equal(heard, 3);
});

test("deltas may come twice and out of order; what waits is reported", () => {
  const [a, b] = pair();
  const deltas: Uint8Array[] = [];
  a.on("delta", (delta) => deltas.push(delta));
  a.insert(0, "a");
  a.insert(1, "b");
  const [first, second] = deltas;
  assert.ok(first && second);
  assert.deepEqual(b.applyDelta(second), []);
  assert.deepEqual(b.pending(), { operations: 1, missing: [{ replica: a.replica, from: 0, to: 1 }] });
  b.applyDelta(first);
  b.applyDelta(first);
  assert.equal(b.toString(), "ab");
  assert.deepEqual(b.pending(), { operations: 0, missing: [] });
});

test("a snapshot opens as another replica", () => {
  const [a] = pair();
  a.insert(0, "state");
  const c = Doc.fromSnapshot(a.snapshot());
  assert.equal(c.toString(), "state");
  assert.notEqual(c.replica, a.replica);
  c.insert(5, "s");
  a.applyDelta(c.deltaSince(a.version()));
  assert.equal(a.toString(), "states");
});

test("an anchor stays beside its character, in every copy", () => {
  const [a, b] = pair();
  a.insert(0, "hello 😀 world");
  b.applyDelta(a.deltaSince());
  const before = a.anchorAt(9, "before");
  const after = a.anchorAt(5, "after");
  b.insert(0, ">> ");
  b.delete(3, 5);
  assert.equal(b.resolveAnchor(before), 7);
  assert.equal(b.resolveAnchor(after), 3);
  a.insert(14, "!");
  assert.equal(b.resolveAnchor(a.anchorAt(14, "before")), undefined);
});

test("events replayed on a string give the text, in random histories", () => {
  const random = new Random(givenSeed());
  const docs = [1, 2, 3].map((replica) => new Doc({ replica: replica.toString(16).padStart(16, "0") }));
  const shown = docs.map(() => "");
  docs.forEach((doc, index) => {
    doc.on("change", ({ edits }) => {
      shown[index] = applyEdits(shown[index] ?? "", edits);
    });
  });
  for (let round = 0; round < 400; round++) {
    const doc = random.pick(docs);
    if (random.fraction() < 0.3) {
      doc.applyDelta(random.pick(docs).deltaSince(doc.version()));
    } else {
      editAtRandom(doc, random);
    }
    docs.forEach((each, index) => {
      assert.equal(shown[index], each.toString());
    });
  }
  for (const to of docs) {
    for (const from of docs) {
      to.applyDelta(from.deltaSince(to.version()));
    }
  }
  assert.equal(new Set(docs.map(String)).size, 1);
});

function editAtRandom(doc: Doc, random: Random): TextEdit[] {
  const characters = Array.from(doc.toString());
  const at = random.below(characters.length + 1);
  const position = characters.slice(0, at).join("").length;
  if (random.fraction() < 0.6) {
    doc.insert(position, random.pick(["a", "bc", "😀", "漢字", "\n", "x😀y", "\ufeff"]));
  } else {
    doc.delete(position, characters.slice(at, at + random.below(4)).join("").length);
  }
  return [];
}

test("freed, a document refuses everything and stays silent", () => {
  const [a] = pair();
  a.on("change", () => assert.fail("no event expected"));
  a.free();
  a.free();
  for (const use of [() => a.length, () => a.toString(), () => { a.insert(0, "x"); }, () => a.transact(() => undefined)]) {
    assert.throws(use, { name: "CrdtError", code: "freed" });
  }
});

test("a document can be disposed of", () => {
  const [a] = pair();
  a[Symbol.dispose]();
  assert.throws(() => a.length, { code: "freed" });
});
