import { Annotation, type ChangeSet, type EditorState, type Text, Transaction, type TransactionSpec } from "@codemirror/state";
import type { EditorView, PluginValue, ViewUpdate } from "@codemirror/view";
import { followDocument, Lag } from "../lag.js";
import { applyToDoc, type BoundDoc, type BoundPresence, type BoundUndo } from "../port.js";
import { type Selection, SelectionSharing } from "../selection.js";
import { UndoSelection } from "../undo.js";
import { keepSelection, lines, mend, readChange, showSteps } from "./change.js";

/** Of transactions that show what the document holds already. */
const shows = Annotation.define<boolean>();

/** Those transactions are not the user's, and nobody may change them on their way. */
const OURS = {
  annotations: [shows.of(true), Transaction.addToHistory.of(false), Transaction.remote.of(true)],
  filter: false,
} satisfies TransactionSpec;

/** One editor's share of the binding. */
export class Bound implements PluginValue {
  readonly #view: EditorView;
  readonly #doc: BoundDoc;
  readonly #sharing: SelectionSharing;
  readonly #undoSelection: UndoSelection;
  readonly #lag = new Lag();
  readonly #ends: (() => void)[] = [];
  /** Changes of the editor that the document does not have yet, and the text before each. */
  readonly #changes: (readonly [changes: ChangeSet, before: Text])[] = [];
  /** Whether CodeMirror is at work, and takes no transactions. */
  #updating = false;
  /** Whether the editor shows another text altogether. */
  #foreign: boolean;

  constructor(view: EditorView, doc: BoundDoc, options: { readonly presence?: BoundPresence; readonly undo?: BoundUndo }) {
    this.#view = view;
    this.#doc = doc;
    this.#sharing = new SelectionSharing(doc, options.presence);
    this.#ends.push(
      ...followDocument(doc, this.#lag, this, () => {
        this.#release();
      }),
    );
    this.#undoSelection = new UndoSelection(options.undo, {
      text: doc,
      read: () => this.#selection(),
      write: (selection) => {
        this.#select(selection);
      },
    });
    this.#foreign = !view.state.doc.eq(lines(doc.toString()));
    if (this.#foreign) {
      this.#soon(() => {
        this.#showAll();
      });
    }
  }

  /** The transaction that makes an editor show `doc`. */
  static contents(state: EditorState, doc: BoundDoc): TransactionSpec {
    return { ...OURS, changes: { from: 0, to: state.doc.length, insert: lines(doc.toString()) } };
  }

  update(update: ViewUpdate): void {
    this.#updating = true;
    for (const transaction of update.transactions) {
      if (transaction.docChanged && transaction.annotation(shows) === undefined && !this.#foreign) {
        this.#changes.push([transaction.changes, transaction.startState.doc]);
      }
    }
  }

  /** CodeMirror has finished an update. */
  updated({ selectionSet, docChanged, focusChanged }: ViewUpdate): void {
    this.#updating = false;
    this.#pull();
    this.#release();
    this.#share();
    if ((selectionSet || (focusChanged && this.#view.hasFocus)) && !docChanged) {
      this.#undoSelection.note();
    }
  }

  compositionEnded(): void {
    // CodeMirror hears of it after us, and then reads what was left behind in a microtask of its own. What
    // comes before that makes it forget what it has to read.
    this.#soon(() => {
      this.#soon(() => {
        this.#release();
      });
    });
  }

  destroy(): void {
    for (const end of this.#ends.splice(0)) {
      end();
    }
    this.#undoSelection.end();
    this.#sharing.share(null);
  }

  /** Makes what changed in the editor edits of the document. */
  #pull(): void {
    for (let next = this.#changes.shift(); next; next = this.#changes.shift()) {
      const { splices, illFormed } = readChange(...next);
      try {
        applyToDoc(this.#doc, splices.flatMap((splice) => this.#lag.screenChanged(splice)), this);
      } catch (error) {
        // The document refused (it is full): the screen goes back to what it holds.
        this.#changes.length = 0;
        this.#showAll();
        throw error;
      }
      if (illFormed) {
        this.#soon(() => {
          this.#view.dispatch({ ...OURS, changes: mend(this.#view.state.doc.toString()) });
        });
      }
    }
  }

  /** Shows what waited, unless it still has to. */
  #release(): void {
    if (this.#lag.none || this.#updating || this.#foreign || this.#view.composing || this.#ends.length === 0) {
      return;
    }
    this.#pull();
    const { state } = this.#view;
    const changes = state.changes(showSteps(this.#lag.release()));
    // Marks are nothing to show here.
    if (!changes.empty) {
      const selection = keepSelection(state.selection, changes);
      this.#view.dispatch({ ...OURS, changes, ...(selection && { selection }) });
    }
  }

  #showAll(): void {
    this.#lag.release();
    this.#foreign = false;
    this.#view.dispatch(Bound.contents(this.#view.state, this.#doc));
  }

  #selection(): Selection | undefined {
    return this.#lag.none && !this.#foreign && this.#changes.length === 0 ? this.#view.state.selection.main : undefined;
  }

  #select({ anchor, head }: Selection): void {
    if (this.#selection() && Math.max(anchor, head) <= this.#view.state.doc.length) {
      this.#view.dispatch({ selection: { anchor, head }, scrollIntoView: true });
    }
  }

  #share(): void {
    const selection = this.#selection();
    if (!this.#view.hasFocus) {
      this.#sharing.share(null);
    } else if (selection) {
      this.#sharing.share({ anchor: selection.anchor, head: selection.head });
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
