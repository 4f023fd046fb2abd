/** Lines of the document, and the nodes they are shown as. */
import { Fragment, type Node, type NodeType } from "prosemirror-model";
import { EMBED, marksOf, type TextRun } from "../../edit.js";
import { type Json, type Marks, sameJson } from "../../json.js";
import { showable } from "../text.js";
import { BlockForms, type LineKind, type ListRole, startAttributes } from "./blocks.js";
import { InlineForms } from "./inline.js";
import type { ProseMirrorMapping } from "./rules.js";
import type { Schema } from "prosemirror-model";

/** One line: what is in front of its "\n", and the marks of that "\n". */
export interface Line {
  readonly runs: readonly TextRun[];
  readonly format: Marks;
}

/** The lines of runs that end with "\n". */
export function linesOf(runs: readonly TextRun[]): Line[] {
  const lines: Line[] = [];
  let line: TextRun[] = [];
  for (const run of runs) {
    if ("embed" in run) {
      line.push(run);
      continue;
    }
    run.text.split("\n").forEach((text, index) => {
      if (index > 0) {
        lines.push({ runs: line, format: marksOf(run) });
        line = [];
      }
      if (text !== "") {
        line.push({ ...run, text });
      }
    });
  }
  return lines;
}

/** A line and what it is shown as. */
interface Shown {
  readonly line: Line;
  readonly kind: LineKind;
}

/** A line in a list: an item's first, or one behind that. */
interface ListLine extends Shown {
  /** Of the item that it begins. */
  readonly item: ListRole | undefined;
  /** How deep its item is nested: no deeper than one below the line in front. */
  readonly depth: number;
}

/** Makes nodes of lines; a pure function of them. */
export class Builder {
  readonly inline: InlineForms;
  readonly blocks: BlockForms;

  constructor(
    readonly schema: Schema,
    mapping: ProseMirrorMapping = {},
  ) {
    this.inline = new InlineForms(schema, mapping);
    this.blocks = new BlockForms(schema, mapping);
  }

