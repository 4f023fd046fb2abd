/** What of a document an editor shows, and what to change in it so that it does. */
import { marksOf, type TextRun } from "../../edit.js";
import type { Json } from "../../json.js";
import type { ReleaseStep, StuckStep } from "../lag.js";
import { lastLine } from "../last-line.js";
import type { RichDoc } from "../port.js";
import { showable } from "../text.js";
import { embedInsert, marksBetween, marksFrom, pushOp, type QuillOp, UNKNOWN_EMBED, withAttributes } from "./delta.js";
import { type Formats, shownMarks } from "./formats.js";

/** The document between two positions as the editor shows it; one behind the end is the last "\n". */
export function shownContent(doc: RichDoc, start: number, end: number, formats: Formats): QuillOp[] {
  const ops: QuillOp[] = [];
  for (const run of doc.runs(start, Math.min(end, doc.length))) {
    for (const op of shownRun(run, formats)) {
      pushOp(ops, op);
    }
  }
  if (end > doc.length) {
    pushOp(ops, withAttributes({ insert: "\n" }, shownMarks(lastLine(doc), "newline", formats)));
  }
  return ops;
}

/** What to change on the screen so that it shows the document. */
export function showChange(
  steps: readonly (ReleaseStep | StuckStep)[],
  doc: RichDoc,
  formats: Formats,
  /** What the screen shows now. */
  shown: (position: number, length: number) => readonly QuillOp[],
): QuillOp[] {
  const ops: QuillOp[] = [];
  let inDoc = 0;
  let onScreen = 0;
  for (const step of steps) {
    if ("delete" in step) {
      pushOp(ops, step);
      onScreen += step.delete;
    } else if ("ghost" in step) {
      pushOp(ops, { retain: step.ghost });
      onScreen += step.ghost;
    } else if ("hidden" in step) {
      inDoc += step.hidden;
    } else if ("insert" in step) {
      for (const op of shownContent(doc, inDoc, inDoc + step.insert.length, formats)) {
        pushOp(ops, op);
      }
      inDoc += step.insert.length;
    } else {
      if (step.marked) {
        const want = shownContent(doc, inDoc, inDoc + step.retain, formats);
        for (const op of remarked(shown(onScreen, step.retain), want)) {
          pushOp(ops, op);
        }
      } else {
        pushOp(ops, step);
      }
      inDoc += step.retain;
      onScreen += step.retain;
    }
  }
  while (ops.length > 0 && ops.at(-1)?.retain !== undefined && !ops.at(-1)?.attributes) {
    ops.pop();
  }
  return ops;
}

/** Where `have` is marked differently from `want`, whose content is the same. */
function remarked(have: readonly QuillOp[], want: readonly QuillOp[]): QuillOp[] {
  const ops: QuillOp[] = [];
  const left = have.map((op) => ({ length: lengthOf(op), marks: marksFrom(op.attributes) }));
  for (const op of want) {
    const marks = marksFrom(op.attributes);
    for (let rest = lengthOf(op); rest > 0; ) {
      const first = left[0];
      const length = Math.min(rest, first?.length ?? rest);
      pushOp(ops, withAttributes({ retain: length }, first ? marksBetween(first.marks, marks) : marks));
      rest -= length;
      if (first && (first.length -= length) === 0) {
        left.shift();
      }
    }
  }
  return ops;
}

function shownRun(run: TextRun, formats: Formats): QuillOp[] {
  const marks = marksOf(run);
  if (!("text" in run)) {
    return [withAttributes({ insert: shownEmbed(run.embed, formats) }, shownMarks(marks, "embed", formats))];
  }
  const text = showable(run.text);
  if (run.marks === undefined) {
    return [{ insert: text }];
  }
  return text
    .split(/(\n+)/)
    .filter((part) => part !== "")
    .map((part) => withAttributes({ insert: part }, shownMarks(marks, part.startsWith("\n") ? "newline" : "text", formats)));
}

function shownEmbed(value: Json, formats: Formats): Record<string, unknown> {
  const insert = embedInsert(value);
  const [kind, ...others] = Object.keys(insert);
  return kind !== undefined && others.length === 0 && formats.knowsEmbed(kind, insert[kind]) ? insert : { [UNKNOWN_EMBED]: value };
}

function lengthOf({ insert }: QuillOp): number {
  return typeof insert === "string" ? insert.length : 1;
}

