/** Runs in the page: one person's document, with an editor on it. */
import { applyEdits, Doc, type TextEdit, UndoManager } from "crdt-js";
import { Random } from "../../random.js";
import { FakePresence } from "../presence.js";
import type { Adapter, BoundText, Editor } from "./adapter.js";
import { MAIN_TEXT } from "./named.js";
import { randomSplice, wholeAt } from "./splice.js";

/** What a page says after each step. */
export interface Report {
  /** Deltas that were made here since the last report. */
  readonly made: string[];
  /** What does not hold. */
  readonly faults: string[];
  readonly text: string;
  /** All that must be the same in all copies. */
  readonly state: string;
}

/** What the suite calls from outside. */
export class Seat {
  readonly #adapter: Adapter;
  #open: Opened | undefined;

  constructor(adapter: Adapter) {
    this.#adapter = adapter;
  }

  /** A new editor on the document that a snapshot holds, or on its text `name`; `clip` is put on the clipboard. */
  open(snapshot: string, replica: string, name: string | undefined, clip: string): Promise<Report> {
    this.#open?.destroy();
    document.body.replaceChildren();
    copy(clip);
    this.#open = new Opened(this.#adapter, fromBase64(snapshot), replica, name);
    return this.report();
  }

  /** By the editor's own interface; now and then a program edits the document itself. */
  editAtRandom(seed: number): Promise<Report> {
    const { doc, text, editor } = this.#opened;
    const random = new Random(seed);
    const roll = random.fraction();
    if (roll < 0.75) {
      editor.editAtRandom(random);
    } else if (roll < 0.9) {
      const { position, deleted, inserted } = randomSplice(random, text.toString(), ["\r\n", "\r", "by a program"]);
      doc.transact(() => {
        text.delete(position, deleted);
        if (text !== doc) {
          doc.insert(0, BESIDE);
        }
        text.insert(position, inserted);
      });
    } else {
      (this.#adapter.editDocument ?? markAndEmbed)(text, random);
    }
    return this.report();
  }

  /** Selects from somewhere to somewhere, by fractions of the length. */
  select(anchor: number, head: number): Promise<Report> {
    const { text, editor } = this.#opened;
    const all = text.toString();
    editor.select(wholeAt(all, Math.floor(anchor * (all.length + 1))), wholeAt(all, Math.floor(head * (all.length + 1))));
    return this.report();
  }

  /** Where to press and where to let go the mouse to drag the selected text somewhere. */
  drag(to: number): [from: Point, to: Point] | undefined {
    const { text, editor } = this.#opened;
    const selection = editor.selection();
    if (!selection || selection.anchor === selection.head) {
      return undefined;
    }
    const from = editor.pointAt(Math.min(selection.anchor, selection.head));
    const target = editor.pointAt(wholeAt(text.toString(), Math.floor(to * (text.length + 1))));
    return from && target && [from, target];
  }

  /** Applies others' deltas. What the editor shows must not move while an input method composes. */
  async deliver(deltas: readonly string[], composing: boolean): Promise<Report> {
    const { doc, text, editor } = this.#opened;
    const before = JSON.stringify(editor.content());
    const selection = composing ? undefined : editor.selection();
    const marked = selection && [new Caret(text, selection.anchor), new Caret(text, selection.head)];
    for (const delta of deltas) {
      doc.applyDelta(fromBase64(delta));
    }
    const faults: string[] = [];
    if (composing && JSON.stringify(editor.content()) !== before) {
      faults.push("a remote edit did not wait for the composition");
    }
    const moved = marked && editor.selection();
    if (marked && !(moved && marked[0]?.mayBeAt(moved.anchor) && marked[1]?.mayBeAt(moved.head))) {
      const [from, to] = [JSON.stringify(selection), JSON.stringify(moved)];
      faults.push(`the selection ${from} became ${to}, allowed are ${marked.map(String).join(" and ")}`);
    }
    const report = await this.report(composing);
    return { ...report, faults: [...faults, ...report.faults] };
  }

  /** Undoes all there is, and does as much again. */
  async travel(): Promise<[undone: Report, redone: Report]> {
    const { undo } = this.#opened;
    let steps = 0;
    for (; undo.undo(); steps++) {
      await settled();
    }
    const undone = await this.report();
    for (; steps > 0 && undo.redo(); steps--) {
      await settled();
    }
    return [undone, await this.report()];
  }

  /** Lets the others' presence in; where the main text is not the one that is edited, somebody is in that, too. */
  meet(session: string, state: unknown): unknown {
    const { doc, text, presence } = this.#opened;
    presence.show(session, { name: "Ada", color: "#1f6feb", ...(state as object) });
    if (text !== doc) {
      const end = toBase64(doc.anchorAt(doc.length, "before"));
      presence.show("00000000000000f3", { name: "Bo", selection: { anchor: end, head: end } });
    }
    return presence.local;
  }

  async report(composing = false): Promise<Report> {
    await settled();
    return this.#opened.report(composing);
  }

  get #opened(): Opened {
    if (!this.#open) {
      throw new Error("no editor is open");
    }
    return this.#open;
  }
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** What a program writes in the main text where that is not the one that is edited. */
const BESIDE = "_";

class Opened {
  readonly doc: Doc;
  /** What the editor shows. */
  readonly text: BoundText;
  readonly editor: Editor;
  readonly presence = new FakePresence();
  readonly undo: UndoManager;
  readonly #box = document.createElement("div");
  readonly #made: string[] = [];
  /** The text by its events alone. */
  #replayed: string;

