/** What of a schema is what in the document: the rules an application may give, and those for the usual names. */
import type { Json } from "../../json.js";

/** What a node type is. Blocks of other types are refused. */
export type BlockRole =
  | "paragraph"
  /** Its attribute `level` is the mark `header`. */
  | "heading"
  /** Lines of code; the attribute `language` or `params`, if it has one, is the value of the mark `code-block`. */
  | "code"
  /** Around paragraphs: the mark `blockquote`. */
  | "quote"
  /** Around items: the mark `list`. */
  | "bullet"
  | "ordered"
  | "task"
  /** A paragraph, then lists. */
  | "item"
  /** The same within a task list; its attribute `checked` says whether the mark `list` is `checked` or `unchecked`. */
  | "task-item";

/** How a mark of ProseMirror is one mark of the document, or several. */
export interface MarkRule {
  /** The mark of the document; absent if the attributes alone say everything. */
  readonly name?: string;
  /** The attribute that is its value. Without one, the value is `value`. */
  readonly attribute?: string;
  /** `true`, if nothing else is said. */
  readonly value?: Json;
  /** Further attributes that are marks of their own, by name. Those not named are called `name:attribute`. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** How a node without content is an embed. */
export interface EmbedRule {
  /** The embed's one key. */
  readonly name: string;
  /** The attribute that is the value of that key. Without one, all attributes are, as an object (`true` if there are none). */
  readonly attribute?: string;
  /** With `attribute`: further attributes that are marks on the embed, by name. Those not named are called `name:attribute`. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/**
 * What a schema's nodes and marks are in the document, by their names in the schema. What it does not
 * mention is as usual: the names of prosemirror-schema-basic, prosemirror-schema-list and TipTap are known,
 * and so are marks and nodes without content of any other name.
 */
export interface ProseMirrorMapping {
  readonly blocks?: Readonly<Record<string, BlockRole>>;
  readonly marks?: Readonly<Record<string, string | MarkRule>>;
  readonly embeds?: Readonly<Record<string, string | EmbedRule>>;
  /** Attributes of paragraphs, headings and code, and the marks on "\n" that they are. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export const BLOCKS: Readonly<Record<string, BlockRole>> = {
  paragraph: "paragraph",
  heading: "heading",
  code_block: "code",
  codeBlock: "code",
  blockquote: "quote",
  bullet_list: "bullet",
  bulletList: "bullet",
  ordered_list: "ordered",
  orderedList: "ordered",
  task_list: "task",
  taskList: "task",
  list_item: "item",
  listItem: "item",
  task_item: "task-item",
  taskItem: "task-item",
};

export const MARKS: Readonly<Record<string, MarkRule>> = {
  strong: { name: "bold" },
  em: { name: "italic" },
  strikethrough: { name: "strike" },
  link: { name: "link", attribute: "href" },
  subscript: { name: "script", value: "sub" },
  superscript: { name: "script", value: "super" },
  highlight: { name: "highlight", attribute: "color" },
  textStyle: {
    attributes: { color: "color", backgroundColor: "background", fontFamily: "font", fontSize: "size" },
  },
};

export const EMBEDS: Readonly<Record<string, EmbedRule>> = {
  image: { name: "image", attribute: "src", attributes: { alt: "alt", width: "width", height: "height" } },
  hard_break: { name: "hard_break" },
  hardBreak: { name: "hard_break" },
  horizontal_rule: { name: "horizontal_rule" },
  horizontalRule: { name: "horizontal_rule" },
};

export const ATTRIBUTES: Readonly<Record<string, string>> = {
  align: "align",
  textAlign: "align",
  dir: "direction",
  indent: "indent",
};
