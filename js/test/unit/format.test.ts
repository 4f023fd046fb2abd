// A decoder that was written after docs/format.md alone reads what the library writes, and refuses what that refuses.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Authors, Doc, Log } from "crdt-js";
import { broken, type Broken, hex, sound } from "../format/broken.js";
import { type Anchor, anchorText, crc32c, type Id, idText } from "../format/bytes.js";
import { anchorShape, deltaShape, Names, Refused, shapes, snapshotShape, versionShape } from "../format/decoder.js";
import { decodeDelta, isInsertion, operationCount } from "../format/delta.js";
import { all, folder } from "../format/golden.js";
import { decodeSnapshot, type Snapshot } from "../format/snapshot.js";
import { orderOf } from "../format/time.js";
import { givenSeed, Random } from "../random.js";

for (const { name, format, bytes, expected } of all()) {
  test(`${name} holds what stands beside it`, () => {
    assert.deepEqual(shapes[format]?.(bytes), expected);
    if (format === "snapshot") {
      consistent(decodeSnapshot(bytes));
    }
  });
}

/** What a snapshot says twice it says alike. */
function consistent({ elements, deletions, floors, leftTaken }: Snapshot): void {
  const order = elements.map(({ id }) => idText(id));
  const trimmed = floors.some((floor) => floor > 0);
  assert.deepEqual(orderOf(elements), order, "the order is that of the placements");
  const taken = new Set(elements.flatMap(({ placed: { side, of } }) => (side === "after" ? [of && idText(of)] : [])));
  for (const { first, taken: said } of leftTaken) {
    if (!trimmed) {
      assert.equal(said, taken.has(order[first - 1]), `left of ${String(order[first])} taken`);
    }
  }
  const shown = new Set(elements.filter(({ shows }) => shows).map(({ id }) => idText(id)));
  for (const { target } of deletions) {
    assert.ok(!shown.has(idText(target)), "what was deleted hides");
  }
}

function examples(): Map<string, Uint8Array> {
  const page = readFileSync(join(process.cwd(), "../docs/format.md"), "utf8");
  return new Map(
    [...page.matchAll(/^```hex (.*)\n([^]*?)\n```$/gm)].map(([, name = "", text = ""]) => [
      name,
      hex(text.replace(/;.*/g, " ").replace(/\s+/g, " ")),
    ]),
  );
}

