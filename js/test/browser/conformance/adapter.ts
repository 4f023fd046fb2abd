/**
 * What the conformance suite needs to know of a binding. Adapters run in the page.
 *
 * To put a binding under the suite, write `adapters/NAME.ts` that exports `adapter`, and add NAME to
 * `BINDINGS` in `suite.ts`. Nothing else: the suite presses keys, moves edits between two pages, and
 * compares.
 */
import type { BoundPresence } from "crdt-js/textarea";
import type { Doc, NamedText, UndoManager } from "crdt-js";
import type { Random } from "../../random.js";

/** What an editor is bound to: the main text of a document, or a named one. */
export type BoundText = Doc | NamedText;

export interface Adapter {
  /** What a program may put into a document with such an editor on it besides text. Without it, marks and embeds that the editor does not show. */
  editDocument?(doc: BoundText, random: Random): void;
  /** Makes an editor within `box` and binds it to `doc`. Called anew for every seed. */
  open(doc: BoundText, box: HTMLElement, presence: BoundPresence, undo: UndoManager): Editor;
}

/** One editor on one document. Positions are the document's, not the editor's. */
export interface Editor {
  /** What the editor itself holds, in any form that JSON can compare. */
  content(): unknown;
  /** What `content()` is to be for this document. */
  expected(doc: BoundText): unknown;
  /** Changes something, anywhere, by the editor's own interface: text at least, formats if it has any. */
  editAtRandom(random: Random): void;
  /** Gives the editor the focus and selects. */
  select(anchor: number, head: number): void;
  /** `undefined` if it has none that the document knows. */
  selection(): { readonly anchor: number; readonly head: number } | undefined;
  /** The middle of the character behind `position` in the window, for dragging; `undefined` if it is not to be seen. */
  pointAt(position: number): { readonly x: number; readonly y: number } | undefined;
  /** Ends the binding and the editor. */
  destroy(): void;
}
