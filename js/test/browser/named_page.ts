/** Runs in the page: one document, an editor on its main text, one on a named text, and what they share. */
import { Doc, type NamedText, UndoManager } from "crdt-js";
import type { Adapter, BoundText, Editor } from "./conformance/adapter.js";
import { FakePresence } from "./presence.js";

export type Which = "main" | "notes";

interface Place {
  readonly text: BoundText;
  readonly box: HTMLElement;
  readonly editor: Editor;
}

export class Desk {
  readonly doc = new Doc();
  readonly notes: NamedText = this.doc.text("notes");
  readonly undo = new UndoManager(this.doc, { interval: 0 });
  readonly presence = new FakePresence();
  readonly #places: Readonly<Record<Which, Place>>;

  constructor(adapter: Adapter) {
    document.body.replaceChildren();
    const place = (text: BoundText): Place => {
      const box = document.createElement("div");
      box.className = "box";
      document.body.append(box);
      return { text, box, editor: adapter.open(text, box, this.presence, this.undo) };
    };
    this.#places = { main: place(this.doc), notes: place(this.notes) };
  }

  insert(which: Which, position: number, text: string): void {
    this.#places[which].text.insert(position, text);
  }

  select(which: Which, anchor: number, head = anchor): void {
    this.#places[which].editor.select(anchor, head);
  }

  selection(which: Which): unknown {
    return this.#places[which].editor.selection();
  }

  /** The texts, and whether both editors show theirs. */
  texts(): readonly [main: string, notes: string, shown: boolean] {
    const shown = Object.values(this.#places).every(
      ({ editor, text }) => JSON.stringify(editor.content()) === JSON.stringify(editor.expected(text)),
    );
    return [this.doc.toString(), this.notes.toString(), shown];
  }

  /** Somebody else says that his caret is there: in a text that is a program's own, if it is neither of the two. */
  meet(session: string, text: string | undefined, position: number): void {
    const anchors = (text === undefined ? this.doc : this.doc.text(text)).anchorAt(position, "before");
    const caret = btoa(String.fromCharCode(...anchors));
    this.presence.show(session, { name: session, color: "#1f6feb", selection: { anchor: caret, head: caret } });
  }

  /** What somebody else writes at the start of a text. */
  remote(text: string, written: string): Uint8Array {
    const other = Doc.fromSnapshot(this.doc.snapshot());
    other.text(text).insert(0, written);
    const delta = other.deltaSince(this.doc.version());
    other.free();
    return delta;
  }

  /** How many carets of others each editor shows. */
  carets(): Record<Which, number> {
    const count = ({ box }: Place): number => box.querySelectorAll(".crdt-caret").length;
    return { main: count(this.#places.main), notes: count(this.#places.notes) };
  }

  /** Where each text has the caret that this page publishes; `null` if it publishes none. */
  published(): Record<Which, number | undefined> | null {
    const selection = this.presence.local["selection"] as { readonly head: string } | null | undefined;
    if (!selection) {
      return null;
    }
    const head = Uint8Array.from(atob(selection.head), (character) => character.charCodeAt(0));
    return { main: this.doc.resolveAnchor(head), notes: this.notes.resolveAnchor(head) };
  }
}
