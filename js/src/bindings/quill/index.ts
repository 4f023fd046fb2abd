/** `crdt-js/quill`: a Quill 2 editor that shows a document, with its formats and embeds. */
import type Quill from "quill";
import type { Range as QuillRange } from "quill";
import { followDocument, Lag } from "../lag.js";
import { isOfLastLine } from "../last-line.js";
import type { Binding, BoundPresence, BoundUndo, RichDoc } from "../port.js";
import { type Selection, SelectionSharing } from "../selection.js";
import { writeChange } from "./change.js";
import { Cursors } from "./cursors.js";
import { type QuillOp, sameShape } from "./delta.js";
import { differences } from "./difference.js";
import { differenceBetween, formatsOf } from "./editor-formats.js";
import type { Formats } from "./formats.js";
import { showChange, shownContent } from "./show.js";
import { UndoSelection } from "../undo.js";
import { bindUndo, historyOf } from "./undo.js";

export type { Binding, BoundDoc, BoundEditor, BoundPresence, BoundUndo, RichDoc } from "../port.js";
export type { QuillOp } from "./delta.js";
export { applyQuillDelta, type HeadlessOptions, quillContents } from "./headless.js";

export interface QuillOptions {
  /**
   * Where the selection is published as `selection`, and where others' `selection`, `name` and `color`
   * are read; a provider's `presence`.
   */
  readonly presence?: BoundPresence;
  /**
   * What the keys for undo and redo, the browser's menu and Quill's history module go to. Without it, Quill's own history undoes
   * what was done in this editor, and knows little of what others did meanwhile.
   */
  readonly undo?: BoundUndo;
}

/**
 * A document on a Quill editor.
 *
 * Positions in one are positions in the other, nearly always: but not while remote edits wait for an input method, nor where
 * Quill cannot show what the document holds. It puts a line of its own in front of a video that stands in a line, and takes images
 * out of code.
 */
export interface QuillBinding extends Binding {
  /** Where in the document an index of Quill's is. */
  toDocument(index: number): number;
  /** Which index of Quill's a position in the document is. */
  toEditor(position: number): number;
}

/**
 * Shows `doc` in `quill`, whose content it replaces, and makes edits there edits of the document: text, formats
 * and embeds, each as what it is.
 *
 * The document holds Quill's content without the "\n" that always ends it. What this editor does not know stays in the
 * document: formats do not show, embeds show as a placeholder. Others' edits arrive with this binding as their source, keep the
 * selection, wait while an input method composes, and are not undone.
 */
export function bindQuill(doc: RichDoc, quill: Quill, options: QuillOptions = {}): QuillBinding {
  return new Bound(doc, quill, options);
}

type Source = Parameters<Quill["update"]>[0];

class Bound implements QuillBinding {
  /** Quill hands on whatever it gets as source: by it we know our own changes again. */
  readonly #source = this as unknown as Source;
  readonly #doc: RichDoc;
  readonly #quill: Quill;
  readonly #formats: Formats;
  readonly #sharing: SelectionSharing;
  readonly #cursors: Cursors | undefined;
  readonly #undoSelection: UndoSelection;
  /** The selection, as positions in the document, if it is known for the document as it is. */
  #selected: Selection | undefined;
  readonly #lag = new Lag();
  readonly #ends: (() => void)[] = [];
  /** Whether the last line has other formats in the document than it had on the screen. */
  #lastLineWaits = false;
  /** What Quill would not take away or show, and what stood around it then. */
  readonly #refused = new Set<string>();
  /** What Quill was told to change and has not yet said that it did. */
  #told: readonly QuillOp[] | undefined;
  /** How often Quill was found to have done something else than it was told. */
  #corrections = 0;

