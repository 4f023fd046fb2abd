/** Shows those stretches of the document anew that changed elsewhere. */
import type { Node } from "prosemirror-model";
import type { Transaction } from "prosemirror-state";
import type { TextRun } from "../../edit.js";
import type { ReleaseStep } from "../lag.js";
import type { Flat, NodeLine } from "./flat.js";
import { type Builder, linesOf } from "./lines.js";
import { showContent, showNodes } from "./show.js";
import { type Blocks, stretchOf, withNeighbours } from "./write.js";

/** A stretch of the shown text, and of the document, that are not the same. */
export interface Stale {
  readonly from: number;
  readonly to: number;
  readonly docFrom: number;
  readonly docTo: number;
}

/** The stretches that steps of a lag change. `length` is that of the shown text, with its last "\n". */
export function stalesOf(steps: readonly ReleaseStep[], length: number, lastLine: boolean): Stale[] {
  const stales: Stale[] = [];
  let [at, docAt] = [0, 0];
  const add = (shown: number, inDoc: number): void => {
    const last = stales.at(-1);
    const [to, docTo] = [at + shown, docAt + inDoc];
    if (last?.to === at && last.docTo === docAt) {
      stales[stales.length - 1] = { ...last, to, docTo };
    } else {
      stales.push({ from: at, to, docFrom: docAt, docTo });
    }
    [at, docAt] = [to, docTo];
  };
  for (const step of steps) {
    if ("insert" in step) {
      add(0, step.insert.length);
    } else if ("delete" in step) {
      add(step.delete, 0);
    } else if (step.marked) {
      add(step.retain, step.retain);
    } else {
      [at, docAt] = [at + step.retain, docAt + step.retain];
    }
  }
  if (lastLine && at < length) {
    [at, docAt] = [length - 1, docAt + length - 1 - at];
    add(1, 1);
  }
  return stales;
}

/** What there is to show, and what to show it in. */
export interface Show {
  readonly flat: Flat;
  readonly builder: Builder;
  /** What the document holds from one position to another. */
  content(from: number, to: number): TextRun[];
}

/** Makes `transaction` show the document where it does not. */
export function showStales(transaction: Transaction, stales: readonly Stale[], show: Show): void {
  const { doc } = transaction;
  // From the end, so that the places in front stay.
  for (const { blocks, first, last } of grouped(doc, stales, show).reverse()) {
    const line = first === last && lineAt(doc, first, show);
    if (line) {
      showContent(transaction, line.place, line.place + line.length, show.builder.content(line.runs, line.block.type));
      continue;
    }
    const [from, to] = stretchOf(show.flat, doc, blocks);
    const runs = show.content(from + first.docFrom - first.from, to + last.docTo - last.to);
    const [start, end] = [placeOf(doc, blocks.first), placeOf(doc, blocks.end)];
    showNodes(transaction, start, end, show.builder.nodes(linesOf(runs)));
  }
}

/** The line that a stretch is within, if it stays one line, with what the document holds there. */
function lineAt(doc: Node, stale: Stale, show: Show): (NodeLine & { readonly runs: readonly TextRun[] }) | undefined {
  const [line] = show.flat.lines(doc, stale.from, stale.from);
  if (!line || line.block.isLeaf || stale.to > line.start + line.length) {
    return undefined;
  }
  const runs = show.content(line.start + stale.docFrom - stale.from, line.start + line.length + stale.docTo - stale.to);
  const [first, more] = runs;
  const mayBeBlock = first && !more && "embed" in first && show.builder.inline.readEmbed(first.embed, {}, undefined);
  const whole = !runs.some((run) => "text" in run && run.text.includes("\n"));
  return whole && !mayBeBlock ? { ...line, runs } : undefined;
}

/** Stretches that are shown in one go. */
interface Group {
  /** That they and their neighbours are in. */
  readonly blocks: Blocks;
  readonly first: Stale;
  readonly last: Stale;
}

/** Stretches that share blocks go together. */
function grouped(doc: Node, stales: readonly Stale[], { flat }: Show): Group[] {
  const groups: Group[] = [];
  for (const stale of stales) {
    const blocks = withNeighbours(doc, indexOf(flat, doc, stale.from), indexOf(flat, doc, stale.to));
    const group = groups.at(-1);
    if (group && blocks.first < group.blocks.end) {
      groups[groups.length - 1] = { ...group, blocks: { first: group.blocks.first, end: blocks.end }, last: stale };
    } else {
      groups.push({ blocks, first: stale, last: stale });
    }
  }
  return groups;
}

/** The index of the block that a position is in. */
function indexOf(flat: Flat, doc: Node, position: number): number {
  for (let index = 0; index < doc.childCount; index++) {
    position -= flat.size(doc.child(index));
    if (position < 0) {
      return index;
    }
  }
  return doc.childCount - 1;
}

/** The place of a block of the top node. */
export function placeOf(doc: Node, index: number): number {
  let place = 0;
  for (let before = 0; before < index; before++) {
    place += doc.child(before).nodeSize;
  }
  return place;
}
