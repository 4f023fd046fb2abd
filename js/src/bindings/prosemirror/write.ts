/** Writes what was changed in the editor into the document. */
import type { Node, NodeType } from "prosemirror-model";
import { EMBED, marksOf, runLength, type TextRun } from "../../edit.js";
import { type Json, type Marks, sameJson } from "../../json.js";
import type { Lag } from "../lag.js";
import { lastLine, markLastLine } from "../last-line.js";
import type { RichDoc } from "../port.js";
import { insidePair, wellFormed } from "../text.js";
import { KINDS } from "./blocks.js";
import type { Flat, NodeLine } from "./flat.js";
import { type Builder, linesOf } from "./lines.js";
import { type Changed, type FlatSplice, spliceOf } from "./splice.js";

/** A run of blocks of the top node, by their indexes. */
export interface Blocks {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

export class Writer {
  readonly #doc: RichDoc;
  readonly #lag: Lag;
  readonly #builder: Builder;
  readonly #flat: Flat;

  constructor(doc: RichDoc, lag: Lag, builder: Builder, flat: Flat) {
    this.#doc = doc;
    this.#lag = lag;
    this.#builder = builder;
    this.#flat = flat;
  }

  /**
   * Writes what changed of text, embeds and their marks between two versions. Returns whether the document may
   * show something else afterwards, other kinds of lines at least: that is for `writeFormats`, once all steps are written.
   */
  write(before: Node, after: Node, changed: Changed): boolean {
    const splice = spliceOf(this.#flat, before, after, changed);
    const changedText = this.#splice(splice);
    const doubtful = this.#writeMarks(after, splice.from, splice.to);
    return changedText || doubtful || !withinOneBlock(before, changed.from, changed.to) || !withinOneBlock(after, changed.from, changed.newTo);
  }

  /** What the document holds from one position of the flat text to another, with the "\n" that ends the last line. */
  content(from: number, to: number): TextRun[] {
    const { length } = this.#doc;
    const runs = this.#doc.runs(Math.min(from, length), Math.min(to, length));
    return to > length ? [...runs, { text: "\n", marks: lastLine(this.#doc) }] : runs;
  }

  /** The nodes that the document says stand there. The editor must not lag behind. */
  nodes(from: number, to: number): Node[] {
    return this.#builder.nodes(linesOf(this.content(from, to)));
  }

  /** Writes what kinds of lines these blocks are, where the document says something else. */
  writeFormats(after: Node, blocks: Blocks): void {
    const [from, to] = stretchOf(this.#flat, after, blocks);
    if (this.#lag.none && sameNodes(this.nodes(from, to), after, blocks)) {
      return;
    }
    const end = this.#flat.size(after) - 1;
    for (const line of this.#flat.lines(after, from, to)) {
      const position = line.start + line.length;
      if (position === end) {
        for (const [name, value] of this.#differences(line, lastLine(this.#doc))) {
          markLastLine(this.#doc, name, value);
        }
        continue;
      }
      for (const stretch of this.#lag.stretches(position, 1)) {
        const [run] = this.#doc.runs(stretch.position, stretch.position + 1);
        for (const [name, value] of this.#differences(line, run ? marksOf(run) : {})) {
          this.#doc.mark(stretch.position, 1, name, value);
        }
      }
    }
  }

  /** What to set on a line's "\n". */
  #differences({ format }: NodeLine, has: Marks): [name: string, value: Json][] {
    const shown = this.#builder.shownFormat(has);
    if (sameJson(shown, format)) {
      return [];
    }
    const names = new Set<string>([...KINDS, ...Object.keys(shown), ...Object.keys(format)]);
    return differences(has, format, names);
  }

  /** Whether the document took something else than the editor has. */
  #splice({ position, deleted, inserted }: FlatSplice): boolean {
    const text = inserted.map((run) => ("text" in run ? run.text : EMBED)).join("");
    const kept = wellFormed(text);
    let at = 0;
    for (const edit of this.#lag.screenChanged({ position, deleted, inserted: kept })) {
      if (edit.type === "delete") {
        this.#doc.delete(edit.position, edit.length);
        continue;
      }
      for (const run of inserted) {
        this.#insert(edit.position + at, run, kept.slice(at, at + runLength(run)));
        at += runLength(run);
      }
    }
    return kept !== text;
  }

  #insert(position: number, run: TextRun, text: string): void {
    if ("embed" in run) {
      this.#doc.insertEmbed(position, run.embed);
      return;
    }
    for (const part of text.split(/(\n)/)) {
      if (part === "\n") {
        this.#doc.insert(position, part, marksOf(run));
      } else if (part !== "") {
        // With the marks of the place, of which this schema may not know all; `#writeMarks` sets those it knows.
        this.#doc.insert(position, part);
      }
      position += part.length;
    }
  }

  /**
   * Sets the marks of text and embeds from one position to another, where the document has others. Returns
   * whether it may show something else for all that.
   */
  #writeMarks(after: Node, from: number, to: number): boolean {
    const { inline } = this.#builder;
    const edits: MarkEdit[] = [];
    let doubtful = false;
    for (const line of this.#flat.lines(after, from, to)) {
      // An embed that is alone now may be a block.
      doubtful ||= line.length === 1 && !line.block.isLeaf && line.block.textBetween(line.offset, line.offset + 1, "", EMBED) === EMBED;
      const start = Math.max(from, line.start);
      const end = Math.min(to, line.start + line.length);
      for (const { position, length } of start < end ? this.#lag.stretches(start, end - start) : []) {
        const offset = this.#lag.toScreen(position) - line.start;
        const runs = this.#flat.lineRuns(line, offset, offset + length);
        const want = wholePairs(runs);
        doubtful ||= want !== runs;
        if (this.#doc.plain && want.every((run) => Object.keys(marksOf(run)).length === 0)) {
          continue;
        }
        doubtful ||= inline.shared.size > 0 && want.some((run) => Object.keys(marksOf(run)).some((name) => inline.shared.has(name)));
        this.#compare(edits, position, this.#doc.runs(position, position + length), want, line.block.type);
      }
    }
    for (const { position, length, name, value } of edits) {
      this.#doc.mark(position, length, name, value);
    }
    return doubtful;
  }

  #compare(edits: MarkEdit[], position: number, has: readonly TextRun[], want: readonly TextRun[], block: NodeType): void {
    for (const [length, one, other] of zip(has, want)) {
      const shown = this.#builder.shownMarks(one, block);
      if (!sameJson(shown, marksOf(other))) {
        const names = new Set([...this.#builder.inline.names, ...Object.keys(marksOf(other))]);
        for (const [name, value] of differences(marksOf(one), marksOf(other), names)) {
          pushMark(edits, { position, length, name, value });
        }
      }
      position += length;
    }
  }
}

interface MarkEdit {
  readonly position: number;
  readonly length: number;
  readonly name: string;
  readonly value: Json;
}

/** Appends an edit; one that goes on where another ends lengthens that. */
function pushMark(edits: MarkEdit[], edit: MarkEdit): void {
  const found = edits.findIndex(
    ({ position, length, name, value }) =>
      name === edit.name && position + length === edit.position && sameJson(value, edit.value),
  );
  const before = edits[found];
  if (before) {
    edits[found] = { ...before, length: before.length + edit.length };
  } else {
    edits.push(edit);
  }
}

function differences(has: Marks, want: Marks, names: Iterable<string>): [name: string, value: Json][] {
  return [...names].flatMap((name): [string, Json][] => {
    const value = want[name] ?? null;
    return sameJson(has[name] ?? null, value) ? [] : [[name, value]];
  });
}

/** The same runs, or, if a boundary is within a surrogate pair, others with whole pairs. */
function wholePairs(runs: readonly TextRun[]): readonly TextRun[] {
  const splits = runs.some((run, index) => {
    const before = runs[index - 1];
    return "text" in run && before && "text" in before && insidePair(before.text.slice(-1) + run.text, 1);
  });
  if (!splits) {
    return runs;
  }
  const whole: TextRun[] = [];
  for (const run of runs) {
    const before = whole.at(-1);
    if ("text" in run && before && "text" in before && insidePair(before.text.slice(-1) + run.text, 1)) {
      whole[whole.length - 1] = { ...before, text: before.text + run.text.slice(0, 1) };
      whole.push({ ...run, text: run.text.slice(1) });
    } else {
      whole.push(run);
    }
  }
  return whole.filter((run) => runLength(run) > 0);
}

/** Two lists of runs side by side, cut where either has a boundary. */
function* zip(one: readonly TextRun[], other: readonly TextRun[]): Generator<[length: number, one: TextRun, other: TextRun]> {
  let [i, j, within, withinOther] = [0, 0, 0, 0];
  for (;;) {
    const [first, second] = [one[i], other[j]];
    if (!first || !second) {
      return;
    }
    const length = Math.min(runLength(first) - within, runLength(second) - withinOther);
    yield [length, first, second];
    within += length;
    withinOther += length;
    if (within === runLength(first)) {
      [i, within] = [i + 1, 0];
    }
    if (withinOther === runLength(second)) {
      [j, withinOther] = [j + 1, 0];
    }
  }
}

/** Whether a stretch begins and ends in the same line of the same block of text. */
function withinOneBlock(doc: Node, from: number, to: number): boolean {
  const [start, end] = [doc.resolve(from), doc.resolve(to)];
  return start.parent.isTextblock && start.sameParent(end) && !doc.textBetween(from, to, undefined, " ").includes("\n");
}

/**
 * Some blocks of the top node with their neighbours, for they may become one; and with all lists next to these, for
 * how deep an item is depends on those in front of it.
 */
export function withNeighbours(doc: Node, first: number, last: number): Blocks {
  const isList = (index: number): boolean => index >= 0 && index < doc.childCount && isListLike(doc.child(index));
  let [start, end] = [first - 1, last + 2];
  while (isList(start)) {
    start--;
  }
  while (isList(end - 1)) {
    end++;
  }
  return { first: Math.max(0, start), end: Math.min(doc.childCount, end) };
}

/** Whether it holds blocks in blocks, as lists do. */
function isListLike(block: Node): boolean {
  return block.firstChild !== null && !block.isTextblock && !block.firstChild.isTextblock;
}

/** The positions where some blocks begin and end. */
export function stretchOf(flat: Flat, doc: Node, { first, end }: Blocks): [from: number, to: number] {
  let from = 0;
  for (let index = 0; index < first; index++) {
    from += flat.size(doc.child(index));
  }
  let to = from;
  for (let index = first; index < end; index++) {
    to += flat.size(doc.child(index));
  }
  return [from, to];
}

export function sameNodes(nodes: readonly Node[], doc: Node, { first, end }: Blocks): boolean {
  return nodes.length === end - first && nodes.every((node, index) => node.eq(doc.child(first + index)));
}
