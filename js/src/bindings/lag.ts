import { EMBED, type TextEdit, type TextOnlyEdit } from "../edit.js";
import type { BoundDoc } from "./port.js";

/** A change of what the editor shows: at `position`, `deleted` code units give way to `inserted`. */
export interface Splice {
  readonly position: number;
  readonly deleted: number;
  /** U+FFFC stands for an embed. */
  readonly inserted: string;
}

/** A step over the shown text, as in Quill's deltas. */
export type ReleaseStep =
  /** `marked`: its marks are others now. */
  | { readonly retain: number; readonly marked?: true }
  /** U+FFFC stands for an embed. */
  | { readonly insert: string }
  | { readonly delete: number };

/** A stretch of the document. */
export interface Stretch {
  readonly position: number;
  readonly length: number;
}

/** A step past what an editor cannot show as it is: on the screen alone, or in the document alone. */
export type StuckStep = { readonly ghost: number } | { readonly hidden: number };

/**
 * A stretch of text. `both`: shown, and in the document. `unseen`: in the document, not shown yet.
 * `gone`: still shown, no longer in the document. Behind the last piece everything is `both`. What is `stuck` the
 * editor was told to take away, or to show, and did not.
 */
export type Piece =
  | { readonly kind: "both"; readonly length: number; readonly marked?: true }
  | { readonly kind: "gone"; readonly length: number; readonly stuck?: true }
  | { readonly kind: "unseen"; readonly length: number; readonly text: string; readonly stuck?: true };

/**
 * How far what an editor shows lags behind the document, while remote edits wait (for the end of an
 * input method's composition), or for good, where an editor cannot show what the document holds.
 *
 * It translates edits of the shown text into edits of the document meanwhile, exactly, and says in the
 * end what to change on the screen. No lag is the usual state and costs nothing.
 */
export class Lag {
  #pieces: Piece[] = [];
  #waits = false;

  get none(): boolean {
    return this.#pieces.length === 0;
  }

  /** Whether the document changed since the screen was told to show it. */
  get waits(): boolean {
    return this.#waits;
  }

  /** The document changed and the screen did not. */
  documentChanged(edits: readonly TextEdit[]): void {
    this.#waits ||= edits.length > 0;
    for (const edit of edits) {
      if (edit.type === "register") {
        continue;
      }
      const at = this.#cut(edit.position, inDocument);
      if (edit.type === "insert" || edit.type === "embed") {
        const text = edit.type === "insert" ? edit.text : EMBED;
        this.#pieces.splice(at, 0, { kind: "unseen", length: text.length, text });
        continue;
      }
      const end = this.#cut(edit.position + edit.length, inDocument);
      const touched = this.#pieces.slice(at, end);
      const left =
        edit.type === "mark"
          ? touched.map((piece): Piece => (piece.kind === "both" ? { ...piece, marked: true } : piece))
          : touched
              .filter((piece) => piece.kind !== "unseen")
              .map((piece): Piece => (piece.kind === "gone" ? piece : { kind: "gone", length: piece.length }));
      this.#pieces.splice(at, end - at, ...left);
    }
  }

