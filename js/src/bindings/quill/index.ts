/** `crdt-js/quill`: a Quill 2 editor that shows a document, with its formats and embeds. */
import type Quill from "quill";
import type { Range as QuillRange } from "quill";
import { followDocument, Lag } from "../lag.js";
import { isOfLastLine } from "../last-line.js";
import type { Binding, BoundPresence, RichDoc } from "../port.js";
import { SelectionSharing } from "../selection.js";
import { writeChange } from "./change.js";
import { Cursors } from "./cursors.js";
import { type QuillOp, sameShape } from "./delta.js";
import { differenceBetween, formatsOf } from "./editor-formats.js";
import type { Formats } from "./formats.js";
import { differences, showChange, shownContent } from "./show.js";

export type { Binding, BoundDoc, BoundPresence, RichDoc } from "../port.js";
export type { QuillOp } from "./delta.js";
export { applyQuillDelta, type HeadlessOptions, quillContents } from "./headless.js";

export interface QuillOptions {
  /**
   * Where the selection is published as `selection`, and where others' `selection`, `name` and `color`
   * are read; a provider's `presence`.
   */
  readonly presence?: BoundPresence;
}

/**
 * Shows `doc` in `quill`, whose content it replaces, and makes edits there edits of the document: text, formats
 * and embeds, each as what it is.
 *
 * The document holds Quill's content without the "\n" that always ends it. What this editor does not know stays in the
 * document: formats do not show, embeds show as a placeholder. Others' edits arrive with this binding as their source, keep the
 * selection, wait while an input method composes, and are not undone by Quill's history, which is set to `userOnly`.
 */
export function bindQuill(doc: RichDoc, quill: Quill, options: QuillOptions = {}): Binding {
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
  readonly #doc: RichDoc;
  readonly #quill: Quill;
  readonly #formats: Formats;
  readonly #sharing: SelectionSharing;
  readonly #cursors: Cursors | undefined;
  readonly #lag = new Lag();
  readonly #ends: (() => void)[] = [];
  /** Whether the last line has other formats in the document than it had on the screen. */
  #lastLineWaits = false;
  /** What Quill was told to change and has not yet said that it did. */
  #told: readonly QuillOp[] | undefined;

  constructor(doc: RichDoc, quill: Quill, presence: BoundPresence | undefined) {
    this.#doc = doc;
    this.#quill = quill;
    this.#formats = formatsOf(quill);
    this.#sharing = new SelectionSharing(doc, presence);
    this.#showAll();
    // Undone are one's own edits only; those of others just move them.
    const history = quill.getModule("history") as History | undefined;
    if (history) {
      history.options.userOnly = true;
      history.clear();
    }
    this.#cursors = presence && new Cursors(doc, quill, presence, (position) => this.#lag.toScreen(position));
    this.#ends.push(
      ...followDocument(doc, this.#lag, this, () => {
        this.#release();
      }),
      doc.track((edits, origin) => {
        this.#lastLineWaits ||= origin !== this && edits.some(isOfLastLine);
      }),
    );
    this.#listen("text-change", (delta: { readonly ops: readonly QuillOp[] }, _before: unknown, source: unknown) => {
      if (source === this) {
        this.#shown(delta.ops);
      } else {
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
    const editor = {
      lag: this.#lag,
      formats: this.#formats,
      length: this.#quill.getLength() - grown - 1,
      lastLine: true,
      embedAt: (position: number) => (this.#quill.getContents(position, 1).ops[0]?.insert ?? {}) as Record<string, unknown>,
    };
    try {
      this.#doc.transact(() => {
        writeChange(ops, this.#doc, editor);
      }, this);
    } catch (error) {
      // The document refused (it is full): the screen goes back to what it holds.
      this.#showAll();
      throw error;
    }
    this.#recheckLines(ops);
    this.#cursors?.draw();
    this.#share(this.#selection());
  }

  /** A line that was one thing for the document and shown as another, or changed its kind, is shown anew. */
  #recheckLines(ops: readonly QuillOp[]): void {
    let position = 0;
    for (const { insert, retain, attributes } of ops) {
      const length = typeof insert === "string" ? insert.length : typeof retain === "number" ? retain : insert !== undefined || retain !== undefined ? 1 : 0;
      if (retain !== undefined && Object.keys(attributes ?? {}).some((name) => this.#formats.isKind(name))) {
        for (const line of this.#quill.getLines(position, length)) {
          this.#lag.remark(this.#quill.getIndex(line), line.length());
        }
      }
      position += length;
    }
    this.#release();
  }

  /** Shows what waited, unless it still has to. */
  #release(): void {
    const waits = this.#lag.waits || this.#lastLineWaits;
    if (this.#quill.composition.isComposing || !waits || this.#ends.length === 0) {
      return;
    }
    // What was typed and not noticed yet is an edit of the text that is on the screen.
    this.#quill.update("user");
    if (this.#lastLineWaits) {
      this.#lastLineWaits = false;
      this.#lag.remark(this.#quill.getLength() - 1, 1);
    }
    const ops = showChange(this.#lag.release(), this.#doc, this.#formats, (position, length) =>
      this.#quill.getContents(position, length).ops,
    );
    if (ops.length > 0) {
      this.#told = ops;
      this.#quill.updateContents(ops, this.#source);
      // It says nothing if nothing came of it.
      this.#shown([]);
      this.#cursors?.draw();
      this.#share(this.#selection());
    }
  }

  #showAll(): void {
    this.#lag.release();
    this.#lastLineWaits = false;
    this.#quill.setContents([...this.#content()], this.#source);
    this.#compare();
  }

  /** Quill says what it made of what it was told to show. */
  #shown(ops: readonly QuillOp[]): void {
    const told = this.#told;
    this.#told = undefined;
    if (told && !sameShape(told, ops)) {
      this.#compare();
    }
  }

  /** Notes where the screen is not what the document holds. */
  #compare(): void {
    this.#lag.differs(
      differences(this.#content(), this.#quill.getContents().ops, (from, to) =>
        differenceBetween(this.#quill, from, to),
      ),
    );
  }

  #content(): QuillOp[] {
    return shownContent(this.#doc, 0, this.#doc.length + 1, this.#formats);
  }

  #selection(): QuillRange | null {
    return this.#quill.hasFocus() ? this.#quill.getSelection() : null;
  }

  #share(range: QuillRange | null): void {
    // Select-all goes over Quill's last "\n", which the document does not have.
    const place = (position: number): number => Math.min(this.#lag.toDocument(position), this.#doc.length);
    this.#sharing.share(range && { anchor: place(range.index), head: place(range.index + range.length) });
  }
}