test("the examples of the page are read", () => {
  const page = examples();
  const names = new Names();
  const read = (name: string): unknown => {
    const bytes = page.get(name) ?? assert.fail(`there is no example ${name}`);
    page.delete(name);
    if (name.startsWith("named")) {
      return deltaShape(bytes, names);
    }
    return name.startsWith("anchor") ? anchorShape(bytes) : shapes[name.replace(/[: ].*/, "")]?.(bytes);
  };
  const [ada, bob] = ["8877665544332211", "0102030405060708"];
  const delta = (...operations: unknown[]): unknown => ({ format: "delta", operations });
  assert.deepEqual(page.get("CRC-32C of 123456789"), Uint8Array.of(0x83, 0x92, 0x06, 0xe3));
  assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
  page.delete("CRC-32C of 123456789");
  assert.deepEqual(
    read("delta: a letter typed on"),
    delta({ id: `${ada}:300`, insert: "x", placed: `after ${ada}:299` }),
  );
  assert.deepEqual(
    read("delta: text before an element of somebody else"),
    delta({ id: `${ada}:300`, insert: "naïve 😀", placed: `before ${bob}:5` }),
  );
  assert.deepEqual(
    read("delta: three elements deleted downwards"),
    delta({ id: `${ada}:301`, delete: `${ada}:299`, count: 3, down: true }),
  );
  assert.deepEqual(
    read("delta: a table of three runs"),
    delta(
      { id: `${bob}:4`, insert: "y", placed: `after ${ada}:0` },
      { id: `${ada}:0`, insert: "hé", placed: "start" },
      { id: `${ada}:2`, delete: `${ada}:1`, count: 1, down: false },
    ),
  );
  assert.deepEqual(read("delta: nothing"), delta());
  assert.deepEqual(
    read("delta: text, an embed and a mark"),
    delta(
      { id: `${ada}:0`, insert: "hi", placed: "start" },
      { id: `${ada}:2`, value: { kind: "embed", json: '{"image":"a.png"}' }, placed: `after ${ada}:1` },
      {
        id: `${ada}:3`,
        value: {
          kind: "mark",
          stamp: 1,
          start: `before ${ada}:0`,
          end: `before ${ada}:2`,
          name: "bold",
          json: "true",
        },
        placed: "start",
      },
    ),
  );
  assert.deepEqual(read("named delta 1: a first letter"), delta({ id: `${ada}:0`, insert: "h", placed: "start" }));
  assert.deepEqual(read("named delta 2: typed on"), delta({ id: `${ada}:1`, insert: "i", placed: `after ${ada}:0` }));
  assert.deepEqual(
    read("named delta 3: somebody else, after the second letter"),
    delta({ id: `${bob}:0`, insert: "!", placed: `after ${ada}:1` }),
  );
  assert.deepEqual(
    read("named delta 4: the first letter is deleted"),
    delta({ id: `${ada}:2`, delete: `${ada}:0`, count: 1, down: false }),
  );
  assert.deepEqual(
    read("named delta 5: a table"),
    delta(
      { id: `${ada}:3`, insert: "o", placed: `before ${ada}:0` },
      { id: `${ada}:4`, delete: `${ada}:3`, count: 1, down: false },
    ),
  );
  assert.deepEqual(read("version vector"), { format: "version", seen: { [bob]: 5, [ada]: 302 } });
  assert.deepEqual(read("anchor: behind an element"), { format: "anchor", anchor: `after ${ada}:300` });
  assert.deepEqual(read("anchor: the start"), { format: "anchor", anchor: "start" });
  const hi = { format: "delta", operations: [{ id: `${ada}:0`, insert: "hi", placed: "start" }] };
  const records = [{ kind: "D", delta: hi }];
  assert.deepEqual(read("log"), { format: "log", id: "0000000000005eed", records, torn: 0 });
  assert.deepEqual([...page.keys()], [], "every example is read");
});

/** Whether crdt-js takes it. */
function taken({ format, bytes }: Broken): boolean {
  const doc = new Doc();
  const takes = (read: () => void): boolean => {
    try {
      read();
      return true;
    } catch {
      return false;
    }
  };
  switch (format) {
    case "delta":
      return takes(() => doc.applyDelta(bytes));
    case "snapshot":
      return takes(() => Doc.fromSnapshot(bytes).deltaSince());
    case "version":
      return takes(() => doc.deltaSince(bytes));
    case "anchor":
      return takes(() => doc.resolveAnchor(bytes));
    case "log":
      return takes(() => Log.replay(bytes));
    case "authors":
      return takes(() => Authors.decode(bytes));
  }
}

test("what was broken was sound before", () => {
  for (const one of sound()) {
    const name = `${one.format}: ${one.rule}`;
    assert.doesNotThrow(() => shapes[one.format]?.(one.bytes), name);
    assert.ok(taken(one), name);
  }
});

test("what is broken is refused by this decoder, by crdt-js, and by the test of the same list in Rust", () => {
  const list = broken(folder);
  const wrong: string[] = [];
  for (const one of list) {
    const name = `${one.format}: ${one.rule}`;
    try {
      shapes[one.format]?.(one.bytes);
      wrong.push(`${name} is decoded`);
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw new Error(name, { cause: error });
      }
    }
    if (taken(one)) {
      wrong.push(`${name} is taken by crdt-js`);
    }
  }
  const names = list.map(({ format, rule }) => `${format}: ${rule}`);
  assert.equal(new Set(names).size, names.length);
  // crdt-core reads it: in crdt-testkit/tests/golden.rs.
  const lines = list.map(({ format, rule, bytes }) =>
    JSON.stringify({ format, rule, hex: Buffer.from(bytes).toString("hex") }),
  );
  const file = join(folder, "refused.json");
  const text = `[\n${lines.join(",\n")}\n]\n`;
  if (process.env["GOLDEN"] === "write") {
    writeFileSync(file, text);
  }
  assert.equal(readFileSync(file, "utf8"), text, "written anew by GOLDEN=write");
  assert.deepEqual(wrong, []);
});

