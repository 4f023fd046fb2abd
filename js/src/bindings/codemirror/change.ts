import { type ChangeSet, type ChangeSpec, EditorSelection, Text } from "@codemirror/state";
import type { ReleaseStep, Splice } from "../lag.js";
import { insidePair, showable, wellFormed } from "../text.js";

/** What a change in the editor means for the text. */
export interface ReadChange {
  /** In sequence. */
  readonly splices: Splice[];
  /** Whether the editor now holds half surrogate pairs, for which the document gets U+FFFD each. */
  readonly illFormed: boolean;
}

/** Reads a change of an editor that held `before`. */
export function readChange(changes: ChangeSet, before: Text): ReadChange {
  const splices: Splice[] = [];
  let illFormed = false;
  const splits = (position: number): boolean =>
    insidePair(before.sliceString(Math.max(0, position - 1), position + 1), Math.min(1, position));
  changes.iterChanges((from, to, position, _end, inserted) => {
    const text = inserted.toString();
    // Of a pair that is split, the other half stands for the whole.
    const head = splits(from) ? 1 : 0;
    const tail = splits(to) ? 1 : 0;
    const whole = "\ufffd".repeat(head) + wellFormed(text) + "\ufffd".repeat(tail);
    illFormed ||= whole !== text;
    splices.push({ position: position - head, deleted: to - from + head + tail, inserted: whole });
  });
  return { splices, illFormed };
}

/** Changes that show what waited. */
export function showSteps(steps: readonly ReleaseStep[]): ChangeSpec[] {
  const changes: ChangeSpec[] = [];
  let from = 0;
  for (const step of steps) {
    if ("retain" in step) {
      from += step.retain;
    } else if ("delete" in step) {
      changes.push({ from, to: from + step.delete });
      from += step.delete;
    } else {
      changes.push({ from, insert: lines(step.insert) });
    }
  }
  return changes;
}

/**
 * The selection after `changes` where CodeMirror's own would be wrong: of a range that is replaced as a whole
 * it makes one whose end is in front of its start (@codemirror/state 6.7.6, `SelectionRange.map`).
 */
export function keepSelection(selection: EditorSelection, changes: ChangeSet): EditorSelection | undefined {
  const turned = selection.ranges.map(({ from, to }) => from < to && changes.mapPos(from, 1) > changes.mapPos(to, -1));
  if (!turned.includes(true)) {
    return undefined;
  }
  const kept = selection.ranges.map((range, index) =>
    turned[index] ? EditorSelection.cursor(changes.mapPos(range.to, -1)) : range.map(changes),
  );
  return EditorSelection.create(kept, selection.mainIndex);
}

/** Puts U+FFFD in the place of half surrogate pairs. */
export function mend(text: string): ChangeSpec[] {
  return Array.from(text.matchAll(/\p{Surrogate}/gu), ({ index }) => ({ from: index, to: index + 1, insert: "\ufffd" }));
}

/** Text as CodeMirror has it, whatever the editor takes for an end of line. */
export function lines(text: string): Text {
  return Text.of(showable(text).split("\n"));
}
