import type { Node } from "prosemirror-model";
import { AllSelection, type EditorState, type Plugin, TextSelection, type Transaction } from "prosemirror-state";
import type { DecorationSet, EditorView } from "prosemirror-view";
import { followDocument, Lag } from "../lag.js";
import { isOfLastLine } from "../last-line.js";
import type { BoundPresence, BoundUndo, RichDoc } from "../port.js";
import { type Selection, SelectionSharing } from "../selection.js";
import { UndoSelection } from "../undo.js";
import { Changes, type Patch, supported } from "./changes.js";
import { cursorsIn } from "./cursors.js";
import type { Flat } from "./flat.js";
import type { Builder } from "./lines.js";
import { showNodes } from "./show.js";
import { placeOf, showStales, stalesOf } from "./stale.js";
import { Writer } from "./write.js";

/** A transaction that an editor made, and those before it which no view has seen yet. */
export interface Made {
  readonly transaction?: Transaction;
  before?: Made | undefined;
}

/** What the plugin keeps in the editor's state. */
export interface PluginState {
  readonly made: Made;
  readonly cursors: DecorationSet;
}

/** What a transaction of this binding says of itself. */
export interface Note {
  /** It shows what the document holds already. */
  readonly shows: boolean;
  readonly cursors?: DecorationSet;
}

/** What all views of a plugin share. */
export interface Shared {
  readonly presence: BoundPresence | undefined;
  readonly undo: BoundUndo | undefined;
  readonly builder: Builder;
  readonly flat: Flat;
}

/** One view that shows a document. */
export class Connection {
  readonly #view: EditorView;
  readonly #plugin: Plugin<PluginState>;
  readonly #doc: RichDoc;
  readonly #presence: BoundPresence | undefined;
  readonly #undoSelection: UndoSelection;
  readonly #builder: Builder;
  readonly #flat: Flat;
  readonly #lag = new Lag();
  readonly #writer: Writer;
  readonly #sharing: SelectionSharing;
  readonly #ends: (() => void)[] = [];
  /** What the document, less what waits in `#lag`, is: the last version that was written or shown. */
  #content: Node;
  #made: Made | undefined;
  /** Whether the formats of the last line changed and still have to be shown. */
  #lastLineWaits = false;
  /** Whether the editor may show something else than the document holds. */
  #unsure = false;
  /** Whether the browser gave a composition up without saying so, as Chromium does when its text is drawn anew. */
  #givenUp = false;
  /** A selection for which the editor has no place, as behind a rule, and what it selects instead until it has one again. */
  #unplaced: { readonly anchor: Uint8Array; readonly head: Uint8Array; readonly instead: EditorState["selection"] } | undefined;
  /** Whether the others moved while they could not be drawn. */
  #redraw = false;