test("snapshots of documents edited at random are read as what their deltas say", () => {
  const random = new Random(givenSeed());
  for (let round = 0; round < 30; round += 1) {
    const docs = ["0000000000000005", "00000000000000ff", "ffffffffffffff00"].map((replica) => new Doc({ replica }));
    const steps = 1 + random.below(60);
    for (let step = 0; step < steps; step += 1) {
      edit(random.pick(docs), docs, random);
    }
    for (const doc of docs) {
      const bytes = doc.snapshot();
      const shape = snapshotShape(bytes);
      const snapshot = decodeSnapshot(bytes);
      consistent(snapshot);
      assert.equal(shape["text"], doc.toString());
      const version = versionShape(doc.version()) as { seen: unknown };
      assert.deepEqual(shape["version"], version.seen);
      sameAsDelta(snapshot, doc.deltaSince());
      const shown = doc
        .runs()
        .map((run) =>
          "text" in run
            ? { text: run.text, marks: run.marks ?? {} }
            : { embed: JSON.stringify(run.embed), marks: run.marks ?? {} },
        );
      const runs = (shape["runs"] as { marks: Record<string, string> }[]).map((run) => ({
        ...run,
        marks: Object.fromEntries(Object.entries(run.marks).map(([name, json]) => [name, JSON.parse(json) as unknown])),
      }));
      assert.deepEqual(runs, shown);
    }
  }
});

/** Every element with its text and place, and every deletion. */
function sameAsDelta({ elements, deletions, pending }: Snapshot, delta: Uint8Array): void {
  const operations = decodeDelta(delta);
  if (operations === "trimmed") {
    return assert.fail("nothing was trimmed");
  }
  const behind = ({ replica, seq }: Id, more: number): Id => ({ replica, seq: seq + more });
  const made = (id: Id, text: string | undefined, placed: Anchor): string =>
    `${idText(id)} ${text ?? ""} ${anchorText(placed)}`;
  const deletes = (id: Id, target: Id): string => `${idText(id)} deletes ${idText(target)}`;
  const told: string[] = [];
  for (const operation of operations) {
    for (let index = 0; index < operationCount(operation); index += 1) {
      const id = behind(operation.id, index);
      if (isInsertion(operation)) {
        const placed = index === 0 ? operation.placed : ({ side: "after", of: behind(id, -1) } as const);
        told.push(made(id, operation.text[index], placed));
      } else {
        told.push(deletes(id, behind(operation.target, operation.down ? -index : index)));
      }
    }
  }
  const held = elements.map(({ id, text, placed }) => made(id, text, placed));
  held.push(...deletions.map(({ id, target }) => deletes(id, target)));
  assert.equal(pending.length, 0);
  assert.deepEqual(held.sort(), told.sort());
}

function edit(doc: Doc, docs: readonly Doc[], random: Random): void {
  const at = random.below(doc.length + 1);
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2:
      doc.insert(
        place(doc, at),
        random.pick(["a", "bc", "é", "😀", "日本", "plain text ".repeat(1 + random.below(40))]),
      );
      break;
    case 3:
    case 4: {
      const from = place(doc, at);
      const to = place(doc, Math.min(doc.length, from + random.below(6)));
      if (to > from) {
        doc.delete(from, to - from);
      }
      break;
    }
    case 5: {
      const from = place(doc, at);
      const to = place(doc, Math.min(doc.length, from + 1 + random.below(9)));
      if (to > from) {
        doc.mark(from, to - from, random.pick(["bold", "link"]), random.pick([true, null, 7]));
      }
      break;
    }
    case 6:
      doc.insertEmbed(place(doc, at), { n: random.below(9) });
      break;
    default: {
      const other = random.pick(docs);
      doc.applyDelta(other.deltaSince(doc.version()));
    }
  }
}

/** The position, or the one in front of the scalar value that it would be in the middle of. */
function place(doc: Doc, position: number): number {
  const unit = doc.toString().charCodeAt(position);
  return unit >= 0xdc00 && unit < 0xe000 ? position - 1 : position;
}