  /** What these lines are shown as, next to each other. */
  nodes(lines: readonly Line[]): Node[] {
    const nodes: Node[] = [];
    const shown = lines.map((line): Shown => ({ line, kind: this.blocks.kindOf(line.format) }));
    for (let at = 0; at < shown.length; ) {
      const first = itemAt(shown, at);
      const end = runEnd(shown, at, (next) => goesOn(first.kind, next.kind));
      const group = shown.slice(at, end);
      nodes.push(...this.#group(first.kind, group));
      at = end;
    }
    return nodes;
  }

  /** What a line's "\n" says of the marks this schema shows, as reading it back would give it, for itself. */
  shownFormat(format: Marks): Marks {
    const kind = this.blocks.kindOf(format);
    const own = this.blocks.formatOf(this.#textBlock({ line: { runs: [], format }, kind }));
    if (!inList(kind)) {
      return kind.role === "quote" ? { ...own, blockquote: true } : own;
    }
    return {
      ...own,
      list: kind.role === "task" ? (kind.checked ? "checked" : "unchecked") : kind.role,
      ...(kind.indent > 0 && { indent: kind.indent }),
      ...(kind.start !== 1 && { "list-start": kind.start }),
    };
  }

  /** The marks of a run that a block of this type shows. */
  shownMarks(run: TextRun, parent: NodeType): Marks {
    return this.inline.marksOf(this.#inlineNode(run, parent));
  }

  /** Runs without "\n" as what is in a block of type `parent`. */
  content(runs: readonly TextRun[], parent: NodeType): Fragment {
    return Fragment.from(runs.map((run) => this.#inlineNode(run, parent)));
  }

  #inlineNode(run: TextRun, parent: NodeType): Node {
    if ("embed" in run) {
      const node = this.inline.readEmbed(run.embed, marksOf(run), parent);
      if (node) {
        return node;
      }
    }
    const text = "text" in run ? showable(run.text) : EMBED;
    return this.schema.text(text, this.inline.readMarks(marksOf(run), parent));
  }

  #group(kind: LineKind, group: readonly Shown[]): Node[] {
    switch (kind.role) {
      case "code":
        return [this.#code(group)];
      case "quote":
        return [this.#create("quote", null, group.map((each) => this.#textBlock(each)))];
      case "bullet":
      case "ordered":
      case "task":
      case "continued":
        return this.#lists(this.#nested(group), 0);
      case "heading":
      case "paragraph":
        return group.map((each) => this.#leaf(each.line) ?? this.#textBlock(each));
    }
  }

  /** The block that a line is which holds a single embed and nothing else. */
  #leaf({ runs, format }: Line): Node | undefined {
    const [run, more] = runs;
    const alone = run && !more && "embed" in run && Object.keys(this.shownFormat(format)).length === 0;
    return alone ? this.inline.readEmbed(run.embed, marksOf(run), undefined) : undefined;
  }

  #textBlock({ line, kind }: Shown): Node {
    const role = kind.role === "heading" || kind.role === "code" ? kind.role : "paragraph";
    const type = this.blocks.known(role);
    const content = this.content(line.runs, type);
    const attrs = this.blocks.attributesOf(type, line.format, kind);
    try {
      type.create(attrs).check();
      return type.create(attrs, content);
    } catch {
      // Somebody else's attributes, which the schema does not take.
      return type.create(this.blocks.attributesOf(type, {}, kind), content);
    }
  }

  #code(group: readonly Shown[]): Node {
    const block = this.#textBlock(itemAt(group, 0));
    const runs = group.flatMap(({ line }, index) => (index > 0 ? [{ text: "\n" }, ...line.runs] : line.runs));
    return block.type.create(block.attrs, this.content(runs, block.type));
  }

  /** The lists that these lines are; the first is an item of that depth. */
  #lists(lines: readonly ListLine[], depth: number): Node[] {
    const lists: Node[] = [];
    for (let at = 0; at < lines.length; ) {
      const { role, start } = itemOf(lines, at);
      const end = runEnd(lines, at, (next) => !isItemAt(next, depth) || next.item === role);
      const type = this.blocks.known(role);
      lists.push(this.#create(role, startAttributes(type, start), this.#items(lines.slice(at, end), depth)));
      at = end;
    }
    return lists;
  }

  #items(lines: readonly ListLine[], depth: number): Node[] {
    const items: Node[] = [];
    for (let at = 0; at < lines.length; ) {
      const { role, checked } = itemOf(lines, at);
      const end = runEnd(lines, at, (next) => !isItemAt(next, depth));
      const content: Node[] = [];
      for (let line = at; line < end; ) {
        const within = runEnd(lines, line, (next) => next.depth > depth, end);
        content.push(this.#textBlock(itemAt(lines, line)), ...this.#lists(lines.slice(line + 1, within), depth + 1));
        line = within;
      }
      items.push(
        role === "task"
          ? this.#create("task-item", checked ? { checked: true } : null, content)
          : this.#create("item", null, content),
      );
      at = end;
    }
    return items;
  }

  #nested(lines: readonly Shown[]): ListLine[] {
    /** The indentations of the items that the line stands within, and its own. */
    const within: number[] = [];
    return lines.map(({ line, kind }) => {
      const indent = inList(kind) ? kind.indent : 0;
      // What would go on with an item and has none in front is one.
      const goesOn = kind.role === "continued" && within.length > 0;
      while (within.length > (goesOn ? 1 : 0) && (within.at(-1) ?? 0) > indent) {
        within.pop();
      }
      if (!goesOn && within.at(-1) !== indent) {
        within.push(indent);
      }
      return { line, kind, item: goesOn ? undefined : this.#itemRole(kind), depth: within.length - 1 };
    });
  }

  #itemRole({ role }: LineKind): ListRole {
    return role === "ordered" || role === "task" ? role : this.blocks.type("bullet") ? "bullet" : "ordered";
  }

  #create(role: ListRole | "quote" | "item" | "task-item", attrs: Readonly<Record<string, Json>> | null, content: Node[]): Node {
    return this.blocks.known(role).create(attrs, content);
  }
}

type ListKind = Extract<LineKind, { readonly indent: number }>;

function inList(kind: LineKind): kind is ListKind {
  return "indent" in kind;
}

function isItemAt(line: ListLine, depth: number): boolean {
  return line.depth === depth && line.item !== undefined;
}

/** Whether a line goes on with the block, or the lists, that one of the first kind begins. */
function goesOn(first: LineKind, next: LineKind): boolean {
  if (inList(first)) {
    return inList(next);
  }
  return first.role === "code" || first.role === "quote" ? sameJson(first, next) : false;
}

/** Where those that go on with the one at `start` end, before `limit`. */
function runEnd<Item>(
  items: readonly Item[],
  start: number,
  goesOn: (item: Item) => boolean,
  limit = items.length,
): number {
  let end = start + 1;
  while (end < limit && goesOn(itemAt(items, end))) {
    end++;
  }
  return end;
}

function itemAt<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) {
    throw new RangeError(`there is no ${String(index)}`);
  }
  return item;
}

/** The item that a line begins. */
function itemOf(lines: readonly ListLine[], index: number): { readonly role: ListRole; readonly checked: boolean; readonly start: number } {
  const { item, kind } = itemAt(lines, index);
  if (!item || !inList(kind)) {
    throw new RangeError("a list begins with an item");
  }
  return { role: item, checked: kind.checked, start: kind.start };
}
