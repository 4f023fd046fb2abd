/** Where an editor shows something else than it was told. */
import { EMBED } from "../../edit.js";
import type { Piece } from "../lag.js";
import { pushOp, type QuillOp } from "./delta.js";

/** How many pairs of characters are compared to find a shortest change. */
const MAX_COMPARISONS = 1_000_000;

/**
 * How an editor differs from what it was told to show: one that takes an image out of code, or puts a "\n"
 * beside a video. Nothing, nearly always.
 */
export function differences(want: readonly QuillOp[], have: readonly QuillOp[], diff: Diff): Piece[] {
  const [wanted, shown] = comparable(want, have);
  if (wanted === shown) {
    return [];
  }
  const text = plain(want);
  let at = 0;
  return shortened(diff(shown, wanted), shown).map((step): Piece => {
    if (step.delete !== undefined) {
      return { kind: "gone", length: step.delete };
    }
    const start = at;
    if (typeof step.insert === "string") {
      at += step.insert.length;
      return { kind: "unseen", length: step.insert.length, text: text.slice(start, at) };
    }
    at += Number(step.retain);
    return { kind: "both", length: Number(step.retain) };
  });
}

/** Which change makes one text of another; quill-delta's. */
export type Diff = (from: string, to: string) => readonly QuillOp[];

/**
 * Two contents as texts, in which a character of its own stands for each embed: for its value, or for its kind if only one of
 * the two has that value, since editors change some.
 */
function comparable(want: readonly QuillOp[], have: readonly QuillOp[]): [wanted: string, shown: string] {
  const values = (ops: readonly QuillOp[]): Set<string> => new Set(ops.map(({ insert }) => (typeof insert === "string" ? "" : JSON.stringify(insert))));
  const names = new Map<string, number>();
  const text = (ops: readonly QuillOp[], others: Set<string>): string =>
    ops
      .map(({ insert = "" }) => {
        if (typeof insert === "string") {
          return insert;
        }
        const value = JSON.stringify(insert);
        const name = others.has(value) ? value : Object.keys(insert).join();
        const number = names.get(name) ?? names.size;
        names.set(name, number);
        return String.fromCharCode(0xe000 + (number % 6400));
      })
      .join("");
  return [text(want, values(have)), text(have, values(want))];
}

/**
 * A change without what it takes away only to put it there again: quill-delta joins changes that are near each other, so that
 * people understand them, and what stands between two things that an editor cannot show would count as one of them.
 */
function shortened(change: readonly QuillOp[], from: string): QuillOp[] {
  const ops: QuillOp[] = [];
  let at = 0;
  let inserted = "";
  let deleted = 0;
  for (const step of [...change, { retain: 0 }]) {
    if (typeof step.insert === "string") {
      inserted += step.insert;
    } else if (step.delete !== undefined) {
      deleted += step.delete;
    } else {
      for (const op of shortest(from.slice(at, at + deleted), inserted)) {
        pushOp(ops, op);
      }
      const retain = Number(step.retain);
      if (retain > 0) {
        pushOp(ops, { retain });
      }
      at += deleted + retain;
      inserted = "";
      deleted = 0;
    }
  }
  return ops;
}

/** The shortest change of one text to another, which keeps surrogate pairs whole. Longer texts are simply replaced. */
function shortest(from: string, to: string): QuillOp[] {
  const [before, after] = [Array.from(from), Array.from(to)];
  if (before.length * after.length > MAX_COMPARISONS) {
    return [{ insert: to }, { delete: from.length }];
  }
  // How much the rests have in common, by where they begin.
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  const commonAt = (row: number, column: number): number => common[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      common[row * width + column] =
        before[row] === after[column]
          ? commonAt(row + 1, column + 1) + 1
          : Math.max(commonAt(row + 1, column), commonAt(row, column + 1));
    }
  }
  const ops: QuillOp[] = [];
  let [row, column] = [0, 0];
  for (;;) {
    const [old, now] = [before[row], after[column]];
    if (old === undefined && now === undefined) {
      return ops;
    }
    if (old !== undefined && old === now) {
      ops.push({ retain: old.length });
      row++;
      column++;
    } else if (now !== undefined && (old === undefined || commonAt(row, column + 1) >= commonAt(row + 1, column))) {
      ops.push({ insert: now });
      column++;
    } else {
      ops.push({ delete: old?.length ?? 0 });
      row++;
    }
  }
}

/** The text of a content, in which U+FFFC stands for each embed. */
function plain(ops: readonly QuillOp[]): string {
  return ops.map((op) => (typeof op.insert === "string" ? op.insert : EMBED)).join("");
}
