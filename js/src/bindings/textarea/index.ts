/** `crdt-js/textarea`: a `<textarea>` that shows a document. */
import { followDocument, Lag } from "../lag.js";
import { applyToDoc, type Binding, type BoundDoc, type BoundPresence, type BoundUndo } from "../port.js";
import { type Selection, SelectionSharing } from "../selection.js";
import { showable, wellFormed } from "../text.js";
import { undoStep, UndoSelection } from "../undo.js";
import { TextareaCursors } from "./cursors.js";
import { spliceBetween } from "../splice.js";

export type { Binding, BoundDoc, BoundEditor, BoundPresence, BoundUndo } from "../port.js";

export interface TextareaOptions {
  /**
   * Where the selection is published as `selection`, and where others' `selection`, `name` and `color`
   * are read; a provider's `presence`.
   */
  readonly presence?: BoundPresence;
  /** What the keys for undo and redo, and the browser's menu, go to instead of the browser's own undo. */
  readonly undo?: BoundUndo;
}

/**
 * Shows `doc` in `element`, whose text it replaces, and makes edits there edits of the document.
 *
 * Caret, selection and scroll position stay where they are under remote edits, which wait while an input
 * method composes. A "\r" in the document is shown as a character without width.
 */
export function bindTextarea(
  doc: BoundDoc,
  element: HTMLTextAreaElement,
  options: TextareaOptions = {},
): Binding {
  return new TextareaBinding(doc, element, options);
}

class TextareaBinding implements Binding {
  readonly #doc: BoundDoc;
  readonly #element: HTMLTextAreaElement;
  readonly #sharing: SelectionSharing;
  readonly #cursors: TextareaCursors | undefined;
  readonly #undoSelection: UndoSelection;
  readonly #lag = new Lag();
  readonly #ends: (() => void)[] = [];
  /** What the element shows, as far as we know. */
  #shown: string;
  /** The selection in `#shown`, before whatever comes next. */
  #selection: { start: number; end: number } | undefined;
  #composing = false;

  constructor(doc: BoundDoc, element: HTMLTextAreaElement, { presence, undo }: TextareaOptions) {
    this.#doc = doc;
    this.#element = element;
    this.#sharing = new SelectionSharing(doc, presence);
    this.#shown = showable(doc.toString());
    if (element.value !== this.#shown) {
      element.value = this.#shown;
    }
    this.#cursors = presence && new TextareaCursors(doc, element, presence);
    this.#ends.push(
      ...followDocument(doc, this.#lag, this, () => {
        this.#release();
      }),
    );
    this.#undoSelection = new UndoSelection(undo, {
      text: doc,
      read: () => this.#selected(),
      write: (selection) => {
        this.#select(selection);
      },
    });
    if (undo) {
      this.#bindUndo(undo);
    }
    this.#listen("beforeinput", () => {
      this.#remember();
    });
    this.#listen("input", () => {
      this.#pull();
      this.#release();
    });
    this.#listen("compositionstart", () => {
      this.#composing = true;
    });
    this.#listen("compositionend", () => {
      // WebKit changes the text after this event (bug 31902), but before microtasks run.
      queueMicrotask(() => {
        this.#composing = false;
        this.#pull();
        this.#release();
      });
    });
    for (const type of ["selectionchange", "select", "focus", "blur"]) {
      this.#listen(type, () => {
        this.#share();
      });
    }
    const selectionMoved = (): void => {
      this.#share();
    };
    element.ownerDocument.addEventListener("selectionchange", selectionMoved);
    this.#ends.push(() => {
      element.ownerDocument.removeEventListener("selectionchange", selectionMoved);
    });
  }

  destroy(): void {
    for (const end of this.#ends.splice(0)) {
      end();
    }
    this.#undoSelection.end();
    this.#cursors?.destroy();
    this.#sharing.share(null);
  }

  #listen(type: string, listener: (event: Event) => void): void {
    this.#element.addEventListener(type, listener);
    this.#ends.push(() => {
      this.#element.removeEventListener(type, listener);
    });
  }

  #bindUndo(undo: BoundUndo): void {
    for (const type of ["keydown", "beforeinput"]) {
      this.#listen(type, (event) => {
        const step = undoStep(event);
        if (step) {
          event.preventDefault();
          // What was undone would wait for the composition's end, and be composed in meanwhile.
          if (!this.#composing && !this.#element.readOnly) {
            this.#pull();
            this.#undoSelection.note();
            undo[step]();
          }
        }
      });
    }
  }

  #remember(): void {
    const { selectionStart, selectionEnd } = this.#element;
    this.#selection = { start: selectionStart, end: selectionEnd };
    this.#undoSelection.note();
  }

  /** Makes what changed on the screen an edit of the document. */
  #pull(): void {
    const after = this.#element.value;
    const splice = spliceBetween(this.#shown, after, this.#selection, this.#element.selectionEnd);
    this.#selection = undefined;
    if (!splice) {
      return;
    }
    const inserted = wellFormed(splice.inserted);
    this.#shown = after;
    try {
      applyToDoc(this.#doc, this.#lag.screenChanged({ ...splice, inserted }), this);
    } catch (error) {
      this.#lag.release();
      this.#element.value = this.#shown = showable(this.#doc.toString());
      throw error;
    }
    if (inserted !== splice.inserted) {
      this.#replace(splice.position, splice.position + inserted.length, inserted);
    }
    this.#cursors?.draw();
    this.#share();
  }

  /** Shows what waited, unless it still has to. */
  #release(): void {
    if (this.#composing || this.#lag.none || this.#ends.length === 0) {
      return;
    }
    // What a script or a form's reset wrote into the element since is an edit like any other.
    this.#pull();
    const { scrollTop, scrollLeft } = this.#element;
    let position = 0;
    for (const step of this.#lag.release()) {
      if ("retain" in step) {
        position += step.retain;
      } else if ("delete" in step) {
        this.#replace(position, position + step.delete, "");
      } else {
        this.#replace(position, position, showable(step.insert));
        position += step.insert.length;
      }
    }
    this.#element.scrollTop = scrollTop;
    this.#element.scrollLeft = scrollLeft;
    this.#cursors?.draw();
  }

  #replace(start: number, end: number, text: string): void {
    const element = this.#element;
    const backward = element.selectionDirection === "backward";
    element.setRangeText(text, start, end, "preserve");
    if (backward) {
      element.setSelectionRange(element.selectionStart, element.selectionEnd, "backward");
    }
    this.#shown = this.#shown.slice(0, start) + text + this.#shown.slice(end);
  }

  /** The selection in the document, if it can be told. */
  #selected(): Selection | undefined {
    const { selectionStart, selectionEnd, selectionDirection } = this.#element;
    if (!this.#lag.none || selectionEnd > this.#doc.length) {
      return undefined;
    }
    return selectionDirection === "backward"
      ? { anchor: selectionEnd, head: selectionStart }
      : { anchor: selectionStart, head: selectionEnd };
  }

  #select({ anchor, head }: Selection): void {
    if (this.#selected() && Math.max(anchor, head) <= this.#shown.length) {
      this.#element.setSelectionRange(Math.min(anchor, head), Math.max(anchor, head), head < anchor ? "backward" : "forward");
    }
  }

  #share(): void {
    const selection = this.#selected();
    if (this.#element.ownerDocument.activeElement !== this.#element) {
      this.#sharing.share(null);
    } else if (selection) {
      this.#sharing.share(selection);
    }
  }
}
