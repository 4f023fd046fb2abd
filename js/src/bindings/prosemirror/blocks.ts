/** Blocks of ProseMirror, and the marks on "\n" that they are in the document. */
import type { Attrs, NodeType, Schema, Node } from "prosemirror-model";
import { CrdtError } from "../../error.js";
import type { Json, Marks } from "../../json.js";
import { givenAttributes, unsupported } from "./inline.js";
import { ATTRIBUTES, type BlockRole, BLOCKS, type ProseMirrorMapping } from "./rules.js";

/** Marks of which a line shows one, the first of these. A local change of a line's kind removes the others. */
export const KINDS = ["code-block", "table", "list", "blockquote", "header"] as const;

/** The number that an ordered list starts with, on the "\n" of its first line. */
const START = "list-start";
/** Deeper ones are shown so deep. */
const DEEPEST = 64;

const LISTS: Readonly<Record<string, ListRole | "continued">> = {
  bullet: "bullet",
  ordered: "ordered",
  checked: "task",
  unchecked: "task",
  continued: "continued",
};

/** What kind of block a line is shown as. */
export type LineKind =
  | { readonly role: "paragraph" | "quote" }
  | { readonly role: "heading"; readonly level: number }
  | { readonly role: "code"; readonly language: string }
  /** `continued`: a further paragraph of the item in front. */
  | { readonly role: ListRole | "continued"; readonly checked: boolean; readonly start: number; readonly indent: number };

export type ListRole = "bullet" | "ordered" | "task";

/** The blocks of one schema. */
export class BlockForms {
  readonly schema: Schema;
  readonly #roles = new Map<NodeType, BlockRole>();
  readonly #types = new Map<BlockRole, NodeType>();
  /** By attribute, the mark that it is. */
  readonly #attributes: ReadonlyMap<string, string>;
  /** Whether items may hold paragraphs behind the first. */
  readonly #longItems: boolean;

  constructor(schema: Schema, mapping: ProseMirrorMapping) {
    this.schema = schema;
    const blocks: Readonly<Record<string, BlockRole>> = { ...BLOCKS, ...mapping.blocks };
    for (const type of Object.values(schema.nodes)) {
      const role = blocks[type.name];
      if (role) {
        this.#roles.set(type, role);
        this.#types.set(role, this.#types.get(role) ?? type);
      }
    }
    this.#attributes = new Map(Object.entries({ ...ATTRIBUTES, ...mapping.attributes }));
    const paragraph = this.type("paragraph");
    if (!paragraph || !schema.topNodeType.contentMatch.matchType(paragraph)) {
      throw new CrdtError("unsupported-content", "the schema has no paragraphs in its top node: name them in `mapping.blocks`");
    }
    const list = this.type("bullet") ?? this.type("ordered");
    const behind = this.type("item")?.contentMatch.matchType(paragraph);
    this.#longItems = Boolean(list && behind?.matchType(paragraph) && behind.matchType(list)?.matchType(paragraph));
  }

  roleOf(type: NodeType): BlockRole | undefined {
    return this.#roles.get(type);
  }

  type(role: BlockRole): NodeType | undefined {
    return this.#types.get(role);
  }

  /** The type of a role that the schema has. */
  known(role: BlockRole): NodeType {
    const type = this.type(role);
    if (!type) {
      throw new RangeError(`the schema has nothing for ${role}`);
    }
    return type;
  }

