/**
 * Nodes as flat text: every block of text is a line that ends with "\n", whatever stands around it.
 *
 * A *position* here is one in that text, in UTF-16 code units; a *place* is a position of ProseMirror.
 */
import type { Node } from "prosemirror-model";
import { runLength, type TextRun } from "../../edit.js";
import type { Marks } from "../../json.js";
import { givenAttributes, unsupported } from "./inline.js";
import type { Builder } from "./lines.js";

/** A line as the nodes have it. */
export interface NodeLine {
  /** Of its first character. */
  readonly start: number;
  /** Without its "\n". */
  readonly length: number;
  /** The place of its first character. */
  readonly place: number;
  /** The block of text it is in, or the block without content that it is. */
  readonly block: Node;
  /** Where in the block's content it begins; a line of code may do so in the middle. */
  readonly offset: number;
  /** The marks of its "\n". */
  readonly format: Marks;
}

export class Flat {
  readonly #builder: Builder;
  /** Nodes that were looked through: nothing in them is without a form in the document. */
  readonly #sizes = new WeakMap<Node, number>();

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /** The length of all lines in a node with their "\n"; refuses what has no form in the document. O(new nodes). */
  size(node: Node): number {
    const known = this.#sizes.get(node);
    if (known !== undefined) {
      return known;
    }
    if (node.marks.length > 0) {
      throw unsupported(`a mark on ${node.type.name}`);
    }
    const size = this.#measure(node);
    this.#sizes.set(node, size);
    return size;
  }

  /** The position of a place. O(blocks). */
  position(doc: Node, place: number): number {
    return this.#before(doc, place);
  }

  /** The place of a position, within a block of text if there is one. O(blocks). */
  place(doc: Node, position: number): number {
    return this.#within(doc, position);
  }

  /** The lines that overlap the positions `from..to`, or begin at `to` if that is `from`. */
  *lines(doc: Node, from: number, to: number): Generator<NodeLine> {
    yield* this.#lines(doc, { start: 0, place: 0, from, to, lists: [] });
  }

  /** What the document says of the positions `from..to`. */
  runs(doc: Node, from: number, to: number): TextRun[] {
    const runs: TextRun[] = [];
    for (const line of this.lines(doc, from, to)) {
      runs.push(...this.lineRuns(line, Math.max(from - line.start, 0), Math.min(to - line.start, line.length)));
      if (to > line.start + line.length) {
        runs.push({ text: "\n", marks: line.format });
      }
    }
    return runs;
  }

  /** What the document says of a line, from one offset in it to another. */
  lineRuns(line: NodeLine, from = 0, to = line.length): TextRun[] {
    const { inline } = this.#builder;
    if (line.block.isLeaf) {
      return from < to ? [{ embed: inline.embedOf(line.block), marks: inline.marksOf(line.block) }] : [];
    }
    const runs: TextRun[] = [];
    line.block.content.nodesBetween(line.offset + from, line.offset + to, (node, place) => {
      const marks = inline.marksOf(node);
      if (node.isText) {
        const start = Math.max(0, line.offset + from - place);
        runs.push({ text: (node.text ?? "").slice(start, line.offset + to - place), marks });
      } else {
        runs.push({ embed: inline.embedOf(node), marks });
      }
      return false;
    });
    return runs.filter((run) => runLength(run) > 0);
  }

