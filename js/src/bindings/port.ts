import type { TextEdit, TextOnlyEdit, TextRun } from "../edit.js";
import type { Json, Marks } from "../json.js";

/** What a binding needs of a document; `Doc` has it. */
export interface BoundDoc {
  readonly length: number;
  toString(): string;
  insert(position: number, text: string, marks?: Marks): void;
  delete(position: number, length: number): void;
  transact(edit: () => void, origin?: unknown): unknown;
  anchorAt(position: number, side: "before" | "after"): Uint8Array;
  resolveAnchor(anchor: Uint8Array): number | undefined;
  on(type: "change", listener: () => void): () => void;
  /** @internal */
  track(tracker: (edits: readonly TextEdit[], origin: unknown) => void): () => void;
}

/** What a binding that shows formats and embeds needs besides. */
export interface RichDoc extends BoundDoc {
  /** Whether it never held anything but text. */
  readonly plain: boolean;
  insertEmbed(position: number, value: Json, marks?: Marks): void;
  mark(position: number, length: number, name: string, value: Json): void;
  runs(start?: number, end?: number): TextRun[];
  setExpand(name: string, expand: "none"): void;
  /** Gives a register a value; `null` empties it. */
  set(name: string, value: Json): void;
  registers(): ReadonlyMap<string, Json>;
}

/** What a binding needs to publish where its user's caret is; a provider's `presence` has it. */
export interface BoundPresence {
  /** What the others say of themselves, by session. */
  readonly states: ReadonlyMap<string, unknown>;
  /** Changes some of what this user says. */
  update(part: Record<string, unknown>): void;
  on(type: "change", listener: () => void): () => void;
}

/** What a binding needs of an undo manager. Undoing edits the document; what is shown follows as with others' edits. */
export interface BoundUndo {
  undo(): boolean;
  redo(): boolean;
  /** Takes note of where the selection is; to be called when it moves without an edit. */
  noteSelection?(): void;
  /** How each step of undo finds the selection that it brings back. */
  selection?:
    | {
        read(): { readonly anchor: number; readonly head: number } | undefined;
        write(selection: { readonly anchor: number; readonly head: number }): void;
      }
    | undefined;
}

export interface Binding {
  /** Ends the connection between document and editor; both keep their text. */
  destroy(): void;
}

/** Makes local edits of the text, in sequence, as one transaction. */
export function applyToDoc(doc: BoundDoc, edits: readonly TextOnlyEdit[], origin: unknown): void {
  doc.transact(() => {
    for (const edit of edits) {
      if (edit.type === "insert") {
        doc.insert(edit.position, edit.text);
      } else {
        doc.delete(edit.position, edit.length);
      }
    }
  }, origin);
}