  /** Names of marks that text typed behind the "\n" must not inherit, and that no binding knows but this. */
  get attributeNames(): readonly string[] {
    return [START, ...this.#attributes.values()];
  }

  /** The marks of a paragraph, a heading, or lines of code for themselves; refuses attributes that are none. */
  formatOf(block: Node): Marks {
    const role = this.roleOf(block.type);
    const format: Record<string, Json> = {};
    if (role === "code") {
      format["code-block"] = "plain";
    } else if (role === "heading") {
      format["header"] = (block.attrs["level"] ?? 1) as Json;
    }
    for (const [name, value] of givenAttributes(block)) {
      const mark = this.#attributes.get(name);
      if (role === "code" && (name === "language" || name === "params")) {
        format["code-block"] = value === null || value === "" ? "plain" : value;
      } else if (mark !== undefined) {
        format[mark] = value;
      } else if (!(role === "heading" && name === "level")) {
        throw unsupported(`the attribute ${name} of ${block.type.name}`);
      }
    }
    return format;
  }

  /** The marks that being in an item of this list adds. */
  formatInList(list: Node, item: Node, depth: number, first: boolean): Marks {
    const role = this.roleOf(list.type);
    const kind = role === "task" ? (item.attrs["checked"] === true ? "checked" : "unchecked") : (role ?? "");
    const start = role === "ordered" && first ? startOf(list) : 1;
    return { list: kind, ...(depth > 0 && { indent: depth }), ...(start !== 1 && { [START]: start }) };
  }

  /** The marks of a paragraph that is in an item, behind its first; refuses it if items that are read hold no more. */
  formatInItem(depth: number): Marks {
    if (!this.#longItems) {
      throw unsupported("a second paragraph in an item");
    }
    return { list: "continued", ...(depth > 0 && { indent: depth }) };
  }

  /** Refuses attributes of quotes, lists and items that would be lost. */
  checkContainer(node: Node): void {
    const role = this.roleOf(node.type);
    for (const [name] of givenAttributes(node)) {
      const kept = (role === "ordered" && (name === "order" || name === "start")) || (role === "task-item" && name === "checked");
      if (!kept) {
        throw unsupported(`the attribute ${name} of ${node.type.name}`);
      }
    }
  }

  /** What a line with these marks on its "\n" is shown as. */
  kindOf(format: Marks): LineKind {
    const { "code-block": code, list, blockquote, header, indent } = format;
    if (isSet(code) && this.type("code")) {
      return { role: "code", language: typeof code === "string" ? code : "plain" };
    }
    const role = this.#listRole(list);
    if (role) {
      const start = role === "ordered" ? format[START] : undefined;
      return {
        ...{ role, checked: list === "checked" },
        start: typeof start === "number" && Number.isInteger(start) ? start : 1,
        indent: typeof indent === "number" && indent > 0 ? Math.min(Math.floor(indent), DEEPEST) : 0,
      };
    }
    if (isSet(blockquote) && this.type("quote")) {
      return { role: "quote" };
    }
    const level = Number(header);
    if (isSet(header) && this.type("heading") && Number.isInteger(level) && level >= 1 && level <= 6) {
      return { role: "heading", level };
    }
    return { role: "paragraph" };
  }

  #listRole(list: Json | undefined): ListRole | "continued" | undefined {
    const role = typeof list === "string" ? LISTS[list] : undefined;
    if (role === "continued") {
      return this.#longItems ? role : this.#listRole("bullet") ?? this.#listRole("ordered");
    }
    return role && this.type(role) && this.type(role === "task" ? "task-item" : "item") ? role : undefined;
  }

  /** The attributes that these marks say, for a block of this type. */
  attributesOf(type: NodeType, format: Marks, kind: LineKind): Attrs {
    const specs: Readonly<Record<string, unknown>> = type.spec.attrs ?? {};
    const attrs: Record<string, Json> = {};
    if (kind.role === "heading" && "level" in specs) {
      attrs["level"] = kind.level;
    }
    const code = ["language", "params"].find((name) => name in specs);
    if (kind.role === "code" && code !== undefined && kind.language !== "plain") {
      attrs[code] = kind.language;
    }
    for (const [name, mark] of this.#attributes) {
      const value = format[mark];
      // A list has its indentation by being nested.
      if (name in specs && isSet(value) && !(mark === "indent" && "indent" in kind)) {
        attrs[name] = value;
      }
    }
    return attrs;
  }
}

function startOf(list: Node): number {
  const start: unknown = list.attrs["order"] ?? list.attrs["start"];
  return typeof start === "number" ? start : 1;
}

/** The attributes of a list that starts with this number. */
export function startAttributes(type: NodeType, start: number): Attrs | null {
  const name = ["order", "start"].find((name) => name in (type.spec.attrs ?? {}));
  return name === undefined || start === 1 ? null : { [name]: start };
}

function isSet(value: Json | undefined): value is Exclude<Json, null> {
  return value !== undefined && value !== null && value !== false;
}
