/** The keys, the browser's menu and Quill's history module go to an undo manager. */
import type Quill from "quill";
import type { BoundUndo } from "../port.js";
import { undoStep } from "../undo.js";

/** What of Quill's history module its types hide. */
export interface History {
  readonly options: { userOnly: boolean };
  clear(): void;
  change?(source: "undo" | "redo"): void;
  record?(): void;
}

export function historyOf(quill: Quill): History | undefined {
  return quill.getModule("history") as History | undefined;
}

/**
 * Lets `undo` do what Quill's own history did, which notes nothing any more. Returns what ends that.
 */
export function bindUndo(quill: Quill, undo: BoundUndo): () => void {
  const step = (which: "undo" | "redo"): void => {
    // What was undone would wait for the composition's end, and be composed in meanwhile.
    if (!quill.composition.isComposing && quill.isEnabled()) {
      quill.update("user");
      undo[which]();
    }
  };
  const asked = (event: Event): void => {
    const which = undoStep(event);
    if (which) {
      event.preventDefault();
      event.stopImmediatePropagation();
      step(which);
    }
  };
  for (const type of ["keydown", "beforeinput"]) {
    quill.root.addEventListener(type, asked, { capture: true });
  }
  const history = historyOf(quill);
  if (history) {
    // What calls the module (a toolbar's button) gets here, too.
    history.change = step;
    history.record = () => undefined;
  }
  return () => {
    for (const type of ["keydown", "beforeinput"]) {
      quill.root.removeEventListener(type, asked, { capture: true });
    }
    if (history) {
      delete history.change;
      delete history.record;
    }
  };
}
