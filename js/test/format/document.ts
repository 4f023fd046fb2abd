// What a snapshot means: the shapes that golden files have.

import { type Anchor, anchorText, compareIds, type Id, idText } from "./bytes.js";
import { operationShapes, type Value, valueShape } from "./delta.js";
import { type Deleted, decodeSnapshot, type Element, type Snapshot } from "./snapshot.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export function snapshotShape(bytes: Uint8Array): Record<string, unknown> {
  return shapeOf(decodeSnapshot(bytes));
}

export function shapeOf(snapshot: Snapshot): Record<string, unknown> {
  const { order, version, floors, elements, deletions, values, pending, unknown } = snapshot;
  const counts = (of: (place: number) => number): Record<string, number> =>
    Object.fromEntries(
      version.map(({ replica }, place) => [replica, of(place)] as const).filter(([, count]) => count !== 0),
    );
  const floorOf = new Map(version.map(({ replica }, place) => [replica, floors[place] ?? 0]));
  const sequence = new Reading(elements, snapshot);
  return {
    format: "snapshot",
    order,
    version: counts((place) => version[place]?.operations ?? 0),
    floors: counts((place) => floors[place] ?? 0),
    text: sequence.main.map(({ text }) => text).join(""),
    runs: sequence.runs(sequence.main),
    registers: sequence.registers(),
    sequences: sequence.sequences(),
    elements: elementRuns(elements, ({ replica, seq }) => seq < (floorOf.get(replica) ?? 0)),
    deletions: deletionRuns(deletions),
    values: [...values.values()]
      .sort((a, b) => compareIds(a.id, b.id))
      .map(({ id, value }) => ({ id: idText(id), value: valueShape(value) })),
    pending: operationShapes(pending),
    unknown: unknown.map(({ tag, bytes }) => ({ tag, hex: hex(bytes) })),
  };
}

interface Said {
  readonly id: Id;
  readonly stamp: number;
}

const later = (a: Said, b: Said): number => a.stamp - b.stamp || compareIds(a.id, b.id);

class Reading {
  readonly main: readonly Element[];
  private readonly index: Map<string, number>;
  private readonly here: { id: Id; value: Value }[];

  constructor(
    private readonly elements: readonly Element[],
    { values }: Snapshot,
  ) {
    this.index = new Map(elements.map(({ id }, at) => [idText(id), at]));
    this.here = [...values.values()].filter(({ id }) => this.index.has(idText(id)));
    const roots = this.here.find(({ value }) => value.kind === "roots");
    const end = roots === undefined ? elements.length : this.index.get(idText(roots.id));
    this.main = elements.slice(0, end).filter(({ shows }) => shows);
  }

  private of<Kind extends Value["kind"]>(kind: Kind): { id: Id; value: Extract<Value, { kind: Kind }> }[] {
    return this.here.filter((one) => one.value.kind === kind) as { id: Id; value: Extract<Value, { kind: Kind }> }[];
  }

  /** The gap that an anchor stands in: as many elements are in front of it. */
  private gap({ side, of }: Anchor): number | undefined {
    if (of === undefined) {
      return side === "after" ? 0 : this.elements.length;
    }
    const at = this.index.get(idText(of));
    return at === undefined ? undefined : at + (side === "after" ? 1 : 0);
  }

  /** What the element shows as, if it is an embed, or stands for one that was moved there. */
  private embed(id: Id): string | undefined {
    const own = this.here.find((one) => compareIds(one.id, id) === 0)?.value;
    if (own?.kind === "move") {
      return this.embed(own.element);
    }
    if (own?.kind !== "embed") {
      return undefined;
    }
    const replaced = this.of("replace")
      .filter(({ value }) => compareIds(value.element, id) === 0)
      .sort((a, b) => later({ id: a.id, stamp: a.value.stamp }, { id: b.id, stamp: b.value.stamp }));
    return replaced.at(-1)?.value.json ?? own.json;
  }

