import type { NamedEdit } from "./edit.js";
import { fromWasm } from "./error.js";
import { whole, jsonText } from "./input.js";
import type { Json } from "./json.js";
import { PacketReader } from "./packet.js";
import type { Channel, SequenceEvent, SequencePort } from "./sequence.js";

/** One change of a list. Edits come in sequence: each counts in the list that the ones before it left. */
export type ListEdit =
  | { readonly type: "insert"; readonly index: number; readonly value: Json }
  | { readonly type: "delete"; readonly index: number; readonly length: number }
  /** The entry holds another value, and is the same entry. */
  | { readonly type: "replace"; readonly index: number; readonly value: Json };

/**
 * A list of JSON values in a document: `doc.list(name)`.
 *
 * Whoever edits a name edits the same list. What several people insert at one place comes to stand one after the other; an entry
 * that two move at once is in one of the two places; who deletes one deletes it wherever it is moved.
 */
export class List {
  readonly name: string;
  readonly #port: SequencePort;
  readonly #channel: Channel<ListEdit>;

  /** @internal */
  constructor(name: string, port: SequencePort, channel: Channel<ListEdit>) {
    this.name = name;
    this.#port = port;
    this.#channel = channel;
  }

  get length(): number {
    return this.#port.wasm().listLength(this.name);
  }

  /** The entry at `index`; `undefined` if there is none. */
  get(index: number): Json | undefined {
    const text = this.#port.wasm().listGet(this.name, whole(index));
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  }

  /** All entries. */
  values(): Json[] {
    return new PacketReader(this.#port.wasm().listValues(this.name)).values();
  }

  /** Puts an entry in front of the one at `index`, or at the end. */
  insert(index: number, value: Json): void {
    whole(index);
    this.#port.edit((wasm) => {
      wasm.listInsert(this.name, index, jsonText(value));
      return [this.#inserted(index, value)];
    });
  }

  /** Puts entries at the end, as one transaction. */
  push(...values: readonly Json[]): void {
    this.transact(() => {
      for (const value of values) {
        this.insert(this.length, value);
      }
    });
  }

  /** Deletes `length` entries from `index` on. */
  delete(index: number, length = 1): void {
    const end = whole(whole(index) + whole(length));
    this.#port.edit((wasm) => {
      wasm.listDelete(this.name, index, end);
      return length === 0 ? [] : [this.#deleted(index, length)];
    });
  }

  /** Gives an entry another value. Of values that several people give one at once, the same stays for everybody. */
  replace(index: number, value: Json): void {
    whole(index);
    this.#port.edit((wasm) => {
      wasm.listReplace(this.name, index, jsonText(value));
      return [{ type: "in", kind: "list", name: this.name, edit: { type: "replace", position: index, value } }];
    });
  }

  /** Moves the entry at `from`, which is at `to` then. Its listeners learn of a deletion and an insertion. */
  move(from: number, to: number): void {
    whole(from);
    whole(to);
    this.#port.edit((wasm) => {
      const value = this.get(from);
      wasm.listMove(this.name, from, to);
      return value === undefined || from === to ? [] : [this.#deleted(from, 1), this.#inserted(to, value)];
    });
  }

  /**
   * A name for the place in front of the entry at `index` that survives edits: it stays before that entry (or, with
   * `"after"`, behind the one in front), also when that is deleted. When that is moved, it stays where it was. As bytes that other
   * copies understand.
   */
  anchorAt(index: number, side: "before" | "after"): Uint8Array {
    return this.#read((wasm) => wasm.listAnchor(this.name, whole(index), side === "before"));
  }

  /** Where an anchor stands now; `undefined` while its entry has not arrived here, and for anchors of other sequences. */
  resolveAnchor(anchor: Uint8Array): number | undefined {
    return this.#read((wasm) => wasm.listResolve(this.name, anchor));
  }

  /** `Doc.transact`. */
  transact(edit: () => void, origin?: unknown): Uint8Array | undefined {
    return this.#port.transact(edit, origin);
  }

  /** Calls `listener` whenever this list changed, until the returned function is called. */
  on(type: "change", listener: (event: SequenceEvent<ListEdit>) => void): () => void {
    return this.#channel.events.on(type, listener);
  }

  #read<Value>(read: (wasm: ReturnType<SequencePort["wasm"]>) => Value): Value {
    const wasm = this.#port.wasm();
    try {
      return read(wasm);
    } catch (error) {
      throw fromWasm(error);
    }
  }

  #inserted(position: number, value: Json): NamedEdit {
    return { type: "in", kind: "list", name: this.name, edit: { type: "embed", position, value } };
  }

  #deleted(position: number, length: number): NamedEdit {
    return { type: "in", kind: "list", name: this.name, edit: { type: "delete", position, length } };
  }
}

/** An edit of a list as the document tells it, as its listeners know it. */
export function listEdit(edit: NamedEdit["edit"]): ListEdit[] {
  switch (edit.type) {
    case "embed":
      return [{ type: "insert", index: edit.position, value: edit.value }];
    case "insert":
      // Text in a list counts as strings of one character.
      return Array.from(edit.text, (value, at) => ({ type: "insert", index: edit.position + at, value }));
    case "delete":
      return [{ type: "delete", index: edit.position, length: edit.length }];
    case "replace":
      return [{ type: "replace", index: edit.position, value: edit.value }];
    case "mark":
    case "register":
      return [];
  }
}