  /** The size of a node that was looked through. */
  #known(node: Node): number {
    return node.isTextblock ? node.content.size + 1 : this.size(node);
  }

  #measure(node: Node): number {
    const { blocks, inline } = this.#builder;
    const role = node.type === node.type.schema.topNodeType ? "top" : blocks.roleOf(node.type);
    switch (role) {
      case "paragraph":
      case "heading":
      case "code":
        blocks.formatOf(node);
        node.forEach((child) => {
          if (!child.isInline || !child.isLeaf) {
            throw unsupported(`${child.type.name} in ${node.type.name}`);
          }
          inline.marksOf(child);
          if (!child.isText) {
            inline.embedOf(child);
          }
        });
        return node.content.size + 1;
      case "top":
        return this.#sum(node, () => true);
      case "quote":
        blocks.checkContainer(node);
        return this.#sum(node, (child) => blocks.roleOf(child.type) === "paragraph");
      case "bullet":
      case "ordered":
      case "task": {
        blocks.checkContainer(node);
        const item = role === "task" ? "task-item" : "item";
        return this.#sum(node, (child) => blocks.roleOf(child.type) === item);
      }
      case "item":
      case "task-item":
        blocks.checkContainer(node);
        return this.#sum(node, (child, index) => {
          const within = blocks.roleOf(child.type);
          if (index > 0 && within === "paragraph") {
            blocks.formatInItem(0);
          }
          return within === "paragraph" || (index > 0 && (within === "bullet" || within === "ordered" || within === "task"));
        });
      case undefined:
        if (node.isLeaf && node.isBlock) {
          inline.embedOf(node);
          inline.marksOf(node);
          return 2;
        }
        throw unsupported(node.type.name);
    }
  }

  #sum(node: Node, fits: (child: Node, index: number) => boolean): number {
    let sum = 0;
    node.forEach((child, _, index) => {
      if (!fits(child, index)) {
        throw unsupported(`${child.type.name} in ${node.type.name}`);
      }
      sum += this.size(child);
    });
    return sum;
  }

  /** The length of what is in front of an offset in a node's content. */
  #before(node: Node, offset: number): number {
    if (node.isTextblock) {
      return offset;
    }
    let position = 0;
    let at = 0;
    for (const child of node.content.content) {
      if (offset < at + child.nodeSize) {
        return position + (offset > at && !child.isLeaf ? this.#before(child, offset - at - 1) : 0);
      }
      position += this.#known(child);
      at += child.nodeSize;
    }
    return position;
  }

  /** The offset in a node's content where a position is. */
  #within(node: Node, position: number): number {
    if (node.isTextblock) {
      return position;
    }
    let at = 0;
    for (const child of node.content.content) {
      const size = this.#known(child);
      if (position < size) {
        return at + (child.isLeaf ? position : 1 + this.#within(child, position));
      }
      position -= size;
      at += child.nodeSize;
    }
    return at;
  }

  *#lines(node: Node, scope: Scope): Generator<NodeLine> {
    const { blocks } = this.#builder;
    let { start, place } = scope;
    for (let index = 0; index < node.childCount; index++) {
      const child = node.child(index);
      const size = this.#known(child);
      if (start + size > scope.from && (start < scope.to || start === scope.from)) {
        const role = blocks.roleOf(child.type);
        if (child.isTextblock) {
          const format = formatIn(this.#builder, child, scope, index === 0);
          yield* this.#textLines(child, start, place, { ...scope, format });
        } else if (child.isLeaf) {
          yield { start, length: 1, place, block: child, offset: 0, format: {} };
        } else {
          const lists = role === "item" || role === "task-item" ? [...scope.lists, { list: node, item: child, first: index === 0 }] : scope.lists;
          const quoted = role === "quote" || scope.quoted === true;
          yield* this.#lines(child, { ...scope, start, place: place + 1, lists, quoted });
        }
      } else if (start >= scope.to) {
        return;
      }
      start += size;
      place += child.nodeSize;
    }
  }

  /** A block of text is one line, or as many as it has "\n" in it. */
  *#textLines(block: Node, start: number, place: number, scope: Scope & { readonly format: Marks }): Generator<NodeLine> {
    const text = block.textBetween(0, block.content.size, undefined, " ");
    for (let offset = 0; offset <= text.length; ) {
      const found = text.indexOf("\n", offset);
      const end = found < 0 ? text.length : found;
      if (start + end + 1 > scope.from && (start + offset < scope.to || start + offset === scope.from)) {
        const length = end - offset;
        yield { start: start + offset, length, place: place + 1 + offset, block, offset, format: scope.format };
      }
      offset = end + 1;
    }
  }
}

interface Scope {
  readonly start: number;
  readonly place: number;
  readonly from: number;
  readonly to: number;
  /** The lists that it is in, from outside. */
  readonly lists: readonly { readonly list: Node; readonly item: Node; readonly first: boolean }[];
  readonly quoted?: boolean;
}

function formatIn({ blocks }: Builder, block: Node, { lists, quoted }: Scope, first: boolean): Marks {
  const own = blocks.formatOf(block);
  const innermost = lists.at(-1);
  if (innermost) {
    const depth = lists.length - 1;
    return {
      ...own,
      ...(first ? blocks.formatInList(innermost.list, innermost.item, depth, innermost.first) : blocks.formatInItem(depth)),
    };
  }
  return quoted === true ? { ...own, blockquote: true } : own;
}

/** Refuses a whole document with what has no form; gives the length of its lines. */
export function measure(flat: Flat, doc: Node): number {
  if (givenAttributes(doc).length > 0) {
    throw unsupported(`an attribute of ${doc.type.name}`);
  }
  return flat.size(doc);
}
