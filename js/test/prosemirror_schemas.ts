import { Schema } from "prosemirror-model";
import { marks, nodes, schema as basic } from "prosemirror-schema-basic";
import { addListNodes } from "prosemirror-schema-list";

/** prosemirror-schema-basic with lists, as in most examples. */
export const BASIC = new Schema({
  nodes: addListNodes(basic.spec.nodes, "paragraph block*", "block"),
  marks: { ...marks, underline: { toDOM: () => ["u", 0] }, strike: { toDOM: () => ["s", 0] } },
});

/** The names, attributes and contents of TipTap's extensions. */
export const TIPTAP = new Schema({
  nodes: {
    doc: { content: "block+" },
    paragraph: { ...nodes.paragraph, attrs: { textAlign: { default: "left" } } },
    heading: { ...nodes.heading, content: "inline*", attrs: { level: { default: 1 }, textAlign: { default: "left" } } },
    codeBlock: { ...nodes.code_block, attrs: { language: { default: null } } },
    blockquote: { ...nodes.blockquote, content: "block+" },
    bulletList: { group: "block list", content: "listItem+", toDOM: () => ["ul", 0] },
    orderedList: { group: "block list", content: "listItem+", attrs: { start: { default: 1 }, type: { default: null } }, toDOM: () => ["ol", 0] },
    listItem: { content: "paragraph block*", defining: true, toDOM: () => ["li", 0] },
    taskList: { group: "block list", content: "taskItem+", toDOM: () => ["ul", 0] },
    taskItem: { content: "paragraph block*", attrs: { checked: { default: false } }, toDOM: () => ["li", 0] },
    horizontalRule: { group: "block", toDOM: () => ["hr"] },
    image: {
      group: "block",
      attrs: { src: { default: null }, alt: { default: null }, title: { default: null } },
      toDOM: (node) => ["img", node.attrs],
    },
    hardBreak: { inline: true, group: "inline", selectable: false, toDOM: () => ["br"] },
    mention: {
      ...{ inline: true, group: "inline", atom: true },
      attrs: { id: { default: null }, label: { default: null } },
      toDOM: (node) => ["span", `@${String(node.attrs["id"])}`],
    },
    text: { group: "inline" },
  },
  marks: {
    link: { attrs: { href: { default: null }, target: { default: "_blank" } }, inclusive: false, toDOM: () => ["a", 0] },
    bold: { toDOM: () => ["b", 0] },
    italic: { toDOM: () => ["i", 0] },
    strike: { toDOM: () => ["s", 0] },
    underline: { toDOM: () => ["u", 0] },
    subscript: { toDOM: () => ["sub", 0] },
    superscript: { toDOM: () => ["sup", 0] },
    textStyle: { attrs: { color: { default: null }, fontFamily: { default: null } }, toDOM: () => ["span", 0] },
    highlight: { attrs: { color: { default: null } }, toDOM: () => ["mark", 0] },
    code: { excludes: "_", toDOM: () => ["code", 0] },
  },
});
