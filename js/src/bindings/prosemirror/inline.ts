/** Marks and nodes without content: ProseMirror's, and what they are in the document. */
import type { Attrs, Mark, MarkType, Node, NodeType, Schema } from "prosemirror-model";
import { CrdtError } from "../../error.js";
import { eachMark, type Json, type Marks, sameJson } from "../../json.js";
import { EMBEDS, type EmbedRule, type MarkRule, MARKS, type ProseMirrorMapping } from "./rules.js";

/** Refuses what the document has no form for. */
export function unsupported(what: string): CrdtError {
  return new CrdtError("unsupported-content", `${what} has no form in the document`);
}

/** Attributes that differ from what the schema gives by itself; refuses what no JSON can say. */
export function givenAttributes(owner: Node | Mark): [name: string, value: Json][] {
  const specs: Readonly<Record<string, { readonly default?: unknown }>> = owner.type.spec.attrs ?? {};
  return Object.entries(owner.attrs as Record<string, unknown>)
    .filter(([name, value]) => value !== undefined && !sameJson(value, specs[name]?.default))
    .map(([name, value]) => {
      if (!isJson(value)) {
        throw unsupported(`the attribute ${name} of ${owner.type.name}`);
      }
      return [name, value];
    });
}

function isJson(value: unknown): value is Json {
  if (typeof value !== "object") {
    return typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
  }
  return value === null || (Array.isArray(value) ? value : plainValues(value)).every(isJson);
}

function plainValues(value: object): unknown[] {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.values(value) : [undefined];
}

/** One mark type and what it is in the document. */
class MarkForm {
  constructor(
    readonly type: MarkType,
    readonly rule: MarkRule,
  ) {}

