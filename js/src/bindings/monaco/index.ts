/** `crdt-js/monaco`: a Monaco editor that shows a document. */
import type { editor } from "monaco-editor";
import { followDocument, Lag, type ReleaseStep } from "../lag.js";
import { applyToDoc, type Binding, type BoundDoc, type BoundPresence, type BoundUndo } from "../port.js";
import { type Selection, SelectionSharing } from "../selection.js";
import { spliceBetween } from "../splice.js";
import { showable, wellFormed } from "../text.js";
import { UndoSelection } from "../undo.js";
import { MonacoCursors } from "./cursors.js";

export type { Binding, BoundDoc, BoundEditor, BoundPresence, BoundUndo } from "../port.js";

export interface MonacoOptions {
  /**
   * Where the selection is published as `selection`, and where others' `selection`, `name` and `color`
   * are read; a provider's `presence`.
   */
  readonly presence?: BoundPresence;
  /** What the commands for undo and redo go to, instead of the model's own history. */
  readonly undo?: BoundUndo;
}

/**
 * Shows `doc` in the model of `monaco`, whose text it replaces, and makes edits there edits of the document.
 *
 * The model's lines end with "\n" from now on. Others' edits keep the selection, wait while an input method
 * composes, and are not in the model's own history, which does not allow for them: give `undo`. A "\r" in the
 * document is shown as a character without width.
 *
 * @throws TypeError if the editor has no model
 */
export function bindMonaco(doc: BoundDoc, monaco: editor.ICodeEditor, options: MonacoOptions = {}): Binding {
  const model = monaco.getModel();
  if (!model) {
    throw new TypeError("the editor has no model");
  }
  return new MonacoBinding(doc, monaco, model, options);
}

/* eslint-disable @typescript-eslint/no-unsafe-enum-assignment -- of Monaco only types are imported, not its enumerations */
const LF_SEQUENCE: editor.EndOfLineSequence = 0;
const LF_PREFERENCE: editor.EndOfLinePreference = 1;
/* eslint-enable @typescript-eslint/no-unsafe-enum-assignment */

class MonacoBinding implements Binding {
  readonly #doc: BoundDoc;
  readonly #monaco: editor.ICodeEditor;
  readonly #model: editor.ITextModel;
  readonly #sharing: SelectionSharing;
  readonly #cursors: MonacoCursors | undefined;
  readonly #undoSelection: UndoSelection;
  readonly #lag = new Lag();
  readonly #ends: (() => void)[] = [];
  /** The version of the model up to which its changes were taken. */
  #seen: number;
  /** Later changes: what listeners change in the model is told of in another order. */
  readonly #early: editor.IModelContentChangedEvent[] = [];
  #composing = false;
  /** The version that our own change makes. */
  #ours: number | undefined;

