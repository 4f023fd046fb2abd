/** Quill's deltas as values, and what a document's runs are as one. */
import { EMBED, marksOf, type TextRun } from "../../edit.js";
import { eachMark, type Json, type Marks, sameJson } from "../../json.js";

/** One operation of a Quill delta. */
export interface QuillOp {
  readonly insert?: string | Record<string, unknown>;
  readonly delete?: number;
  readonly retain?: number | Record<string, unknown>;
  readonly attributes?: Record<string, unknown>;
}

/** What an embed is called that an editor does not know, or that would be taken for text. */
export const UNKNOWN_EMBED = "crdt-unknown";

/** Appends an operation as quill-delta does: equal neighbours become one. */
export function pushOp(ops: QuillOp[], op: QuillOp): void {
  const last = ops.at(-1);
  if (last && sameJson(last.attributes, op.attributes)) {
    if (typeof last.insert === "string" && typeof op.insert === "string") {
      ops[ops.length - 1] = { ...last, insert: last.insert + op.insert };
      return;
    }
    if (typeof last.retain === "number" && typeof op.retain === "number") {
      ops[ops.length - 1] = { ...last, retain: last.retain + op.retain };
      return;
    }
  }
  if (last?.delete !== undefined && op.delete !== undefined) {
    ops[ops.length - 1] = { delete: last.delete + op.delete };
    return;
  }
  ops.push(op);
}

/** Attributes as an operation has them: none are left out. */
export function withAttributes(op: QuillOp, attributes: Record<string, unknown>): QuillOp {
  return Object.keys(attributes).length > 0 ? { ...op, attributes } : op;
}

/** A document's content as Quill has it. */
export function contentsOf(runs: readonly TextRun[]): QuillOp[] {
  const ops: QuillOp[] = [];
  for (const run of runs) {
    const insert = "text" in run ? run.text : embedInsert(run.embed);
    pushOp(ops, withAttributes({ insert }, marksOf(run)));
  }
  return ops;
}

/** The runs whose content `contentsOf` gives, without attributes that are `null`: those are none. */
export function runsOf(ops: readonly QuillOp[]): TextRun[] {
  return ops.flatMap(({ insert, attributes }): TextRun[] => {
    const marks = marksFrom(attributes);
    const marked = Object.keys(marks).length > 0 ? { marks } : {};
    if (typeof insert === "string") {
      return insert === "" ? [] : [{ text: insert, ...marked }];
    }
    return insert === undefined ? [] : [{ embed: embedFrom(insert), ...marked }];
  });
}

/** What an operation's attributes mean as marks: `null` and `undefined` are none. */
export function marksFrom(attributes: Record<string, unknown> | undefined): Marks {
  return Object.fromEntries(
    Object.entries(attributes ?? {}).filter(([, value]) => value !== null && value !== undefined),
  ) as Marks;
}

/** What to change in `have` so that it is `want`: in the names of both. */
export function marksBetween(have: Marks, want: Marks): Record<string, Json> {
  return Object.fromEntries([
    ...eachMark(have)
      .filter(([name]) => !Object.hasOwn(want, name))
      .map(([name]) => [name, null] as const),
    ...eachMark(want).filter(([name, value]) => !Object.hasOwn(have, name) || !sameJson(have[name], value)),
  ]);
}

/** An embed as what a delta inserts. */
export function embedInsert(value: Json): Record<string, unknown> {
  // Not to be taken for text, or for no insertion at all.
  const fits = typeof value !== "string" && value !== null;
  return fits ? (value as Record<string, unknown>) : { [UNKNOWN_EMBED]: value };
}

/** What a delta inserts, as the value of an embed. */
export function embedFrom(insert: Record<string, unknown>): Json {
  return (Object.hasOwn(insert, UNKNOWN_EMBED) ? insert[UNKNOWN_EMBED] : insert) as Json;
}

/** Whether two changes of one text make the same text of it, whatever they mark. */
export function sameShape(one: readonly QuillOp[], other: readonly QuillOp[]): boolean {
  return shapeOf(one) === shapeOf(other);
}

function shapeOf(ops: readonly QuillOp[]): string {
  const groups: { retain: number; insert: string; delete: number }[] = [{ retain: 0, insert: "", delete: 0 }];
  for (const op of ops) {
    const last = groups[groups.length - 1];
    if (last === undefined) {
      break;
    }
    if (op.insert !== undefined) {
      last.insert += typeof op.insert === "string" ? op.insert : EMBED;
    } else if (op.delete !== undefined) {
      last.delete += op.delete;
    } else if (last.insert === "" && last.delete === 0) {
      last.retain += Number(op.retain);
    } else {
      groups.push({ retain: Number(op.retain), insert: "", delete: 0 });
    }
  }
  return JSON.stringify(groups.filter((group) => group.insert !== "" || group.delete > 0));
}
