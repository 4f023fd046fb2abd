/** `crdt-js/codemirror`: a CodeMirror 6 editor that shows a document. */
import { Compartment, type Extension, Prec, StateEffect } from "@codemirror/state";
import { EditorView, ViewPlugin } from "@codemirror/view";
import type { Binding, BoundDoc, BoundPresence, BoundUndo } from "../port.js";
import { undoStep } from "../undo.js";
import { Bound } from "./bound.js";
import { cursors } from "./cursors.js";

export type { Binding, BoundDoc, BoundEditor, BoundPresence, BoundUndo } from "../port.js";

export interface CodeMirrorOptions {
  /**
   * Where the selection is published as `selection`, and where others' `selection`, `name` and `color`
   * are read; a provider's `presence`.
   */
  readonly presence?: BoundPresence;
  /** What the keys for undo and redo, and the browser's menu, go to. CodeMirror's `history()` is not needed then. */
  readonly undo?: BoundUndo;
}

/**
 * An extension that shows `doc` in the editor, whose text it replaces, and makes edits there edits of the
 * document.
 *
 * Others' edits arrive as transactions with `Transaction.remote`, which `history()` leaves alone, keep the
 * selection, and wait while an input method composes. A "\r" in the document is shown as a character without
 * width; ends of lines that CodeMirror reads as one character are "\n" in the document. For one editor: an
 * extension in two editors' states binds both.
 */
export function collaboration(doc: BoundDoc, options: CodeMirrorOptions = {}): Extension {
  const { presence, undo } = options;
  const plugin = ViewPlugin.define((view) => new Bound(view, doc, options), {
    eventObservers: {
      compositionend() {
        this.compositionEnded();
      },
    },
  });
  return [
    plugin,
    EditorView.updateListener.of((update) => {
      update.view.plugin(plugin)?.updated(update);
    }),
    presence ? cursors(doc, presence) : [],
    undo ? undoKeys(undo) : [],
  ];
}

/** Binds an editor that is there already; see `collaboration`. */
export function bindCodeMirror(doc: BoundDoc, view: EditorView, options: CodeMirrorOptions = {}): Binding {
  const compartment = new Compartment();
  view.dispatch({
    effects: StateEffect.appendConfig.of(compartment.of(collaboration(doc, options))),
    ...Bound.contents(view.state, doc),
  });
  return {
    destroy() {
      view.dispatch({ effects: compartment.reconfigure([]) });
    },
  };
}

/** Above others' keys: those of `history()` would undo what others did as well. */
function undoKeys(undo: BoundUndo): Extension {
  const take = (event: Event, view: EditorView): boolean => {
    const step = undoStep(event);
    // What was undone would wait for the composition's end, and be composed in meanwhile.
    if (step && !view.composing && !view.state.readOnly) {
      undo[step]();
    }
    return step !== undefined;
  };
  return Prec.highest(EditorView.domEventHandlers({ keydown: take, beforeinput: take }));
}
