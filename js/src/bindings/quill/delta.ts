import type { TextEdit } from "../../edit.js";
import type { Lag, ReleaseStep } from "../lag.js";
import { showable, wellFormed } from "../text.js";

/** One operation of a Quill delta. */
export interface QuillOp {
  readonly insert?: string | Record<string, unknown>;
  readonly delete?: number;
  readonly retain?: number | Record<string, unknown>;
  readonly attributes?: Record<string, unknown>;
}

/** What a change in the editor means. */
export interface QuillChange {
  /** For the document, in sequence. */
  readonly edits: TextEdit[];
  /** For the editor: takes out what no plain text has. Empty if there was nothing of that. */
  readonly correction: QuillOp[];
}

/**
 * Reads a change of Quill's content.
 *
 * Quill's content always ends with a "\n" that is not the document's: the document is the text before
 * it. `length` is that text's length before the change. A change that removes that last "\n", or puts
 * something behind it, makes another "\n" the last; which the document then loses, or gets.
 */
export function readChange(ops: readonly QuillOp[], length: number, lag: Lag): QuillChange {
  const edits: TextEdit[] = [];
  const correction: QuillOp[] = [];
  /** In the text as changed so far, without embeds. */
  let position = 0;
  /** Of the text before the last "\n", as changed so far. */
  let end = length;
  /** What stands from `end` on, once the change has touched it. */
  let tail = "\n";
  const splice = (deleted: number, inserted: string): void => {
    edits.push(...lag.screenChanged({ position, deleted, inserted }));
    end += inserted.length - deleted;
  };
  /** Steps over, or deletes, `count` characters; from `end` on they are the tail's. */
  const pass = (count: number, deletes: boolean): void => {
    const inText = Math.max(0, Math.min(count, end - position));
    if (deletes) {
      if (inText > 0) {
        splice(inText, "");
      }
      const inTail = position - end;
      tail = inTail < 0 ? tail : tail.slice(0, inTail) + tail.slice(inTail + count - inText);
    } else {
      position += count;
    }
  };
  for (const op of ops) {
    const plain = op.attributes === undefined || Object.values(op.attributes).every((value) => value === null);
    const attributes = plain ? undefined : nulled(op.attributes);
    if (typeof op.delete === "number") {
      pass(op.delete, true);
    } else if (typeof op.retain === "number") {
      pass(op.retain, false);
      correction.push({ retain: op.retain, ...(attributes && { attributes }) });
    } else if (typeof op.insert === "string") {
      const text = wellFormed(op.insert);
      if (position > end) {
        tail = tail.slice(0, position - end) + text + tail.slice(position - end);
      } else {
        splice(0, text);
      }
      position += text.length;
      correction.push({ retain: text.length, ...(attributes && { attributes }) });
    } else if (op.insert !== undefined) {
      correction.push({ delete: 1 });
    } else {
      correction.push({ retain: 1 });
    }
  }
  position = end;
  if (tail === "" && end > 0) {
    position = end - 1;
    splice(1, "");
  } else if (tail.length > 1) {
    splice(0, tail.slice(0, -1));
  }
  return { edits, correction: correction.some((op) => op.delete ?? op.attributes) ? correction : [] };
}

/** A change that shows what waited. */
export function showChange(steps: readonly ReleaseStep[]): QuillOp[] {
  return steps.map((step) => ("insert" in step ? { insert: showable(step.insert) } : step));
}

function nulled(attributes: Record<string, unknown> | undefined): Record<string, null> {
  return Object.fromEntries(Object.keys(attributes ?? {}).map((name) => [name, null]));
}
