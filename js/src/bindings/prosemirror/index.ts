/** `crdt-js/prosemirror`: a ProseMirror (or TipTap) editor that shows a document. */
import { type Command, type EditorState, Plugin, PluginKey } from "prosemirror-state";
import { DecorationSet, type EditorView } from "prosemirror-view";
import { CrdtError } from "../../error.js";
import type { Binding, BoundPresence, BoundUndo, RichDoc } from "../port.js";
import { undoStep } from "../undo.js";
import { Connection, type Note, type PluginState } from "./connection.js";
import { Flat, measure } from "./flat.js";
import { Builder } from "./lines.js";
import type { ProseMirrorMapping } from "./rules.js";

export type { Binding, BoundDoc, BoundEditor, BoundPresence, BoundUndo, RichDoc } from "../port.js";
export type { BlockRole, EmbedRule, MarkRule, ProseMirrorMapping } from "./rules.js";

export interface ProseMirrorOptions {
  /**
   * Where the selection is published as `selection`, and where others' `selection`, `name` and `color`
   * are read; a provider's `presence`.
   */
  readonly presence?: BoundPresence;
  /** What the keys for undo and redo, the browser's menu, `undo` and `redo` go to. prosemirror-history is not needed then. */
  readonly undo?: BoundUndo;
  /** What of the schema is what in the document, where it is not as usual. */
  readonly mapping?: ProseMirrorMapping;
  /**
   * Told of each transaction that was refused because the document has no form for what it makes (`code`
   * is `"unsupported-content"`). Without it, these errors are reported as uncaught.
   */
  readonly refused?: (error: CrdtError) => void;
}

const key = new PluginKey<PluginState>("crdt");

/** The undo managers of plugins, for the commands. */
const undos = new WeakMap<Plugin, BoundUndo>();

/**
 * A plugin that shows `doc` in the editor, whose content it replaces, and makes edits there edits of the
 * document: text, marks, kinds of blocks, and nodes without content, each as what it is.
 *
 * What the schema does not know of the document stays in it: marks do not show, embeds show as U+FFFC. What the
 * document has no form for is refused: such a transaction is filtered out, and both sides stay as they were. Others'
 * edits arrive as transactions with `addToHistory: false`, keep the selection, and wait while an input method composes.
 * For one editor: a plugin in two editors' states binds both.
 */
export function collaboration(doc: RichDoc, options: ProseMirrorOptions = {}): Plugin {
  const { presence, undo, mapping } = options;
  const bound = new WeakMap<EditorView, Connection>();
  let forms: { readonly builder: Builder; readonly flat: Flat } | undefined;
  const formsOf = ({ schema }: EditorState): { readonly builder: Builder; readonly flat: Flat } => {
    if (forms?.builder.schema !== schema) {
      const builder = new Builder(schema, mapping);
      forms = { builder, flat: new Flat(builder) };
    }
    return forms;
  };
  const focusMoved = (view: EditorView): void => {
    // The browser moves the focus, and ProseMirror notices, before this is over.
    queueMicrotask(() => bound.get(view)?.focusMoved());
  };
  const takeUndo = (view: EditorView, event: Event): boolean => {
    const step = undo && undoStep(event);
    if (!step) {
      return false;
    }
    event.preventDefault();
    // What was undone would wait for the composition's end, and be composed in meanwhile.
    if (view.editable && !view.composing) {
      undo[step]();
    }
    return true;
  };
  const plugin: Plugin<PluginState> = new Plugin<PluginState>({
    key,
    state: {
      init: () => ({ made: {}, cursors: DecorationSet.empty }),
      apply(transaction, { made, cursors }) {
        const note = transaction.getMeta(plugin) as Note | undefined;
        return {
          made: transaction.docChanged ? { transaction, before: made } : made,
          cursors: note?.cursors ?? cursors.map(transaction.mapping, transaction.doc),
        };
      },
    },
    filterTransaction(transaction, state) {
      const note = transaction.getMeta(plugin) as Note | undefined;
      if (!transaction.docChanged || note?.shows) {
        return true;
      }
      try {
        measure(formsOf(state).flat, transaction.doc);
        return true;
      } catch (error) {
        refuse(error, options.refused);
        return false;
      }
    },
    view(view) {
      const connection = new Connection(view, plugin, doc, { presence, undo, ...formsOf(view.state) });
      bound.set(view, connection);
      return {
        update(_view, before) {
          connection.update(before);
        },
        destroy() {
          bound.delete(view);
          connection.destroy();
        },
      };
    },
    props: {
      decorations(state) {
        const { cursors } = plugin.getState(state) ?? {};
        const { from, to, empty } = state.selection;
        // Not within what is selected: where that is replaced, Chromium would replace the carets as well, and an input method's
        // composition would break when ProseMirror draws them anew.
        return empty ? cursors : cursors?.remove(cursors.find(from, to).filter((each) => each.from === each.to));
      },
      handleKeyDown: takeUndo,
      handleDOMEvents: {
        beforeinput(view, event) {
          bound.get(view)?.input(event.isComposing || event.inputType.includes("Composition"));
          return takeUndo(view, event);
        },
        compositionstart(view) {
          bound.get(view)?.input(true);
          return false;
        },
        compositionend(view) {
          // ProseMirror reads what is left of the composition first.
          setTimeout(() => bound.get(view)?.release());
          return false;
        },
        focus(view) {
          focusMoved(view);
          return false;
        },
        blur(view) {
          focusMoved(view);
          return false;
        },
      },
    },
  });
  if (undo) {
    undos.set(plugin, undo);
  }
  return plugin;
}

/** Binds an editor that is there already; see `collaboration`. */
export function bindProseMirror(doc: RichDoc, view: EditorView, options: ProseMirrorOptions = {}): Binding {
  const plugin = collaboration(doc, options);
  // In front: the keys of prosemirror-history would undo what others did as well.
  view.updateState(view.state.reconfigure({ plugins: [plugin, ...view.state.plugins] }));
  return {
    destroy() {
      view.updateState(view.state.reconfigure({ plugins: view.state.plugins.filter((each) => each !== plugin) }));
    },
  };
}

/** Commands for menus and key maps; there are none to give where the plugin has no `undo`. */
export const undo: Command = (state, dispatch) => run(state, dispatch !== undefined, (manager) => manager.undo());
export const redo: Command = (state, dispatch) => run(state, dispatch !== undefined, (manager) => manager.redo());

function run(state: EditorState, really: boolean, action: (manager: BoundUndo) => boolean): boolean {
  const plugin = key.get(state);
  const manager = plugin && undos.get(plugin);
  return manager !== undefined && (!really || action(manager));
}

/** Errors that nobody asked for are not lost, and stop nobody's input. */
function refuse(error: unknown, refused: ((error: CrdtError) => void) | undefined): void {
  if (error instanceof CrdtError && refused) {
    refused(error);
    return;
  }
  queueMicrotask(() => {
    throw error;
  });
}