  /** The document's marks that this one is. */
  write(mark: Mark, into: Record<string, Json>): void {
    const { name, attribute, value } = this.rule;
    const rest: Record<string, Json> = {};
    let main: Json = value ?? true;
    for (const [key, given] of givenAttributes(mark)) {
      if (key === attribute) {
        main = given;
      } else if (name === undefined || attribute !== undefined) {
        into[this.#nameOf(key)] = given;
      } else {
        rest[key] = given;
      }
    }
    if (name !== undefined) {
      into[name] = attribute === undefined && Object.keys(rest).length > 0 ? rest : main;
    }
  }

  /** The mark that these marks of the document say, if they do. */
  read(marks: Marks): Mark | undefined {
    const { name, attribute, value } = this.rule;
    const attrs: Record<string, Json> = {};
    if (name !== undefined) {
      const main = marks[name];
      if (main === undefined || main === null) {
        return undefined;
      }
      if (value !== undefined && !sameJson(main, value)) {
        return undefined;
      }
      if (attribute !== undefined && main !== true) {
        attrs[attribute] = main;
      } else if (attribute === undefined && typeof main === "object") {
        Object.assign(attrs, main);
      }
    }
    for (const key of Object.keys(this.type.spec.attrs ?? {})) {
      const said = key === attribute ? undefined : marks[this.#nameOf(key)];
      if (said !== undefined && said !== null) {
        attrs[key] = said;
      }
    }
    return name === undefined && Object.keys(attrs).length === 0 ? undefined : createMark(this.type, attrs);
  }

  /** The names of all marks that it may be in the document. */
  names(): string[] {
    const { name, attribute } = this.rule;
    const further = Object.keys(this.type.spec.attrs ?? {}).filter((key) => key !== attribute);
    return [
      ...(name === undefined ? [] : [name]),
      ...(name !== undefined && attribute === undefined ? [] : further.map((key) => this.#nameOf(key))),
    ];
  }

  #nameOf(attribute: string): string {
    return this.rule.attributes?.[attribute] ?? `${this.rule.name ?? this.type.name}:${attribute}`;
  }
}

/** One type of node without content and what it is in the document. */
class EmbedForm {
  constructor(
    readonly type: NodeType,
    readonly rule: EmbedRule,
  ) {}

  value(node: Node): Json {
    const { name, attribute } = this.rule;
    const given = givenAttributes(node);
    if (attribute !== undefined) {
      return { [name]: given.find(([key]) => key === attribute)?.[1] ?? true };
    }
    return { [name]: given.length > 0 ? Object.fromEntries(given) : true };
  }

  /** Attributes that are marks on the embed. */
  write(node: Node, into: Record<string, Json>): void {
    const { attribute } = this.rule;
    for (const [key, value] of attribute === undefined ? [] : givenAttributes(node)) {
      if (key !== attribute) {
        into[this.#nameOf(key)] = value;
      }
    }
  }

  read(main: Json, marks: Marks): Attrs {
    const { attribute } = this.rule;
    if (attribute === undefined) {
      return typeof main === "object" && main !== null && !Array.isArray(main) ? main : {};
    }
    const attrs: Record<string, Json> = main === true ? {} : { [attribute]: main };
    for (const key of Object.keys(this.type.spec.attrs ?? {})) {
      const said = key === attribute ? undefined : marks[this.#nameOf(key)];
      if (said !== undefined && said !== null) {
        attrs[key] = said;
      }
    }
    return attrs;
  }

  names(): string[] {
    const { attribute } = this.rule;
    const further = Object.keys(this.type.spec.attrs ?? {}).filter((key) => key !== attribute);
    return attribute === undefined ? [] : further.map((key) => this.#nameOf(key));
  }

  #nameOf(attribute: string): string {
    return this.rule.attributes?.[attribute] ?? `${this.rule.name}:${attribute}`;
  }
}

/** The marks and embeds of one schema. */
export class InlineForms {
  /** Names of marks in the document that this schema shows, or that say something of its embeds. */
  readonly names: readonly string[];
  /** Names that several types of marks are, of which a text can have but one. */
  readonly shared: ReadonlySet<string>;
  readonly #marks = new Map<MarkType, MarkForm>();
  readonly #embeds = new Map<NodeType, EmbedForm>();
  /** By the embed's key. One in the text comes before one that is a block. */
  readonly #byKey = new Map<string, EmbedForm[]>();

  constructor(schema: Schema, mapping: ProseMirrorMapping) {
    for (const type of Object.values(schema.marks)) {
      const rule = mapping.marks?.[type.name] ?? MARKS[type.name] ?? { name: type.name };
      this.#marks.set(type, new MarkForm(type, typeof rule === "string" ? { name: rule } : rule));
    }
    for (const type of Object.values(schema.nodes)) {
      if (type.isLeaf && !type.isText) {
        const rule = mapping.embeds?.[type.name] ?? EMBEDS[type.name] ?? { name: type.name };
        const form = new EmbedForm(type, typeof rule === "string" ? { name: rule } : rule);
        this.#embeds.set(type, form);
        this.#byKey.set(form.rule.name, [...(this.#byKey.get(form.rule.name) ?? []), form]);
      }
    }
    const forms = [...this.#marks.values(), ...this.#embeds.values()];
    this.names = [...new Set(forms.flatMap((form) => form.names()))];
    const ofMarks = [...this.#marks.values()].flatMap((form) => form.names());
    this.shared = new Set(ofMarks.filter((name, index) => ofMarks.indexOf(name) < index));
  }

  /** Names of marks that stand for attributes beside a mark or an embed: not for text typed behind it. */
  get attributeNames(): readonly string[] {
    const forms = [...this.#marks.values()].filter(({ rule }) => rule.name !== undefined);
    return [...forms, ...this.#embeds.values()].flatMap((form) => form.names().filter((name) => name !== form.rule.name));
  }

  /** What the document says of a text or a node in it. */
  marksOf(node: Node): Marks {
    if (node.marks.length === 0 && node.isText) {
      return {};
    }
    const marks: Record<string, Json> = {};
    for (const mark of node.marks) {
      this.#marks.get(mark.type)?.write(mark, marks);
    }
    if (!node.isText) {
      this.#embeds.get(node.type)?.write(node, marks);
    }
    return marks;
  }

  /** The value of the embed that a node is. */
  embedOf(node: Node): Json {
    const form = this.#embeds.get(node.type);
    if (!form) {
      throw unsupported(node.type.name);
    }
    return form.value(node);
  }

  /** What of these marks a text in a block of type `parent` shows. */
  readMarks(marks: Marks, parent: NodeType): readonly Mark[] {
    let set: readonly Mark[] = [];
    if (eachMark(marks).length > 0) {
      for (const form of this.#marks.values()) {
        const mark = parent.allowsMarkType(form.type) ? form.read(marks) : undefined;
        set = mark ? mark.addToSet(set) : set;
      }
    }
    return set;
  }

  /** The node that an embed is in a block of type `parent`, or, as a block, in `undefined`. */
  readEmbed(value: Json, marks: Marks, parent: NodeType | undefined): Node | undefined {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return undefined;
    }
    for (const [key, main] of eachMark(value as Marks)) {
      for (const form of this.#byKey.get(key) ?? []) {
        if (form.type.isInline ? parent?.contentMatch.matchType(form.type) : !parent) {
          return createLeaf(form.type, form.read(main, marks), parent ? this.readMarks(marks, parent) : []);
        }
      }
    }
    return undefined;
  }
}

/** Somebody else's attributes: what the schema does not take is not shown. */
function createMark(type: MarkType, attrs: Attrs): Mark | undefined {
  try {
    const mark = type.create(attrs);
    if (type.spec.attrs) {
      type.schema.text("x", [mark]).check();
    }
    return mark;
  } catch {
    return undefined;
  }
}

function createLeaf(type: NodeType, attrs: Attrs, marks: readonly Mark[]): Node | undefined {
  try {
    const node = type.create(attrs, null, marks);
    node.check();
    return node;
  } catch {
    return undefined;
  }
}
