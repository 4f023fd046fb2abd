/** Changes of ProseMirror's document that touch what differs and nothing else. */
import { Fragment, Mark, type Node, Slice } from "prosemirror-model";
import type { Transaction } from "prosemirror-state";
import { ReplaceStep } from "prosemirror-transform";
import { changedBetween } from "./splice.js";

/** Makes the nodes between two places of the top node these. */
export function showNodes(tr: Transaction, from: number, to: number, nodes: readonly Node[]): void {
  const old = tr.doc.slice(from, to).content;
  const wanted = Fragment.from(nodes);
  const shorter = Math.min(old.childCount, wanted.childCount);
  let start = 0;
  while (start < shorter && old.child(start).eq(wanted.child(start))) {
    from += old.child(start).nodeSize;
    start++;
  }
  let tail = 0;
  while (tail < shorter - start && fromEnd(old, tail).eq(fromEnd(wanted, tail))) {
    to -= fromEnd(old, tail).nodeSize;
    tail++;
  }
  const left = old.content.slice(start, old.childCount - tail);
  const right = wanted.content.slice(start, wanted.childCount - tail);
  if (left.length === right.length && [...left, ...right].every((node) => node.isTextblock)) {
    left.reverse().forEach((node, index) => {
      to -= node.nodeSize;
      showBlock(tr, to, node, fromEnd(wanted, tail + index));
    });
  } else if (left.length + right.length > 0) {
    replaceDifference(tr, from, to, Fragment.from(right));
  }
}

function fromEnd(nodes: Fragment, index: number): Node {
  return nodes.child(nodes.childCount - 1 - index);
}

/** Makes the block of text at a place another one. */
function showBlock(tr: Transaction, place: number, old: Node, wanted: Node): void {
  if (old.eq(wanted)) {
    return;
  }
  if (!old.sameMarkup(wanted)) {
    if (!wanted.type.validContent(old.content)) {
      tr.replaceWith(place, place + old.nodeSize, wanted);
      return;
    }
    tr.setNodeMarkup(place, wanted.type, wanted.attrs);
  }
  showContent(tr, place + 1, place + 1 + old.content.size, wanted.content);
}

/** Makes the content between two places in a block of text this. */
export function showContent(tr: Transaction, from: number, to: number, wanted: Fragment): void {
  const old = tr.doc.slice(from, to).content;
  if (old.eq(wanted)) {
    return;
  }
  if (withoutMarks(old).eq(withoutMarks(wanted))) {
    showMarks(tr, from, wanted);
    if (!tr.doc.slice(from, to).content.eq(wanted)) {
      tr.replaceWith(from, to, wanted);
    }
    return;
  }
  const changed = changedBetween({ content: old }, { content: wanted });
  if (changed) {
    tr.replaceWith(from + changed.from, from + changed.to, wanted.cut(changed.from, changed.newTo));
  }
}

/** Sets the marks of content that differs in nothing else. */
function showMarks(tr: Transaction, from: number, wanted: Fragment): void {
  wanted.forEach((node, offset) => {
    const [start, end] = [from + offset, from + offset + node.nodeSize];
    const extra = new Set<Mark>();
    tr.doc.nodesBetween(start, end, (old) => {
      old.marks.filter((mark) => old.isInline && !mark.isInSet(node.marks)).forEach((mark) => extra.add(mark));
    });
    for (const mark of extra) {
      tr.removeMark(start, end, mark);
    }
    for (const mark of node.marks) {
      if (!everywhere(tr.doc, start, end, mark)) {
        tr.addMark(start, end, mark);
      }
    }
  });
}

function everywhere(doc: Node, from: number, to: number, mark: Mark): boolean {
  let all = true;
  doc.nodesBetween(from, to, (node) => {
    all &&= !node.isInline || mark.isInSet(node.marks);
  });
  return all;
}

function withoutMarks(content: Fragment): Fragment {
  return Fragment.from(content.content.map((node) => node.mark(Mark.none)));
}

/** Replaces from the first difference to the last, through all depths. */
function replaceDifference(tr: Transaction, from: number, to: number, wanted: Fragment): void {
  const { doc } = tr;
  const target = doc.copy(doc.content.cut(0, from).append(wanted).append(doc.content.cut(to)));
  const changed = changedBetween(doc, target);
  if (!changed) {
    return;
  }
  const step = new ReplaceStep(changed.from, changed.to, target.slice(changed.from, changed.newTo));
  const fits = step.apply(doc).doc?.eq(target) === true;
  tr.step(fits ? step : new ReplaceStep(from, to, new Slice(wanted, 0, 0)));
}
