import type { TextEdit, TextOnlyEdit, TextRun } from "../edit.js";
import type { Json, Marks } from "../json.js";
import type { Selection } from "./selection.js";

/** What a binding needs of a document; `Doc` has it, and so have its named texts. */
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
  /** What this user says, as it was given; where it can be told, one editor does not take back what another one said. */
  readonly local?: Readonly<Record<string, unknown>> | null;
  /** Changes some of what this user says. */
  update(part: Record<string, unknown>): void;
  on(type: "change", listener: () => void): () => void;
}

/** What a binding needs of an undo manager. Undoing edits the document; what is shown follows as with others' edits. */
export interface BoundUndo {
  undo(): boolean;
  redo(): boolean;
  /** Has the selection of an editor come back with what is undone, until the returned function is called. */
  follow?(editor: BoundEditor): () => void;
  /** Takes note of where a followed editor's selection is; to be called when it moves without an edit. */
  noteSelection?(editor: BoundEditor): void;
}

/** What an undo manager needs of an editor: in which text it selects, and how its selection is found and restored. */
export interface BoundEditor {
  readonly text: BoundDoc;
  read(): Selection | undefined;
  write(selection: Selection): void;
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
