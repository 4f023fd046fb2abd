/** Quill's deltas on a document without an editor. */
import { Lag } from "../lag.js";
import { lastLine } from "../last-line.js";
import type { RichDoc } from "../port.js";
import { writeChange } from "./change.js";
import { contentsOf, pushOp, type QuillOp, withAttributes } from "./delta.js";
import { ALL_FORMATS } from "./formats.js";

export interface HeadlessOptions {
  /**
   * Whether the delta's content ends with Quill's last "\n", which the document does not hold (only its formats).
   * Without it the document is the delta, character by character. Default: true.
   */
  readonly lastLine?: boolean;
}

/**
 * Makes a Quill delta's changes in the document, as one transaction: its insertions with exactly its attributes,
 * its formats where they change something, and nothing else. What reaches behind the end is left out.
 */
export function applyQuillDelta(
  doc: RichDoc,
  delta: readonly QuillOp[] | { readonly ops: readonly QuillOp[] },
  options: HeadlessOptions = {},
  origin?: unknown,
): void {
  const editor = {
    lag: new Lag(),
    formats: ALL_FORMATS,
    length: doc.length,
    lastLine: options.lastLine ?? true,
    embedAt: (): never => {
      throw new TypeError("only an editor knows how its embeds change inside");
    },
  };
  doc.transact(() => {
    writeChange("ops" in delta ? delta.ops : delta, doc, editor);
  }, origin);
}

/** The document as Quill's content: insertions, of which no two neighbours have the same attributes. */
export function quillContents(doc: RichDoc, options: HeadlessOptions = {}): QuillOp[] {
  const ops = contentsOf(doc.runs());
  if (options.lastLine ?? true) {
    pushOp(ops, withAttributes({ insert: "\n" }, lastLine(doc)));
  }
  return ops;
}
