import { type AnchoredSelection, Doc, type UndoPort } from "./doc.js";
import { CrdtError } from "./error.js";
import { Events } from "./events.js";
import { NamedText } from "./named-text.js";

export interface UndoOptions {
  /** Edits closer together than this, in milliseconds, are undone together; 0 keeps transactions apart. By default 500. */
  readonly interval?: number;
  /** Whose edits are undone, by `Doc.replica`; by default those of the document itself. */
  readonly replicas?: readonly string[];
}

export interface UndoEvents {
  /** There is more or less to undo or redo. */
  change: { readonly canUndo: boolean; readonly canRedo: boolean };
}

/** Where the selection is, in UTF-16 code units: `anchor` stays where it began, `head` is where the caret blinks. */
export interface UndoSelection {
  readonly anchor: number;
  readonly head: number;
}

/** An editor, or whatever else selects in a text: where it had its selection comes back with what is undone. */
export interface UndoEditor {
  /** The text in which it selects: the document, for its main text, or one of its named texts. */
  readonly text: Pick<Doc, "anchorAt" | "resolveAnchor">;
  /** Where the selection is; `undefined` if there is none, or it cannot be told now. */
  read(): UndoSelection | undefined;
  /** Selects. Called after the text has changed, and after its listeners were told. */
  write(selection: UndoSelection): void;
}

/**
 * Undo and redo of what one replica, or a group, did in a document from now on, whatever others did since.
 *
 * What was inserted goes, as far as it is still there; what was deleted comes back with its marks, unless somebody else deleted
 * it, too; a mark or register gets back what it would have without the undone edit. Undoing is an edit as any other, whose
 * `change` event names the manager as its origin.
 */
export class UndoManager {
  readonly #doc: Doc;
  /** The one whose selection was noted last is the last. */
  readonly #editors: UndoEditor[] = [];
  readonly #port: UndoPort;
  readonly #events = new Events<UndoEvents>();
  readonly #end: () => void;
  #freed = false;

  constructor(doc: Doc, options: UndoOptions = {}) {
    this.#doc = doc;
    this.#port = doc.openUndo(options.interval ?? 500, options.replicas ?? []);
    this.#end = doc.on("version", ({ origin }) => {
      if (origin !== this) {
        this.#record();
      }
    });
  }

  get canUndo(): boolean {
    return !this.#freed && this.#port.undo.canUndo;
  }

  get canRedo(): boolean {
    return !this.#freed && this.#port.undo.canRedo;
  }

  /** Undoes what was done last. Whether there was anything. */
  undo(): boolean {
    return this.#step("undo");
  }

  /** Does again what was undone last, if nothing was edited since. Whether there was anything. */
  redo(): boolean {
    return this.#step("redo");
  }

  /** Ends grouping: the next edit is undone by itself. */
  stop(): void {
    if (!this.#freed) {
      this.#port.undo.stop();
    }
  }

  /**
   * Has the selection of `editor` come back with what is undone, until the returned function is called. Bindings do so for the
   * editor they were given; one manager follows any number of them, in the main text and in named texts.
   *
   * @throws CrdtError `"foreign-text"` if the text is one of another document
   */
  follow(editor: UndoEditor): () => void {
    const { text } = editor;
    if (text instanceof NamedText ? this.#doc.text(text.name) !== text : text instanceof Doc && text !== this.#doc) {
      throw new CrdtError("foreign-text", "the editor's text is one of another document");
    }
    this.#editors.unshift(editor);
    return () => {
      const at = this.#editors.indexOf(editor);
      if (at >= 0) {
        this.#editors.splice(at, 1);
      }
    };
  }

  /**
   * Takes note of where the selection is, from which the next edit starts. To be called when it moves without an edit, and when
   * an editor gets the focus.
   *
   * @param editor one that is followed; by default the one whose selection was noted last
   * @throws CrdtError `"out-of-bounds"`, `"inside-surrogate-pair"` if the editor reads a selection that is none in its text
   */
  noteSelection(editor: UndoEditor | undefined = this.#editors.at(-1)): void {
    const at = editor ? this.#editors.indexOf(editor) : -1;
    const selection = this.#freed || !this.#port.doc() ? undefined : this.#editors[at]?.read();
    if (editor && selection) {
      const { anchor, head } = selection;
      // The ends hold on to what is selected; a caret to what is behind it.
      const ofAnchor = editor.text.anchorAt(anchor, anchor > head ? "after" : "before");
      const ofHead = anchor === head ? ofAnchor : editor.text.anchorAt(head, head > anchor ? "after" : "before");
      this.#port.undo.noteSelection(ofAnchor, ofHead);
      this.#editors.push(...this.#editors.splice(at, 1));
    }
  }

  /** Forgets what could be undone or redone. */
  clear(): void {
    if (!this.#freed) {
      this.#port.undo.clear();
      this.#tell();
    }
  }

  on<Type extends keyof UndoEvents>(type: Type, listener: (event: UndoEvents[Type]) => void): () => void {
    return this.#events.on(type, listener);
  }

  /** Stops watching, and releases the memory. */
  destroy(): void {
    if (!this.#freed) {
      this.#freed = true;
      this.#end();
      this.#editors.length = 0;
      this.#events.clear();
      this.#port.undo.free();
    }
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  #record(): void {
    const doc = this.#port.doc();
    if (doc && !this.#freed) {
      if (this.#port.undo.record(doc, performance.now())) {
        this.#tell();
      }
      try {
        this.noteSelection();
      } catch {
        // The editor does not show this yet: where it is then was noted, or will be.
      }
    }
  }

  #step(which: "undo" | "redo"): boolean {
    if (this.#freed) {
      return false;
    }
    const done = this.#port.step(which, this);
    if (!done) {
      return false;
    }
    if (done.selection) {
      this.#select(done.selection);
    }
    this.#tell();
    return true;
  }

  /** In the editor that shows the text of these anchors; if there are several, in the one whose selection was noted last. */
  #select(selection: AnchoredSelection): void {
    for (const editor of [...this.#editors].reverse()) {
      const [anchor, head] = [editor.text.resolveAnchor(selection.anchor), editor.text.resolveAnchor(selection.head)];
      if (anchor !== undefined && head !== undefined) {
        editor.write({ anchor, head });
        return;
      }
    }
  }

  #tell(): void {
    this.#events.emit("change", { canUndo: this.canUndo, canRedo: this.canRedo });
  }
}