  constructor(adapter: Adapter, snapshot: Uint8Array, replica: string, name: string | undefined) {
    this.doc = Doc.fromSnapshot(snapshot, { replica });
    this.text = name === undefined ? this.doc : this.doc.text(name);
    this.#replayed = this.text.toString();
    const watched: { on(type: "change", listener: (event: { readonly edits: readonly TextEdit[] }) => void): unknown } = this.text;
    watched.on("change", ({ edits }) => {
      this.#replayed = applyEdits(this.#replayed, edits);
    });
    this.doc.on("delta", (delta) => this.#made.push(toBase64(delta)));
    this.#box.className = "box";
    document.body.append(this.#box);
    this.undo = new UndoManager(this.doc);
    this.editor = adapter.open(this.text, this.#box, this.presence, this.undo);
  }

  report(composing: boolean): Report {
    const text = this.text.toString();
    const faults: string[] = [];
    if (!composing) {
      const [shown, expected] = [this.editor.content(), this.editor.expected(this.text)].map((value) => JSON.stringify(value));
      if (shown !== expected) {
        faults.push(`the editor holds ${String(shown)}, the document ${String(expected)}`);
      }
    }
    if (this.#replayed !== text) {
      faults.push(`the events give ${JSON.stringify(this.#replayed)}, the document is ${JSON.stringify(text)}`);
    }
    if (this.text !== this.doc) {
      faults.push(...this.#faultsBeside());
    }
    const all = this.text === this.doc ? [this.doc] : [this.text, this.doc];
    const state = JSON.stringify(all.flatMap((each) => [each.runs(), [...each.registers()]]));
    return { made: this.#made.splice(0), faults, text, state };
  }

  /** What the main text has of an editor that is bound to another. */
  #faultsBeside(): string[] {
    const [beside, carets] = [this.doc.toString(), this.#box.querySelectorAll(".crdt-caret").length];
    return [
      ...(beside.replaceAll(BESIDE, "") === MAIN_TEXT ? [] : [`the main text became ${JSON.stringify(beside)}`]),
      ...(carets <= 1 ? [] : ["a caret of another text is drawn in this one"]),
    ];
  }

  destroy(): void {
    this.editor.destroy();
    this.undo.destroy();
    this.doc.free();
  }
}

function markAndEmbed(doc: BoundText, random: Random): void {
  const { position, deleted } = randomSplice(random, doc.toString());
  doc.transact(() => {
    doc.mark(position, deleted, "bold", random.pick([true, null]));
    doc.insertEmbed(position, { mention: "Ada" });
  });
}

/** Editors hear of some things, such as a moved caret, in a task of its own. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Where a caret may be after others' edits: between the characters beside it that are still there. */
class Caret {
  readonly #doc: BoundText;
  /** Both sides of each character, the nearest first. */
  readonly #left: (readonly [Uint8Array, Uint8Array])[] = [];
  readonly #right: (readonly [Uint8Array, Uint8Array])[] = [];

  constructor(doc: BoundText, position: number) {
    this.#doc = doc;
    let at = 0;
    for (const character of doc.toString()) {
      const sides = [doc.anchorAt(at, "before"), doc.anchorAt(at + character.length, "after")] as const;
      if (at < position) {
        this.#left.unshift(sides);
      } else {
        this.#right.push(sides);
      }
      at += character.length;
    }
  }

  mayBeAt(position: number): boolean {
    const [least, most] = this.#bounds();
    return position >= least && position <= most;
  }

  toString(): string {
    return this.#bounds().join("..");
  }

  #bounds(): [number, number] {
    const [, least] = this.#nearest(this.#left) ?? [0, 0];
    const [most] = this.#nearest(this.#right) ?? [this.#doc.length, 0];
    return [least, most];
  }

  #nearest(characters: readonly (readonly [Uint8Array, Uint8Array])[]): [number, number] | undefined {
    for (const [before, after] of characters) {
      const [start, end] = [this.#doc.resolveAnchor(before) ?? 0, this.#doc.resolveAnchor(after) ?? 0];
      if (start < end) {
        return [start, end];
      }
    }
    return undefined;
  }
}

function copy(text: string): void {
  const field = document.createElement("textarea");
  document.body.append(field);
  field.value = text;
  field.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the clipboard's own interface is for pages over TLS
  document.execCommand("copy");
  field.remove();
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
