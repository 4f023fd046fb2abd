// crdt-js opens every golden file for ever, and shows what stands beside it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Authors, Doc, Log, type TextRun } from "crdt-js";
import { all, type Golden, read } from "../format/golden.js";

type Shape = Record<string, unknown>;

const parsed = (values: Record<string, string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, json]) => [name, JSON.parse(json) as unknown]));

/** What stands beside golden files as texts of JSON, as values. */
function expectedRuns(runs: unknown): unknown[] {
  return (runs as { text?: string; embed?: string; marks: Record<string, string> }[]).map(({ text, embed, marks }) => ({
    ...(embed === undefined ? { text } : { embed: JSON.parse(embed) as unknown }),
    ...(Object.keys(marks).length > 0 && { marks: parsed(marks) }),
  }));
}

function shows(doc: Doc, expected: Shape): void {
  assert.equal(doc.toString(), expected["text"]);
  assert.deepEqual<unknown[]>(doc.runs() satisfies TextRun[], expectedRuns(expected["runs"]));
  assert.deepEqual(Object.fromEntries(doc.registers()), parsed(expected["registers"] as Record<string, string>));
  const sequences = expected["sequences"] as { kind: string; name: string; runs?: unknown; values?: string[] }[];
  assert.equal(doc.sequences().length, sequences.length);
  for (const { kind, name, runs, values } of sequences) {
    if (kind === "text") {
      assert.deepEqual<unknown[]>(doc.text(name).runs(), expectedRuns(runs));
    } else {
      assert.deepEqual(
        doc.list(name).values(),
        values?.map((json) => JSON.parse(json) as unknown),
      );
    }
  }
  const waiting = expected["pending"] as { insert?: string; count?: number }[];
  const operations = waiting.map(({ insert, count }) => count ?? Array.from(insert ?? "_").length);
  assert.equal(
    doc.pending().operations,
    operations.reduce((sum, count) => sum + count, 0),
  );
}

function opens({ name, bytes, expected }: Golden): void {
  const doc = Doc.fromSnapshot(bytes);
  shows(doc, expected);
  shows(Doc.fromSnapshot(doc.snapshot()), expected);
  const floors = expected["floors"] as Shape;
  if (Object.keys(floors).length === 0) {
    const told = new Doc();
    told.applyDelta(doc.deltaSince());
    shows(told, expected);
  } else {
    assert.throws(() => new Doc().applyDelta(doc.deltaSince()), { code: "trimmed" }, name);
  }
}

/** What shows once a golden delta was applied to an empty document; of the others all waits. */
const texts: Record<string, string> = {
  "insert-at-start.delta": "Hello",
  "table.delta": "h",
  "rich.delta": read("rich.snapshot").expected["text"] as string,
};

function applies({ name, bytes, expected }: Golden): void {
  const doc = new Doc();
  if (expected["trimmed"] === true) {
    assert.throws(() => doc.applyDelta(bytes), { code: "trimmed" });
    return;
  }
  for (let times = 0; times < 2; times += 1) {
    doc.applyDelta(bytes);
    assert.equal(doc.toString(), texts[name] ?? "");
  }
  const empty = (expected["operations"] as unknown[]).length === 0;
  assert.equal(doc.pending().operations > 0, texts[name] === undefined ? !empty : name === "table.delta");
}

test("golden logs are replayed", () => {
  for (const name of ["compacted.log", "torn.log"]) {
    const { bytes, expected } = read(name);
    const { doc, deltas, tornTail } = Log.replay(bytes);
    assert.equal(doc.toString(), "compacted and on");
    assert.equal(deltas, (expected["records"] as { kind: string }[]).filter(({ kind }) => kind === "D").length);
    assert.equal(tornTail?.bytes ?? 0, expected["torn"]);
  }
});

test("golden authors are read", () => {
  const { bytes, expected } = read("users.authors");
  const entries = Authors.decode(bytes).entries();
  const rows = entries.map(({ replica, from, to, user, timeMs: time }) => ({ replica, from, to, user, time }));
  assert.deepEqual<unknown>(rows, expected["rows"]);
});

for (const golden of all()) {
  if (golden.format === "snapshot") {
    test(`${golden.name} opens`, () => {
      opens(golden);
    });
  }
  if (golden.format === "delta") {
    test(`${golden.name} is applied`, () => {
      applies(golden);
    });
  }
}