  constructor(view: EditorView, plugin: Plugin<PluginState>, doc: RichDoc, shared: Shared) {
    this.#view = view;
    this.#plugin = plugin;
    this.#doc = doc;
    this.#presence = shared.presence;
    this.#builder = shared.builder;
    this.#flat = shared.flat;
    this.#writer = new Writer(doc, this.#lag, this.#builder, this.#flat);
    this.#sharing = new SelectionSharing(doc, shared.presence);
    for (const name of [...this.#builder.inline.attributeNames, ...this.#builder.blocks.attributeNames]) {
      doc.setExpand(name.split(":", 1)[0] ?? name, "none");
    }
    this.#content = view.state.doc;
    this.#made = plugin.getState(view.state)?.made;
    this.#showAll((transaction) => {
      // Whoever made the view may not hold it yet, as `dispatchTransaction` may expect.
      view.updateState(view.state.apply(transaction));
    });
    // While a view is made, it tells nobody of updates.
    this.#takeMade();
    this.#content = view.state.doc;
    this.#ends.push(
      ...followDocument(doc, this.#lag, this, () => {
        this.release();
      }),
      doc.track((edits, origin) => {
        this.#lastLineWaits ||= origin !== this && edits.some(isOfLastLine);
      }),
    );
    if (shared.presence) {
      this.#ends.push(
        shared.presence.on("change", () => {
          this.#redraw = true;
          this.release();
        }),
      );
      this.#redraw = shared.presence.states.size > 0;
    }
    this.#undoSelection = new UndoSelection(shared.undo, {
      text: doc,
      read: () => (this.#lag.none && this.#content === view.state.doc ? this.#selection() : undefined),
      write: (selection) => {
        this.#select(selection);
      },
    });
  }

  destroy(): void {
    for (const end of this.#ends.splice(0)) {
      end();
    }
    this.#undoSelection.end();
    this.#sharing.share(null);
  }

  /** The view has a new state. */
  update(before: EditorState): void {
    const transactions = this.#takeMade();
    try {
      if (transactions ? transactions.length > 0 : this.#content !== this.#view.state.doc) {
        this.#write(transactions);
      }
    } finally {
      this.release();
    }
    this.share();
    const { state } = this.#view;
    if (before.doc === state.doc && !before.selection.eq(state.selection)) {
      this.#undoSelection.note();
    }
  }

  /** Shows what waited, unless it still has to. */
  release(): void {
    if ((this.#view.composing && !this.#givenUp) || this.#ends.length === 0 || this.#content !== this.#view.state.doc) {
      return;
    }
    if (this.#unsure) {
      this.#showAll((transaction) => {
        this.#view.dispatch(transaction);
      });
    } else if (!this.#lag.none || this.#lastLineWaits) {
      this.#show();
    } else if (this.#redraw) {
      this.#dispatch(this.#view.state.tr, false);
    }
  }

  /** There is input; `composed` if it is an input method's. */
  input(composed: boolean): void {
    this.#givenUp = !composed;
  }

  /** The focus came or went. */
  focusMoved(): void {
    this.share();
    if (this.#view.hasFocus()) {
      this.#undoSelection.note();
    }
  }

  /** Publishes where the selection is. */
  share(): void {
    if (!this.#view.hasFocus()) {
      this.#sharing.share(null);
    } else if (this.#lag.none) {
      this.#sharing.share(this.#selection());
    }
  }

  /** The transactions since the last time; `undefined` if the state is of another line. */
  #takeMade(): Transaction[] | undefined {
    const made = this.#plugin.getState(this.#view.state)?.made;
    const transactions: Transaction[] = [];
    let each = made;
    while (each && each !== this.#made) {
      if (each.transaction) {
        transactions.unshift(each.transaction);
      }
      each = each.before;
    }
    if (made) {
      // What was seen need not be kept.
      made.before = undefined;
    }
    const known = each === this.#made;
    this.#made = made;
    return known ? transactions : undefined;
  }

  /** Makes what was changed in the editor edits of the document. */
  #write(transactions: readonly Transaction[] | undefined): void {
    const { doc } = this.#view.state;
    const changes = new Changes(this.#writer, this.#flat, this.#lag);
    const before = this.#content;
    let patch: Patch | undefined;
    this.#content = doc;
    try {
      this.#doc.transact(() => {
        if (transactions) {
          for (const transaction of transactions) {
            const note = transaction.getMeta(this.#plugin) as Note | undefined;
            changes.write(transaction, note?.shows === true);
          }
        } else {
          changes.writeBetween(before, doc);
        }
        patch = changes.writeBlocks(doc);
      }, this);
    } catch (error) {
      // The document refused (it is full, or a state came past the plugin's filter): the screen goes back to what it holds.
      this.#unsure = true;
      throw error;
    } finally {
      this.#unsure ||= changes.unsure;
    }
    if (patch && this.#view.composing) {
      this.#unsure = true;
    } else if (patch && doc === this.#view.state.doc) {
      const selection = this.#selection();
      const transaction = this.#view.state.tr;
      showNodes(transaction, placeOf(doc, patch.blocks.first), placeOf(doc, patch.blocks.end), patch.nodes);
      this.#keepSelection(transaction, selection);
      this.#dispatch(transaction, true);
    }
  }

  /** Shows what is different in the document. */
  #show(): void {
    const { state } = this.#view;
    const selection = this.#wanted();
    const stales = stalesOf(this.#lag.release(), this.#flat.size(state.doc), this.#lastLineWaits);
    this.#lastLineWaits = false;
    const transaction = state.tr;
    showStales(transaction, stales, {
      flat: this.#flat,
      builder: this.#builder,
      content: (from, to) => this.#writer.content(from, to),
    });
    const isPlaced = this.#keepSelection(transaction, selection);
    const [anchor, head] = isPlaced ? [] : [selection.anchor, selection.head].map((at) => this.#doc.anchorAt(at, "after"));
    this.#dispatch(transaction.setStoredMarks(state.storedMarks), true);
    this.#unplaced = anchor && head && { anchor, head, instead: this.#view.state.selection };
  }

  #showAll(dispatch: (transaction: Transaction) => void): void {
    const { state } = this.#view;
    const selection = supported(this.#flat, state.doc) ? this.#selection() : undefined;
    this.#lag.release();
    const transaction = state.tr;
    showNodes(transaction, 0, state.doc.content.size, this.#writer.nodes(0, this.#doc.length + 1));
    this.#unsure = false;
    this.#lastLineWaits = false;
    if (transaction.docChanged) {
      if (selection) {
        this.#keepSelection(transaction, selection);
      }
      dispatch(this.#noted(transaction, true));
    }
  }

  #dispatch(transaction: Transaction, shows: boolean): void {
    this.#view.dispatch(this.#noted(transaction, shows));
  }

  /** Others' edits are not one's own to undo, and their carets are drawn anew. */
  #noted(transaction: Transaction, shows: boolean): Transaction {
    const presence = this.#presence;
    this.#redraw = false;
    const note: Note = presence
      ? { shows, cursors: cursorsIn(transaction.doc, this.#flat, this.#doc, presence) }
      : { shows };
    return transaction.setMeta(this.#plugin, note).setMeta("addToHistory", false);
  }

  /** In the document. */
  #selection(): Selection {
    const { doc, selection } = this.#view.state;
    const at = (place: number): number =>
      Math.min(this.#lag.toDocument(this.#flat.position(doc, place)), this.#doc.length);
    return { anchor: at(selection.anchor), head: at(selection.head) };
  }

  /** The same, but what had no place in the editor is where it would be. */
  #wanted(): Selection {
    const unplaced = this.#unplaced;
    if (unplaced?.instead === this.#view.state.selection) {
      const [anchor, head] = [this.#doc.resolveAnchor(unplaced.anchor), this.#doc.resolveAnchor(unplaced.head)];
      if (anchor !== undefined && head !== undefined) {
        return { anchor, head };
      }
    }
    return this.#selection();
  }

  /** Puts the selection where it was in the document, if ProseMirror moved it elsewhere. Whether it is there now. */
  #keepSelection(transaction: Transaction, { anchor, head }: Selection): boolean {
    const { doc } = transaction;
    const isAt = (place: number, position: number): boolean =>
      Math.min(this.#flat.position(doc, place), this.#doc.length) === position;
    const isThere = ({ selection }: Transaction): boolean =>
      selection instanceof AllSelection || (isAt(selection.anchor, anchor) && isAt(selection.head, head));
    if (isThere(transaction)) {
      return true;
    }
    const [from, to] = [this.#flat.place(doc, anchor), this.#flat.place(doc, head)];
    return isThere(transaction.setSelection(TextSelection.between(doc.resolve(from), doc.resolve(to))));
  }

  #select({ anchor, head }: Selection): void {
    this.release();
    const { state } = this.#view;
    const at = (position: number): number =>
      this.#flat.place(state.doc, Math.min(this.#lag.toScreen(position), this.#flat.size(state.doc) - 1));
    const selection = TextSelection.between(state.doc.resolve(at(anchor)), state.doc.resolve(at(head)));
    this.#view.dispatch(state.tr.setSelection(selection).scrollIntoView());
  }
}
