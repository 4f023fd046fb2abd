import { type Json, type Marks, NO_MARKS } from "./json.js";

/**
 * One change of the visible text. Edits come in sequence: each counts in the text that the ones
 * before it left. Positions and lengths are UTF-16 code units, as in JavaScript strings; an embed counts one.
 */
export type TextEdit =
  /** `marks`: all that it has; absent if it has none. */
  | { readonly type: "insert"; readonly position: number; readonly text: string; readonly marks?: Marks }
  /** Something that is no text, of length 1. */
  | { readonly type: "embed"; readonly position: number; readonly value: Json; readonly marks?: Marks }
  | { readonly type: "delete"; readonly position: number; readonly length: number }
  /** The stretch has this mark now; with `null`, it has it no longer. */
  | {
      readonly type: "mark";
      readonly position: number;
      readonly length: number;
      readonly name: string;
      readonly value: Json;
    }
  /** A register holds this now, and the content is what it was; with `null`, it holds nothing. */
  | { readonly type: "register"; readonly name: string; readonly value: Json };

/** An edit of a named text or list. */
export interface NamedEdit {
  readonly type: "in";
  readonly kind: "text" | "list";
  readonly name: string;
  readonly edit: TextEdit | { readonly type: "replace"; readonly position: number; readonly value: Json };
}

/** What the engine tells. */
export type AnyEdit = TextEdit | NamedEdit;

/** An edit of text alone. */
export type TextOnlyEdit = Exclude<TextEdit, { readonly type: "mark" | "embed" | "register" }>;

/** A stretch of the document with the same marks (absent: none), or an embed. */
export type TextRun =
  | { readonly text: string; readonly marks?: Marks }
  | { readonly embed: Json; readonly marks?: Marks };

/** What stands for an embed in plain text. */
export const EMBED = "\ufffc";

/** Applies edits to a string, in which U+FFFC stands for each embed. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  for (const edit of edits) {
    if (edit.type !== "mark" && edit.type !== "register") {
      const inserted = edit.type === "insert" ? edit.text : edit.type === "embed" ? EMBED : "";
      const deleted = edit.type === "delete" ? edit.length : 0;
      text = text.slice(0, edit.position) + inserted + text.slice(edit.position + deleted);
    }
  }
  return text;
}

/** What replacing an embed, whose marks are these, is in a text: it goes, and another one comes. */
export function replaced(position: number, value: Json, marks: { readonly marks?: Marks }): TextEdit[] {
  return [{ type: "delete", position, length: 1 }, { type: "embed", position, value, ...marks }];
}

export function runLength(run: TextRun): number {
  return "text" in run ? run.text.length : 1;
}

/** The marks of a run, or of an edit that inserts. */
export function marksOf(marked: { readonly marks?: Marks }): Marks {
  return marked.marks ?? NO_MARKS;
}
