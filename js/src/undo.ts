import type { Doc, UndoPort } from "./doc.js";
import { Events } from "./events.js";

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

/**
 * Undo and redo of what one replica, or a group, did in a document from now on, whatever others did since.
 *
 * What was inserted goes, as far as it is still there; what was deleted comes back with its marks, unless somebody else deleted
 * it, too; a mark or register gets back what it would have without the undone edit. Undoing is an edit as any other, whose
 * `change` event names the manager as its origin.
 */
export class UndoManager {
  /** How the selection is found and restored; bindings set it. */
  selection:
    | { read(): UndoSelection | undefined; write(selection: UndoSelection): void }
    | undefined;

  readonly #port: UndoPort;
  readonly #events = new Events<UndoEvents>();
  readonly #end: () => void;
  #freed = false;

  constructor(doc: Doc, options: UndoOptions = {}) {
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

  /** Takes note of where the selection is: where the next edit started. To be called when it moves without an edit. */
  noteSelection(): void {
    const doc = this.#port.doc();
    const selection = this.selection?.read();
    if (selection && doc && !this.#freed) {
      this.#port.undo.noteSelection(doc, selection.anchor, selection.head);
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
      this.noteSelection();
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
      this.selection?.write(done.selection);
    }
    this.#tell();
    return true;
  }

  #tell(): void {
    this.#events.emit("change", { canUndo: this.canUndo, canRedo: this.canRedo });
  }
}