  private marks(id: Id): Record<string, string> {
    const at = this.index.get(idText(id)) ?? 0;
    const holding = new Map<string, { said: Said; json: string | null }>();
    for (const { id, value } of this.of("mark")) {
      const [start, end] = [this.gap(value.start), this.gap(value.end)];
      if (start === undefined || end === undefined || at < start || at >= end) {
        continue;
      }
      const said = { id, stamp: value.stamp };
      const other = holding.get(value.name);
      if (other === undefined || later(said, other.said) > 0) {
        holding.set(value.name, { said, json: value.json });
      }
    }
    const marks = [...holding].flatMap(([name, { json }]) => (json === null ? [] : [[name, json] as const]));
    return Object.fromEntries(marks.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  runs(shown: readonly Element[]): unknown[] {
    const runs: { text?: string; embed?: string; marks: Record<string, string> }[] = [];
    for (const { id, text } of shown) {
      const marks = this.marks(id);
      const embed = this.embed(id);
      const last = runs.at(-1);
      if (embed !== undefined) {
        runs.push({ embed, marks });
      } else if (last?.text !== undefined && JSON.stringify(last.marks) === JSON.stringify(marks)) {
        last.text += text ?? "";
      } else {
        runs.push({ text: text ?? "", marks });
      }
    }
    return runs;
  }

  registers(): Record<string, string> {
    const last = new Map<string, { said: Said; json: string | null }>();
    for (const { id, value } of this.of("register")) {
      const said = { id, stamp: value.stamp };
      const other = last.get(value.name);
      if (other === undefined || later(said, other.said) > 0) {
        last.set(value.name, { said, json: value.json });
      }
    }
    const set = [...last].flatMap(([name, { json }]) => (json === null ? [] : [[name, json] as const]));
    return Object.fromEntries(set);
  }

  sequences(): unknown[] {
    return this.of("open")
      .sort((a, b) => {
        const [one, other] = [`${a.value.sequence} ${a.value.name}`, `${b.value.sequence} ${b.value.name}`];
        return one < other ? -1 : 1;
      })
      .map(({ id, value: { sequence: kind, name } }) => {
        const from = (this.index.get(idText(id)) ?? 0) + 1;
        const to = this.index.get(idText({ replica: id.replica, seq: id.seq + 1 }));
        const shown = this.elements.slice(from, to).filter(({ shows }) => shows);
        if (kind === "text") {
          return { kind, name, runs: this.runs(shown) };
        }
        return { kind, name, values: shown.map(({ id }) => this.embed(id)) };
      });
  }
}

function elementRuns(elements: readonly Element[], trimmed: (id: Id) => boolean): unknown[] {
  const runs: { id: Id; count: number; text: string | null; shows: boolean; placed: string | null }[] = [];
  for (const { id, text, shows, placed } of elements) {
    const place = trimmed(id) ? null : anchorText(placed);
    const run = runs.at(-1);
    const last = run && { replica: run.id.replica, seq: run.id.seq + run.count - 1 };
    if (
      run !== undefined &&
      last?.replica === id.replica &&
      last.seq + 1 === id.seq &&
      (place === null ? run.placed === null : place === `after ${idText(last)}` && run.placed !== null) &&
      run.shows === shows &&
      (run.text === null) === (text === undefined)
    ) {
      run.count += 1;
      if (run.text !== null) {
        run.text += text ?? "";
      }
    } else {
      runs.push({ id, count: 1, text: text ?? null, shows, placed: place });
    }
  }
  return runs.map((run) => ({ ...run, id: idText(run.id) }));
}

function deletionRuns(deletions: readonly Deleted[]): unknown[] {
  const runs: { id: Id; delete: Id; count: number; down: boolean }[] = [];
  for (const { id, target } of [...deletions].sort((a, b) => compareIds(a.id, b.id))) {
    const run = runs.at(-1);
    if (run?.id.replica === id.replica && run.id.seq + run.count === id.seq && run.delete.replica === target.replica) {
      const up = target.seq === run.delete.seq + run.count && (run.count === 1 || !run.down);
      const down = target.seq === run.delete.seq - run.count && (run.count === 1 || run.down);
      if (up || down) {
        run.count += 1;
        run.down = down;
        continue;
      }
    }
    runs.push({ id, delete: target, count: 1, down: false });
  }
  return runs.map((run) => ({ ...run, id: idText(run.id), delete: idText(run.delete) }));
}
