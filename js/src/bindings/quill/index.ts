/** `crdt-js/quill`: a Quill 2 editor that shows a document, as plain text. */
import type Quill from "quill";
import type { Range as QuillRange } from "quill";
import { followDocument, Lag } from "../lag.js";
import { applyToDoc, type Binding, type BoundDoc, type BoundPresence } from "../port.js";
import { SelectionSharing } from "../selection.js";
import { showable } from "../text.js";
import { Cursors } from "./cursors.js";
import { type QuillOp, readChange, showChange } from "./delta.js";

export type { Binding, BoundDoc, BoundPresence } from "../port.js";

export interface QuillOptions {
  /**
   * Where the selection is published as `selection`, and where others' `selection`, `name` and `color`
   * are read; a provider's `presence`.
   */
  readonly presence?: BoundPresence;
}

/**
 * Shows `doc` in `quill`, whose content it replaces, and makes edits there edits of the document.
 *
 * Create the editor with `formats: []`: this binding is for plain text, and takes formats and embeds out
 * again. The document holds Quill's text without the "\n" that always ends it. Others' edits arrive with
 * this binding as their source, keep the selection, wait while an input method composes, and are not
 * undone by Quill's history, which is set to `userOnly`.
 */
export function bindQuill(doc: BoundDoc, quill: Quill, options: QuillOptions = {}): Binding {
  return new QuillBinding(doc, quill, options.presence);
}

/** What of Quill's history module its types hide. */
interface History {
  readonly options: { userOnly: boolean };
  clear(): void;
}

type Source = Parameters<Quill["update"]>[0];

class QuillBinding implements Binding {
  /** Quill hands on whatever it gets as source: by it we know our own changes again. */
  readonly #source = this as unknown as Source;
  readonly #doc: BoundDoc;
  readonly #quill: Quill;
  readonly #sharing: SelectionSharing;
  readonly #cursors: Cursors | undefined;
  readonly #lag = new Lag();
  readonly #ends: (() => void)[] = [];
  /** Whether the selection moved when it could not be told where to in the document. */
  #unshared = false;

  constructor(doc: BoundDoc, quill: Quill, presence: BoundPresence | undefined) {
    this.#doc = doc;
    this.#quill = quill;
    this.#sharing = new SelectionSharing(doc, presence);
    quill.setContents([{ insert: `${showable(doc.toString())}\n` }], this.#source);
    // Undone are one's own edits only; those of others just move them.
    const history = quill.getModule("history") as History | undefined;
    if (history) {
      history.options.userOnly = true;
      history.clear();
    }
    this.#cursors = presence && new Cursors(doc, quill, presence);
    this.#ends.push(
      ...followDocument(doc, this.#lag, this, () => {
        this.#release();
      }),
    );
    this.#listen("text-change", (delta: { readonly ops: readonly QuillOp[] }, _before: unknown, source: unknown) => {
      if (source !== this) {
        this.#edited(delta.ops);
      }
    });
    this.#listen("selection-change", () => {
      this.#share(this.#selection());
    });
    // Quill tells of no lost focus when the browser leaves the selection where it is.
    const focusMoved = (): void => {
      this.#share(this.#selection());
    };
    for (const type of ["focus", "blur"]) {
      quill.root.addEventListener(type, focusMoved);
      this.#ends.push(() => {
        quill.root.removeEventListener(type, focusMoved);
      });
    }
    this.#listen("composition-end", () => {
      // Quill still counts itself as composing while it says so.
      queueMicrotask(() => {
        this.#release();
      });
    });
    this.#share(this.#selection());
  }

  destroy(): void {
    for (const end of this.#ends.splice(0)) {
      end();
    }
    this.#cursors?.destroy();
    this.#sharing.share(null);
  }

  #listen(type: string, listener: (...args: never[]) => void): void {
    const own = (...args: unknown[]): void => {
      listener(...(args as never[]));
    };
    this.#quill.on(type, own);
    this.#ends.push(() => {
      this.#quill.off(type, own);
    });
  }

  #edited(ops: readonly QuillOp[]): void {
    let grown = 0;
    for (const op of ops) {
      grown += op.insert === undefined ? -(op.delete ?? 0) : typeof op.insert === "string" ? op.insert.length : 1;
    }
    const { edits, correction } = readChange(ops, this.#quill.getLength() - grown - 1, this.#lag);
    try {
      applyToDoc(this.#doc, edits, this);
    } catch (error) {
      // The document refused (it is full): the screen goes back to what it holds.
      this.#lag.release();
      this.#quill.setContents([{ insert: `${showable(this.#doc.toString())}\n` }], this.#source);
      throw error;
    }
    if (correction.length > 0) {
      this.#quill.updateContents(correction, this.#source);
    }
    this.#cursors?.draw();
    this.#share(this.#selection());
  }

  /** Shows what waited, unless it still has to. */
  #release(): void {
    if (this.#quill.composition.isComposing || this.#lag.none || this.#ends.length === 0) {
      return;
    }
    // What was typed and not noticed yet is an edit of the text that is on the screen.
    this.#quill.update("user");
    this.#quill.updateContents(showChange(this.#lag.release()), this.#source);
    this.#cursors?.draw();
    if (this.#unshared) {
      this.#share(this.#selection());
    }
  }

  #selection(): QuillRange | null {
    return this.#quill.hasFocus() ? this.#quill.getSelection() : null;
  }

  #share(range: QuillRange | null): void {
    this.#unshared = !this.#lag.none;
    if (!this.#unshared) {
      // Select-all goes over Quill's last "\n", which the document does not have.
      const end = range ? Math.min(range.index + range.length, this.#doc.length) : 0;
      this.#sharing.share(range && { anchor: Math.min(range.index, end), head: end });
    }
  }
}
