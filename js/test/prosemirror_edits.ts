/** Random edits of a ProseMirror state, as its users' commands make them. */
import { joinBackward, joinForward, lift, setBlockType, splitBlock, toggleMark, wrapIn } from "prosemirror-commands";
import type { Mark, Node, NodeType, Schema } from "prosemirror-model";
import { liftListItem, sinkListItem, splitListItem, wrapInList } from "prosemirror-schema-list";
import { AllSelection, type Command, type EditorState, NodeSelection, Selection, TextSelection, type Transaction } from "prosemirror-state";
import type { Random } from "./random.js";

/** A transaction that edits somewhere; `undefined` if what was drawn is not possible there. */
export function randomTransaction(random: Random, state: EditorState): Transaction | undefined {
  const moved = state.apply(state.tr.setSelection(randomSelection(random, state)));
  let made: Transaction | undefined;
  const command = random.pick(commands(random, state.schema));
  command(moved, (transaction) => {
    made = transaction;
  });
  return made?.docChanged === true ? made : undefined;
}

/** Applies `transaction`, which was made on a state with another selection. */
export function rebased(state: EditorState, transaction: Transaction): Transaction {
  const own = state.tr;
  transaction.steps.forEach((step) => own.step(step));
  return own;
}

function randomSelection(random: Random, { doc }: EditorState): Selection {
  const at = (): number => wholeAt(doc, random.below(doc.content.size + 1));
  const from = at();
  const roll = random.fraction();
  if (roll < 0.03) {
    return new AllSelection(doc);
  }
  if (roll < 0.1) {
    const { nodeAfter } = doc.resolve(from);
    if (nodeAfter && NodeSelection.isSelectable(nodeAfter)) {
      return NodeSelection.create(doc, from);
    }
  }
  const to = roll < 0.5 ? from : roll < 0.9 ? wholeAt(doc, Math.min(doc.content.size, from + random.below(8))) : at();
  return TextSelection.between(doc.resolve(from), doc.resolve(to));
}

/** `place`, or the one in front of it if that is within a surrogate pair. */
function wholeAt(doc: Node, place: number): number {
  const { parent, parentOffset } = doc.resolve(place);
  const text = parent.isTextblock && parentOffset > 0 && parentOffset < parent.content.size ? parent.textBetween(parentOffset - 1, parentOffset + 1, "", " ") : "";
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text) ? place - 1 : place;
}

function commands(random: Random, { nodes, marks }: Schema): Command[] {
  const node = (...names: string[]): NodeType[] => names.flatMap((name) => (nodes[name] ? [nodes[name]] : []));
  const [item] = node("list_item", "listItem");
  const [heading] = node("heading");
  const [code] = node("code_block", "codeBlock");
  const [quote] = node("blockquote");
  const [paragraph] = node("paragraph");
  const lists = node("bullet_list", "ordered_list", "bulletList", "orderedList");
  const leaves = Object.values(nodes).filter((type) => type.isLeaf && !type.isText);
  const text = random.pick(["a", "b", "lorem", "é漢", "😀", "x\ny", " "]);
  return [
    ...[type(text), type(text), type(text), erase, erase, splitBlock, splitBlock, joinBackward, joinForward, lift],
    ...Object.values(marks).map((mark) => toggleMark(mark, attributesOf(random, mark))),
    ...(item ? [splitListItem(item), splitListItem(item), sinkListItem(item), liftListItem(item)] : []),
    ...lists.map((list) => wrapInList(list)),
    ...[paragraph, code].flatMap((block) => (block ? [setBlockType(block)] : [])),
    ...(heading ? [setBlockType(heading, { level: 1 + random.below(6) })] : []),
    ...(quote ? [wrapIn(quote)] : []),
    ...leaves.map((leaf) => insert(random, leaf)),
    paste(random),
    move(random),
    cutBlocks(random),
  ];
}

function attributesOf(random: Random, mark: { readonly name: string }): Mark["attrs"] | null {
  switch (mark.name) {
    case "link":
      return { href: `#${String(random.below(3))}` };
    case "textStyle":
      return random.pick([{ color: "#f00" }, { color: "#00f", fontFamily: "serif" }, { fontFamily: "mono" }]);
    case "highlight":
      return random.pick([{ color: "#ff0" }, {}]);
    default:
      return null;
  }
}

function type(text: string): Command {
  return (state, dispatch) => {
    dispatch?.(state.tr.insertText(text));
    return true;
  };
}

const erase: Command = (state, dispatch) => {
  dispatch?.(state.tr.deleteSelection());
  return true;
};

function insert(random: Random, leaf: NodeType): Command {
  return (state, dispatch) => {
    const attrs = leaf.name === "image" ? { src: `${String(random.below(3))}.png`, ...(random.fraction() < 0.3 && { alt: "alt" }) } : leaf.name === "mention" ? { id: "ada" } : null;
    dispatch?.(state.tr.replaceSelectionWith(leaf.create(attrs)));
    return true;
  };
}

/** A copy of what stands elsewhere. */
function paste(random: Random): Command {
  return (state, dispatch) => {
    const from = wholeAt(state.doc, random.below(state.doc.content.size + 1));
    const to = wholeAt(state.doc, Math.min(state.doc.content.size, from + random.below(30)));
    dispatch?.(state.tr.replaceSelection(state.doc.slice(from, to)));
    return true;
  };
}

/** As dragging does it: two steps. */
function move(random: Random): Command {
  return (state, dispatch) => {
    const slice = state.selection.content();
    const transaction = state.tr.deleteSelection();
    const at = wholeAt(transaction.doc, random.below(transaction.doc.content.size + 1));
    transaction.replaceRange(at, at, slice);
    dispatch?.(transaction);
    return true;
  };
}

/** Whole blocks go. */
function cutBlocks(random: Random): Command {
  return ({ doc, tr }, dispatch) => {
    const first = random.below(doc.childCount);
    const last = Math.min(doc.childCount, first + 1 + random.below(2));
    let [from, to] = [0, 0];
    doc.forEach((block, offset, index) => {
      from = index === first ? offset : from;
      to = index < last ? offset + block.nodeSize : to;
    });
    if (doc.childCount > last - first) {
      dispatch?.(tr.delete(from, to));
    }
    return true;
  };
}