  constructor(doc: RichDoc, quill: Quill, { presence, undo }: QuillOptions) {
    this.#doc = doc;
    this.#quill = quill;
    this.#undoSelection = new UndoSelection(undo, {
      text: doc,
      read: () => this.#selected,
      write: (selection) => {
        this.#select(selection);
      },
    });
    this.#formats = formatsOf(quill);
    this.#sharing = new SelectionSharing(doc, presence);
    this.#showAll();
    // Undone are one's own edits only; those of others just move them.
    const history = historyOf(quill);
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
        this.#selected = undefined;
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
    if (undo) {
      this.#ends.push(bindUndo(quill, undo));
    }
    // Quill tells of no lost focus when the browser leaves the selection where it is.
    const focusMoved = (): void => {
      // When Quill takes the focus, it has yet to bring its selection back: asked now, it would forget it.
      queueMicrotask(() => {
        if (this.#ends.length > 0) {
          this.#share(this.#selection());
        }
      });
    };
    for (const type of ["focus", "blur"]) {
      quill.root.addEventListener(type, focusMoved);
      this.#ends.push(() => {
        quill.root.removeEventListener(type, focusMoved);
      });
    }
    this.#listen("composition-before-start", () => {
      // A deletion may leave the caret beside all lines, in front of a video. From there Chromium loses what it composes, begins
      // anew behind it, and what it had shown stays. Not so from where a caret was put.
      const caret = quill.root.ownerDocument.getSelection();
      if (caret?.isCollapsed && caret.focusNode === quill.root) {
        caret.collapse(quill.root, caret.focusOffset);
      }
    });
    this.#listen("composition-end", () => {
      // Quill still counts itself as composing while it says so.
      queueMicrotask(() => {
        this.#release();
      });
    });
    this.#share(this.#selection());
  }

  toDocument(index: number): number {
    // Quill's last "\n" is not the document's.
    return Math.min(this.#lag.toDocument(index), this.#doc.length);
  }

  toEditor(position: number): number {
    return this.#lag.toScreen(position);
  }

  destroy(): void {
    for (const end of this.#ends.splice(0)) {
      end();
    }
    this.#undoSelection.end();
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
    this.#release();
    if (!this.#lag.none && !this.#quill.composition.isComposing) {
      this.#retry();
    }
    this.#cursors?.draw();
    this.#share(this.#selection());
  }

  /**
   * A line that has become another may hide or show other formats of its text, as code does: it is to be looked at anew.
   */
  #recheckLines(ops: readonly QuillOp[]): void {
    if (this.#doc.plain) {
      return;
    }
    let position = 0;
    for (const { insert, retain, attributes } of ops) {
      const length = typeof insert === "string" ? insert.length : typeof retain === "number" ? retain : insert !== undefined || retain !== undefined ? 1 : 0;
      const kindChanged = Object.keys(attributes ?? {}).some((name) => this.#formats.isKind(name));
      const linesChanged = typeof insert === "string" ? insert.includes("\n") : insert === undefined && retain === undefined;
      if (kindChanged || linesChanged) {
        for (const line of this.#quill.getLines(position, Math.max(1, length))) {
          this.#lag.remark(this.#quill.getIndex(line), line.length());
        }
      }
      position += length;
    }
  }

  /** Shows what waited, unless it still has to. */
  #release(): void {
    if (this.#lag.waits || this.#lastLineWaits) {
      this.#settle();
    }
  }

  /** Makes the screen show the document, as far as it can, unless it has to wait. */
  #settle(): void {
    if (this.#quill.composition.isComposing || this.#ends.length === 0) {
      return;
    }
    // What was typed and not noticed yet is an edit of the text that is on the screen.
    this.#quill.update("user");
    if (this.#lastLineWaits) {
      this.#lastLineWaits = false;
      this.#lag.remark(this.#quill.getLength() - 1, 1);
    }
    const selected = this.#selection();
    const selection = selected && this.#inDocument(selected);
    const corrections = this.#corrections;
    const ops = this.#changes();
    if (ops.length > 0) {
      this.#show(ops);
      this.#recheckLines(ops);
      const more = this.#changes();
      if (more.length > 0) {
        this.#show(more);
      }
    }
    this.#retry();
    if (selection && this.#corrections > corrections) {
      this.#keepSelection(selection);
    }
    this.#cursors?.draw();
    this.#share(this.#selection());
  }

  /** Quill takes the selection along by what it was told to do, and may have done something else. */
  #keepSelection(selection: Selection): void {
    const selected = this.#selection();
    const now = selected && this.#inDocument(selected);
    if (now && (now.anchor !== selection.anchor || now.head !== selection.head)) {
      const [start, end] = [this.toEditor(selection.anchor), this.toEditor(selection.head)];
      this.#quill.setSelection(start, end - start, "silent");
    }
  }

  /** Tells Quill what to change. */
  #show(ops: QuillOp[]): void {
    this.#told = ops;
    this.#quill.updateContents(ops, this.#source);
    // It says nothing if nothing came of it.
    this.#shown([]);
  }

  /**
   * What Quill could not show it may be able to show now: told one by one, since it goes on with the wrong places
   * where it refuses something. It is asked once for what stands around it.
   */
  #retry(): void {
    for (;;) {
      const stuck = this.#lag.stuck();
      const next = stuck
        .map(({ piece, onScreen, inDocument }) => {
          const shown = piece.kind === "gone" ? piece.length : 0;
          const start = Math.max(0, onScreen - 1);
          const around = this.#quill.getContents(start, onScreen + shown + 1 - start).ops;
          const [line] = this.#quill.getLine(onScreen) as [{ formats?: () => unknown } | null, number];
          const place = JSON.stringify([around, line?.formats?.(), piece]);
          return { piece, onScreen, inDocument, place };
        })
        .find(({ place }) => !this.#refused.has(place));
      if (!next) {
        return;
      }
      const { piece, onScreen, inDocument, place } = next;
      const change =
        piece.kind === "gone"
          ? [{ delete: piece.length }]
          : shownContent(this.#doc, inDocument, inDocument + piece.length, this.#formats);
      this.#refused.add(place);
      this.#quill.updateContents(at(onScreen, change), this.#source);
      this.#compare();
      if (this.#lag.stuck().length < stuck.length) {
        this.#refused.delete(place);
      }
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
    this.#corrections++;
    this.#lag.differs(
      differences(this.#content(), this.#quill.getContents().ops, (from, to) =>
        differenceBetween(this.#quill, from, to),
      ),
    );
    // Where it did something else it may have formatted the wrong places, anywhere behind that, too.
    this.#lag.remark(0, this.#quill.getLength());
    const stuck = this.#lag.stuck();
    const ops = this.#changes();
    // A line of Quill's own has no formats, whatever stood there before.
    for (const { piece, onScreen } of stuck) {
      const [op] = piece.kind === "gone" ? this.#quill.getContents(onScreen, 1).ops : [];
      const attributes = Object.fromEntries(Object.keys(op?.attributes ?? {}).map((name) => [name, null]));
      this.#quill.updateContents(at(onScreen, [{ retain: 1, attributes }]), this.#source);
    }
    if (ops.length > 0) {
      this.#quill.updateContents(ops, this.#source);
    }
  }

  /** What to change on the screen so that it shows the document, but for what is stuck. */
  #changes(): QuillOp[] {
    return showChange(this.#lag.releaseOthers(), this.#doc, this.#formats, (position, length) =>
      this.#quill.getContents(position, length).ops,
    );
  }

  #content(): QuillOp[] {
    return shownContent(this.#doc, 0, this.#doc.length + 1, this.#formats);
  }

  #selection(): QuillRange | null {
    return this.#quill.hasFocus() ? this.#quill.getSelection() : null;
  }

  #inDocument({ index, length }: QuillRange): Selection {
    return { anchor: this.toDocument(index), head: this.toDocument(index + length) };
  }

  #select({ anchor, head }: Selection): void {
    const [start, end] = [this.toEditor(Math.min(anchor, head)), this.toEditor(Math.max(anchor, head))];
    this.#quill.setSelection(start, end - start, "user");
  }

  #share(range: QuillRange | null): void {
    const selection = range && this.#inDocument(range);
    this.#selected = selection ?? undefined;
    this.#undoSelection.note();
    this.#sharing.share(selection);
  }
}

/** A change that starts at an index. */
function at(index: number, change: QuillOp[]): QuillOp[] {
  return index > 0 ? [{ retain: index }, ...change] : change;
}
