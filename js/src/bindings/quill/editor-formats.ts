/** What a Quill editor knows, and how it shows embeds that it does not. */
import type Quill from "quill";
import type { Json } from "../../json.js";
import type { QuillOp } from "./delta.js";
import { UNKNOWN_EMBED } from "./delta.js";
import type { Formats } from "./formats.js";

/** What Quill's class offers beside its types. */
interface Library {
  import(name: string): unknown;
}

interface Embed {
  new (...args: unknown[]): object;
  create(value: unknown): HTMLElement;
}

interface Parchment {
  readonly Scope: Record<"BLOCK" | "BLOCK_BLOT" | "BLOT", number>;
  readonly EmbedBlot: Class;
  readonly InlineBlot: Class;
  readonly BlockBlot: Class;
}

interface Class {
  readonly prototype: object;
}

/** What makes up Quill's content, though its classes look like formats and embeds. */
const INNER = ["block", "break", "cursor", "inline"];

/** Those that take any value without an error. */
const ROBUST = ["image", "video", UNKNOWN_EMBED];

interface Registry {
  query(name: string, scope?: number): unknown;
  register(definition: unknown): unknown;
}

type DeltaClass = new (ops: readonly QuillOp[]) => { diff(other: unknown): { readonly ops: readonly QuillOp[] } };

/** The formats of the editor's own registry, which then has the placeholder for unknown embeds, too. */
export function formatsOf(quill: Quill): Formats {
  const library = libraryOf(quill);
  const { Scope, EmbedBlot, InlineBlot, BlockBlot } = library.import("parchment") as Parchment;
  const { registry } = quill.scroll as unknown as { readonly registry: Registry };
  if (registry.query(UNKNOWN_EMBED) === null) {
    registry.register(placeholder(library.import("blots/embed") as Embed));
  }
  const knows = (name: string, scope?: number): boolean => {
    const definition = registry.query(name, scope) ?? null;
    return definition !== null && (!isClass(definition) || isA(name, definition, InlineBlot) || isA(name, definition, BlockBlot));
  };
  return {
    knowsAll: false,
    knows: (name) => knows(name),
    suitsEmbed: (name) => knows(name) || (registry.query(name) ?? null) === null,
    knowsEmbed(kind, value) {
      const blot = registry.query(kind, Scope.BLOT);
      return isClass(blot) && isA(kind, blot, EmbedBlot) && (ROBUST.includes(kind) || canCreate(blot, value));
    },
    isBlock: (name) => knows(name, Scope.BLOCK),
    isKind: (name) => knows(name, Scope.BLOCK_BLOT),
  };
}

function isClass(definition: unknown): definition is Class & { create(value: unknown): unknown } {
  return typeof definition === "function";
}

function isA(name: string, blot: Class, base: Class): boolean {
  return !INNER.includes(name) && blot.prototype instanceof (base as unknown as typeof Object);
}

/** A formula's needs KaTeX, a mention's a name; what they refuse is shown as unknown. */
function canCreate(blot: { create(value: unknown): unknown }, value: unknown): boolean {
  try {
    blot.create(value);
    return true;
  } catch {
    return false;
  }
}

/** The change that makes one content of another, by Quill's own reckoning. */
export function differenceBetween(quill: Quill, from: string, to: string): readonly QuillOp[] {
  const Delta = libraryOf(quill).import("delta") as DeltaClass;
  return new Delta([{ insert: from }]).diff(new Delta([{ insert: to }])).ops;
}

function libraryOf(quill: Quill): Library {
  return quill.constructor as unknown as Library;
}

/** An embed of length 1 that keeps its value, also through copying and pasting, and says what it is. */
function placeholder(Base: Embed): unknown {
  return class extends Base {
    static readonly blotName = UNKNOWN_EMBED;
    static readonly tagName = "span";
    static readonly className = UNKNOWN_EMBED;

    static override create(value: unknown): HTMLElement {
      const node = super.create(value);
      const json = JSON.stringify(value);
      node.dataset["value"] = json;
      node.textContent = describe(value as Json, json);
      Object.assign(node.style, { border: "1px dashed", borderRadius: "3px", padding: "0 0.3em", opacity: "0.7" });
      return node;
    }

    static value(node: HTMLElement): unknown {
      try {
        return JSON.parse(node.dataset["value"] ?? "null") as unknown;
      } catch {
        return null; // pasted from who knows where
      }
    }
  };
}

function describe(value: Json, json: string): string {
  const kind = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value)[0] : undefined;
  return (kind ?? json).slice(0, 40);
}