  /**
   * The screen changed: what to change in the document, in sequence. The caller does it, and does not
   * report it as `documentChanged`.
   */
  screenChanged({ position, deleted, inserted }: Splice): TextOnlyEdit[] {
    if (this.none) {
      const edits: TextOnlyEdit[] = [];
      if (deleted > 0) {
        edits.push({ type: "delete", position, length: deleted });
      }
      if (inserted !== "") {
        edits.push({ type: "insert", position, text: inserted });
      }
      return edits;
    }
    const edits: TextOnlyEdit[] = [];
    const at = this.#cut(position, onScreen);
    const end = this.#cut(position + deleted, onScreen);
    let inDoc = sum(this.#pieces.slice(0, at), inDocument);
    const insertAt = inDoc;
    const left: Piece[] = [];
    for (const piece of this.#pieces.slice(at, end)) {
      if (piece.kind === "both") {
        edits.push({ type: "delete", position: inDoc, length: piece.length });
      } else if (piece.kind === "unseen") {
        left.push(piece);
        inDoc += piece.length;
      }
    }
    if (inserted !== "") {
      edits.push({ type: "insert", position: insertAt, text: inserted });
      left.unshift({ kind: "both", length: inserted.length });
    }
    this.#pieces.splice(at, end - at, ...left);
    return edits;
  }

  /** What is on the screen, given what it will be when nothing lags: "\ufffd" for each code unit that is gone. */
  shown(text: string): string {
    let shown = "";
    let position = 0;
    for (const piece of this.#pieces) {
      shown += piece.kind === "gone" ? "\ufffd".repeat(piece.length) : "";
      shown += piece.kind === "both" ? text.slice(position, position + piece.length) : "";
      position += inDocument(piece);
    }
    return shown + text.slice(position);
  }

  /** Where in the document stands what the screen shows from `position` on. */
  stretches(position: number, length: number): Stretch[] {
    const found: Stretch[] = [];
    let screen = 0;
    let inDoc = 0;
    const take = (pieceLength: number): void => {
      const start = Math.max(position, screen);
      const end = Math.min(position + length, screen + pieceLength);
      if (start < end) {
        found.push({ position: inDoc + start - screen, length: end - start });
      }
    };
    for (const piece of this.#pieces) {
      if (piece.kind === "both") {
        take(piece.length);
      }
      screen += onScreen(piece);
      inDoc += inDocument(piece);
    }
    take(Infinity);
    return found;
  }

  /** Where in the document a caret on the screen stands: in front of what is not shown there. */
  toDocument(position: number): number {
    let screen = 0;
    let inDoc = 0;
    for (const piece of this.#pieces) {
      if (position <= screen + onScreen(piece)) {
        return inDoc + (piece.kind === "both" ? position - screen : 0);
      }
      screen += onScreen(piece);
      inDoc += inDocument(piece);
    }
    return inDoc + position - screen;
  }

  /** Where on the screen a place in the document is. */
  toScreen(position: number): number {
    let screen = 0;
    let inDoc = 0;
    for (const piece of this.#pieces) {
      if (position < inDoc + inDocument(piece)) {
        return screen + (piece.kind === "both" ? position - inDoc : 0);
      }
      screen += onScreen(piece);
      inDoc += inDocument(piece);
    }
    return screen + position - inDoc;
  }

  /** The screen may show these marks differently from the document, though nobody changed them. */
  remark(position: number, length: number): void {
    for (const stretch of this.stretches(position, length)) {
      this.documentChanged([{ type: "mark", ...stretch, name: "", value: null }]);
    }
  }

  /** What to change on the screen so that it shows the document. The lag is over. */
  release(): ReleaseStep[] {
    const steps = this.#pieces.map((piece): ReleaseStep => {
      switch (piece.kind) {
        case "both":
          return piece.marked ? { retain: piece.length, marked: true } : { retain: piece.length };
        case "gone":
          return { delete: piece.length };
        case "unseen":
          return { insert: piece.text };
      }
    });
    this.#pieces = [];
    this.#waits = false;
    return steps;
  }

  /** The same, but for what is stuck: that stays as it is. */
  releaseOthers(): (ReleaseStep | StuckStep)[] {
    const before = this.#pieces;
    const isStuck = (piece: Piece): boolean => piece.kind !== "both" && piece.stuck === true;
    const steps = this.release().map((step, index): ReleaseStep | StuckStep => {
      const piece = before[index];
      if (!piece || !isStuck(piece)) {
        return step;
      }
      return piece.kind === "gone" ? { ghost: piece.length } : { hidden: piece.length };
    });
    if (before.some(isStuck)) {
      this.#pieces = before
        .filter((piece) => isStuck(piece) || piece.kind !== "gone")
        .map((piece) => (isStuck(piece) ? piece : { kind: "both", length: piece.length }));
    }
    return steps;
  }

  /** The screen was told to show the document and shows something else: this is how they differ. */
  differs(pieces: readonly Piece[]): void {
    this.#pieces = pieces.map((piece) => (piece.kind === "both" ? piece : { ...piece, stuck: true }));
  }

  /** What is stuck, and where. */
  stuck(): { readonly piece: Piece; readonly onScreen: number; readonly inDocument: number }[] {
    const found = [];
    let [screen, inDoc] = [0, 0];
    for (const piece of this.#pieces) {
      if (piece.kind !== "both" && piece.stuck) {
        found.push({ piece, onScreen: screen, inDocument: inDoc });
      }
      screen += onScreen(piece);
      inDoc += inDocument(piece);
    }
    return found;
  }

  /** Makes a boundary at `position` and gives the index of the first piece behind it. */
  #cut(position: number, measure: (piece: Piece) => number): number {
    let rest = position;
    for (const [index, piece] of this.#pieces.entries()) {
      if (rest === 0) {
        return index;
      }
      const length = measure(piece);
      if (rest < length) {
        this.#pieces.splice(index, 1, part(piece, 0, rest), part(piece, rest, piece.length));
        return index + 1;
      }
      rest -= length;
    }
    if (rest > 0) {
      this.#pieces.push({ kind: "both", length: rest });
    }
    return this.#pieces.length;
  }
}

function inDocument(piece: Piece): number {
  return piece.kind === "gone" ? 0 : piece.length;
}

function onScreen(piece: Piece): number {
  return piece.kind === "unseen" ? 0 : piece.length;
}

function part(piece: Piece, start: number, end: number): Piece {
  return piece.kind === "unseen"
    ? { ...piece, length: end - start, text: piece.text.slice(start, end) }
    : { ...piece, length: end - start };
}

function sum(pieces: readonly Piece[], measure: (piece: Piece) => number): number {
  return pieces.reduce((total, piece) => total + measure(piece), 0);
}

/**
 * Tells `lag` of every edit that is not the binding's own the moment it is made, and calls `changed` after
 * each change, when the screen may follow. Returns what ends both.
 */
export function followDocument(doc: BoundDoc, lag: Lag, binding: unknown, changed: () => void): (() => void)[] {
  return [
    doc.track((edits, origin) => {
      if (origin !== binding) {
        lag.documentChanged(edits);
      }
    }),
    doc.on("change", changed),
  ];
}