  constructor(doc: BoundDoc, monaco: editor.ICodeEditor, model: editor.ITextModel, { presence, undo }: MonacoOptions) {
    this.#doc = doc;
    this.#monaco = monaco;
    this.#model = model;
    this.#sharing = new SelectionSharing(doc, presence);
    const text = showable(doc.toString());
    if (model.getValue(LF_PREFERENCE) !== text) {
      model.setValue(text);
    }
    model.setEOL(LF_SEQUENCE);
    this.#seen = model.getVersionId();
    this.#cursors = presence && new MonacoCursors(doc, monaco, model, presence);
    const listeners = [
      model.onDidChangeContent((event) => {
        this.#heard(event);
      }),
      monaco.onDidCompositionStart(() => {
        this.#composing = true;
      }),
      monaco.onDidCompositionEnd(() => {
        this.#composing = false;
        // What the composition leaves behind may still be on its way into the model.
        this.#soon(() => {
          this.#soon(() => {
            this.#release();
          });
        });
      }),
      monaco.onDidChangeCursorSelection(() => {
        this.#share();
        this.#undoSelection.note();
      }),
      monaco.onDidFocusEditorText(() => {
        this.#share();
        this.#undoSelection.note();
      }),
      monaco.onDidBlurEditorText(() => {
        this.#share();
      }),
    ];
    this.#ends.push(
      ...followDocument(doc, this.#lag, this, () => {
        this.#release();
      }),
      ...listeners.map((listener) => () => {
        listener.dispose();
      }),
    );
    this.#undoSelection = new UndoSelection(undo, {
      text: doc,
      read: () => this.#selection(),
      write: (selection) => {
        this.#select(selection);
      },
    });
    if (undo) {
      this.#bindUndo(undo);
    }
  }

  destroy(): void {
    for (const end of this.#ends.splice(0)) {
      end();
    }
    this.#undoSelection.end();
    this.#cursors?.destroy();
    this.#sharing.share(null);
  }

  /** Keys, menus and the command palette all ask the model. */
  #bindUndo(undo: BoundUndo): void {
    const step = (which: "undo" | "redo") => (): void => {
      // What was undone would wait for the composition's end, and be composed in meanwhile.
      if (!this.#composing) {
        undo[which]();
      }
    };
    Object.assign(this.#model, { undo: step("undo"), redo: step("redo") });
    this.#ends.push(() => {
      // The model's class has them.
      Reflect.deleteProperty(this.#model, "undo");
      Reflect.deleteProperty(this.#model, "redo");
    });
  }

  #heard(event: editor.IModelContentChangedEvent): void {
    this.#early.push(event);
    this.#early.sort((one, other) => one.versionId - other.versionId);
    while (this.#early[0]?.versionId === this.#seen + 1) {
      this.#take(this.#early.shift());
    }
    if (this.#early.length > 0) {
      // Everything has been told by then; what is still missing was several changes in one event.
      this.#soon(() => {
        while (this.#early.length > 0) {
          this.#take(this.#early.shift());
        }
      });
    }
  }

  /** Makes what changed in the model an edit of the document. */
  #take(event: editor.IModelContentChangedEvent | undefined): void {
    if (!event) {
      return;
    }
    this.#seen = event.versionId;
    if (event.versionId === this.#ours) {
      return;
    }
    const changes =
      event.isFlush || event.isEolChange
        ? this.#replaced()
        : event.changes.map(({ rangeOffset, rangeLength, text }) => ({ position: rangeOffset, deleted: rangeLength, inserted: text }));
    const splices = changes.map((splice) => ({ ...splice, inserted: wellFormed(splice.inserted) }));
    try {
      applyToDoc(this.#doc, splices.flatMap((splice) => this.#lag.screenChanged(splice)), this);
    } catch (error) {
      // The document refused (it is full): the screen goes back to what it holds.
      this.#soon(() => {
        this.#lag.release();
        this.#show(this.#replacing(showable(this.#doc.toString())));
      });
      throw error;
    }
    if (splices.some(({ inserted }, index) => inserted !== changes[index]?.inserted)) {
      this.#soon(() => {
        this.#show(this.#replacing(wellFormed(this.#model.getValue())));
      });
    }
    // Other listeners have still to hear of this change.
    this.#soon(() => {
      this.#release();
    });
    this.#cursors?.draw();
    this.#share();
  }

  /** What changed if the model has another text altogether, or other ends of lines. */
  #replaced(): { position: number; deleted: number; inserted: string }[] {
    const text = this.#model.getValue(LF_PREFERENCE);
    this.#model.setEOL(LF_SEQUENCE);
    // What waits is to be seen after the change.
    const shown = this.#lag.shown(showable(this.#doc.toString()));
    const splice = spliceBetween(shown, text, undefined, 0);
    return splice ? [splice] : [];
  }

  /** Shows what waited, unless it still has to. */
  #release(): void {
    const blocked = this.#composing || this.#seen !== this.#model.getVersionId();
    if (this.#lag.none || blocked || this.#ends.length === 0) {
      return;
    }
    this.#show(this.#operations(this.#lag.release()));
    this.#cursors?.draw();
    this.#share();
  }

  #show(operations: editor.IIdentifiedSingleEditOperation[]): void {
    if (operations.length > 0) {
      this.#ours = this.#model.getVersionId() + 1;
      this.#model.applyEdits(operations);
      this.#ours = undefined;
    }
  }

  #operations(steps: readonly ReleaseStep[]): editor.IIdentifiedSingleEditOperation[] {
    const operations: editor.IIdentifiedSingleEditOperation[] = [];
    let position = 0;
    for (const step of steps) {
      if ("retain" in step) {
        position += step.retain;
      } else if ("delete" in step) {
        operations.push({ range: this.#range(position, position + step.delete), text: "" });
        position += step.delete;
      } else {
        operations.push({ range: this.#range(position, position), text: showable(step.insert) });
      }
    }
    return operations;
  }

  /** What makes the model's text `text`: whole lines, because half surrogate pairs mislead Monaco about places beside them. */
  #replacing(text: string): editor.IIdentifiedSingleEditOperation[] {
    const shown = this.#model.getValue();
    const splice = spliceBetween(shown, text, undefined, 0);
    if (!splice) {
      return [];
    }
    const start = splice.position === 0 ? 0 : shown.lastIndexOf("\n", splice.position - 1) + 1;
    const after = shown.indexOf("\n", splice.position + splice.deleted);
    const tail = after < 0 ? 0 : shown.length - after;
    return [{ range: this.#range(start, shown.length - tail), text: text.slice(start, text.length - tail) }];
  }

  #range(start: number, end: number): editor.IIdentifiedSingleEditOperation["range"] {
    const [from, to] = [this.#model.getPositionAt(start), this.#model.getPositionAt(end)];
    return { startLineNumber: from.lineNumber, startColumn: from.column, endLineNumber: to.lineNumber, endColumn: to.column };
  }

  /** The selection in the document, if it can be told. */
  #selection(): Selection | undefined {
    const selection = this.#monaco.getModel() === this.#model ? this.#monaco.getSelection() : null;
    if (!selection || !this.#lag.none || this.#seen !== this.#model.getVersionId()) {
      return undefined;
    }
    return {
      anchor: this.#model.getOffsetAt({ lineNumber: selection.selectionStartLineNumber, column: selection.selectionStartColumn }),
      head: this.#model.getOffsetAt({ lineNumber: selection.positionLineNumber, column: selection.positionColumn }),
    };
  }

  #select({ anchor, head }: Selection): void {
    if (this.#selection()) {
      const [from, to] = [this.#model.getPositionAt(anchor), this.#model.getPositionAt(head)];
      this.#monaco.setSelection({
        selectionStartLineNumber: from.lineNumber,
        selectionStartColumn: from.column,
        positionLineNumber: to.lineNumber,
        positionColumn: to.column,
      });
      this.#monaco.revealPosition(to);
    }
  }

  #share(): void {
    const selection = this.#selection();
    if (!this.#monaco.hasTextFocus()) {
      this.#sharing.share(null);
    } else if (selection) {
      this.#sharing.share(selection);
    }
  }

  #soon(act: () => void): void {
    queueMicrotask(() => {
      if (this.#ends.length > 0) {
        act();
      }
    });
  }
}
