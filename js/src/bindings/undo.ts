import type { BoundEditor, BoundUndo } from "./port.js";

/** Which step of undo a key press or an input asks for, if any: Mod-Z, Mod-Shift-Z, Ctrl-Y, the browser's menu. */
export function undoStep(event: Event): "undo" | "redo" | undefined {
  if (event.type === "beforeinput") {
    const { inputType } = event as InputEvent;
    return inputType === "historyUndo" ? "undo" : inputType === "historyRedo" ? "redo" : undefined;
  }
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event as KeyboardEvent;
  if (altKey || ctrlKey === metaKey) {
    return undefined;
  }
  switch (key.toLowerCase()) {
    case "z":
      return shiftKey ? "redo" : "undo";
    case "y":
      return ctrlKey && !shiftKey ? "redo" : undefined;
    default:
      return undefined;
  }
}

/** One editor's selection, as an undo manager keeps it; of none, nothing. */
export class UndoSelection {
  readonly #undo: BoundUndo | undefined;
  readonly #editor: BoundEditor;
  readonly #end: (() => void) | undefined;

  constructor(undo: BoundUndo | undefined, editor: BoundEditor) {
    this.#undo = undo;
    this.#editor = editor;
    this.#end = undo?.follow?.(editor);
  }

  /** The selection may have moved without an edit. */
  note(): void {
    try {
      this.#undo?.noteSelection?.(this.#editor);
    } catch {
      // It ends inside a surrogate pair, or the document was freed: then it does not come back.
    }
  }

  end(): void {
    this.#end?.();
  }
}
