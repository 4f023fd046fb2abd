/** What a step of ProseMirror changed, as a splice of the flat text. */
import type { Node } from "prosemirror-model";
import type { Step } from "prosemirror-transform";
import { EMBED, runLength, type TextRun } from "../../edit.js";
import { sameJson } from "../../json.js";
import { insidePair } from "../text.js";
import type { Flat } from "./flat.js";

/** The stretch outside of which two versions are the same; places. */
export interface Changed {
  readonly from: number;
  readonly to: number;
  /** Where the stretch ends in the newer version. */
  readonly newTo: number;
}

/** What a step changed. Steps of the usual kinds say it; others are found out. */
export function changedBy(step: Step, before: Node, after: Node): Changed | undefined {
  let changed: Changed | undefined;
  step.getMap().forEach((oldStart, oldEnd, _newStart, newEnd) => {
    changed = changed ? { from: changed.from, to: oldEnd, newTo: newEnd } : { from: oldStart, to: oldEnd, newTo: newEnd };
  });
  // Steps that set marks or attributes move nothing.
  return changed ?? changedBetween(before, after);
}

/** Where two versions differ. Nodes that both have are not looked into. */
export function changedBetween(before: Pick<Node, "content">, after: Pick<Node, "content">): Changed | undefined {
  const from = before.content.findDiffStart(after.content);
  const ends = before.content.findDiffEnd(after.content);
  if (from === null || ends === null) {
    return undefined;
  }
  // Of equal neighbours, one may be found from either side.
  const overlap = Math.max(0, from - Math.min(ends.a, ends.b));
  return { from, to: ends.a + overlap, newTo: ends.b + overlap };
}

/** At `position`, `deleted` code units give way to `inserted`, which is a part of the newer version. */
export interface FlatSplice {
  readonly position: number;
  readonly deleted: number;
  readonly inserted: readonly TextRun[];
  /** The stretch that was compared, in the newer version. */
  readonly from: number;
  readonly to: number;
}

/** How the flat text changed. The "\n" that ends it is never touched: no document has it. */
export function spliceOf(flat: Flat, before: Node, after: Node, changed: Changed): FlatSplice {
  let from = flat.position(before, changed.from);
  let to = flat.position(before, changed.to);
  let newTo = flat.position(after, changed.newTo);
  const last = to === flat.size(before);
  if (last && from > 0) {
    // A last line that went or came takes the "\n" in front of it along.
    from -= 1;
  }
  if (splitsPair(flat, before, from)) {
    from -= 1;
  }
  if (splitsPair(flat, before, to)) {
    [to, newTo] = [to + 1, newTo + 1];
  }
  const one = sequence(flat.runs(before, from, to));
  const other = sequence(flat.runs(after, from, newTo));
  const shorter = Math.min(one.text.length, other.text.length);
  let tail = last && shorter > 0 ? 1 : 0;
  let head = 0;
  while (head < shorter - tail && sameAt(one, head, other, head)) {
    head++;
  }
  if (insidePair(one.text, head) || insidePair(other.text, head)) {
    head--;
  }
  while (tail < shorter - head && sameAt(one, one.text.length - 1 - tail, other, other.text.length - 1 - tail)) {
    tail++;
  }
  if (insidePair(one.text, one.text.length - tail) || insidePair(other.text, other.text.length - tail)) {
    tail--;
  }
  return {
    position: from + head,
    deleted: one.text.length - tail - head,
    inserted: cut(other.runs, head, other.text.length - tail),
    from,
    to: newTo,
  };
}

function splitsPair(flat: Flat, doc: Node, position: number): boolean {
  return position > 0 && insidePair(sequence(flat.runs(doc, position - 1, position + 1)).text, 1);
}

interface Sequence {
  readonly text: string;
  readonly runs: readonly TextRun[];
  readonly embeds: ReadonlyMap<number, TextRun>;
}

function sequence(runs: readonly TextRun[]): Sequence {
  const embeds = new Map<number, TextRun>();
  let text = "";
  for (const run of runs) {
    if ("embed" in run) {
      embeds.set(text.length, run);
      text += EMBED;
    } else {
      text += run.text;
    }
  }
  return { text, runs, embeds };
}

function sameAt(one: Sequence, at: number, other: Sequence, otherAt: number): boolean {
  if (one.text.charCodeAt(at) !== other.text.charCodeAt(otherAt)) {
    return false;
  }
  const [embed, otherEmbed] = [one.embeds.get(at), other.embeds.get(otherAt)];
  return embed && otherEmbed && "embed" in embed && "embed" in otherEmbed
    ? sameJson(embed.embed, otherEmbed.embed)
    : embed === otherEmbed;
}

/** The part of runs from one position to another. */
export function cut(runs: readonly TextRun[], from: number, to: number): TextRun[] {
  const part: TextRun[] = [];
  let at = 0;
  for (const run of runs) {
    const length = runLength(run);
    const [start, end] = [Math.max(from - at, 0), Math.min(to - at, length)];
    if (start < end) {
      part.push("text" in run ? { ...run, text: run.text.slice(start, end) } : run);
    }
    at += length;
  }
  return part;
}
