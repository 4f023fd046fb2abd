import type { Expand } from "./doc.js";
import { replaced, type TextEdit, type TextRun } from "./edit.js";
import { fromWasm } from "./error.js";
import type { Attribution, DeletedText } from "./history.js";
import { checkMarks, checkName, checkText, jsonText, whole } from "./input.js";
import type { Json, Marks } from "./json.js";
import { marksToText, PacketReader, textToMarks } from "./packet.js";
import type { Channel, SequenceEvent, SequencePort } from "./sequence.js";

/**
 * A text of a document beside its main text: `doc.text(name)`.
 *
 * Whoever edits a name edits the same text. It has what the document has for its main text, so bindings take it, and positions
 * count in it. One transaction, one delta and one undo step may hold edits of several texts.
 */
export class NamedText {
  readonly name: string;
  /** Whether it is known to hold nothing but text: never, as that is not asked of a part of a document. */
  readonly plain = false;
  readonly #port: SequencePort;
  readonly #channel: Channel<TextEdit>;
  readonly #setExpand: (name: string, expand: Expand) => void;

  /** @internal */
  constructor(
    name: string,
    port: SequencePort,
    channel: Channel<TextEdit>,
    setExpand: (name: string, expand: Expand) => void,
  ) {
    this.name = name;
    this.#port = port;
    this.#channel = channel;
    this.#setExpand = setExpand;
  }

  get length(): number {
    return this.#port.wasm().lengthIn(this.name);
  }

  toString(): string {
    return this.#port.wasm().textIn(this.name);
  }

  /** As `Doc.slice`. */
  slice(start: number, end: number = this.length): string {
    return this.#read((wasm) => wasm.sliceIn(this.name, whole(start), whole(end)));
  }

  /** As `Doc.runs`. */
  runs(start = 0, end: number = this.length): TextRun[] {
    return this.#read((wasm) => new PacketReader(wasm.runsIn(this.name, whole(start), whole(end))).runs());
  }

  /** As `Doc.textAt`; empty where nobody had edited it yet. */
  textAt(version: Uint8Array): string {
    return this.#read((wasm) => wasm.textAt(this.name, version));
  }

  /** As `Doc.sliceAt`. */
  sliceAt(version: Uint8Array, start: number, end: number): string {
    return this.#read((wasm) => wasm.sliceAt(this.name, version, whole(start), whole(end)));
  }

  /** As `Doc.attribution`. */
  attribution(start = 0, end: number = this.length): Attribution[] {
    return this.#read((wasm) => new PacketReader(wasm.attribution(this.name, whole(start), whole(end))).attribution());
  }

  /** As `Doc.deletedText`. */
  deletedText(start = 0, end: number = this.length): DeletedText[] {
    return this.#read((wasm) => new PacketReader(wasm.deletedText(this.name, whole(start), whole(end))).deletedText());
  }

  /** As `Doc.insert`. */
  insert(position: number, text: string, marks?: Marks): void {
    whole(position);
    checkMarks(marks);
    checkText(text);
    this.#edit((wasm) => {
      const got = textToMarks(wasm.insertIn(this.name, position, text, marks && marksToText(marks)));
      return text === "" ? undefined : { type: "insert", position, text, ...got };
    });
  }

  /** As `Doc.insertEmbed`. */
  insertEmbed(position: number, value: Json, marks?: Marks): void {
    whole(position);
    checkMarks(marks);
    this.#edit((wasm) => {
      const text = marks && marksToText(marks);
      const got = textToMarks(wasm.insertEmbedIn(this.name, position, jsonText(value), text));
      return { type: "embed", position, value, ...got };
    });
  }

  /** As `Doc.replaceEmbed`. */
  replaceEmbed(position: number, value: Json): void {
    whole(position);
    this.#editAll((wasm) => replaced(position, value, textToMarks(wasm.replaceEmbedIn(this.name, position, jsonText(value)))));
  }

  /** As `Doc.mark`. */
  mark(position: number, length: number, name: string, value: Json): void {
    const end = whole(whole(position) + whole(length));
    checkName(name);
    this.#edit((wasm) => {
      wasm.markIn(this.name, position, end, name, value === null ? "" : jsonText(value));
      return length === 0 ? undefined : { type: "mark", position, length, name, value };
    });
  }

  /** As `Doc.setExpand`: it concerns the whole document. */
  setExpand(name: string, expand: Expand): void {
    this.#setExpand(name, expand);
  }

  /** As `Doc.delete`. */
  delete(position: number, length: number): void {
    const end = whole(whole(position) + whole(length));
    this.#edit((wasm) => {
      wasm.deleteIn(this.name, position, end);
      return length === 0 ? undefined : { type: "delete", position, length };
    });
  }

  /** As `Doc.set`, for registers of this text. */
  set(name: string, value: Json): void {
    checkName(name);
    this.#port.set(registersOf(this.name) + name, value);
  }

  /** As `Doc.registers`. */
  registers(): Map<string, Json> {
    const prefix = registersOf(this.name);
    const own = [...this.#port.registers()].filter(([name]) => name.startsWith(prefix));
    return new Map(own.map(([name, value]) => [name.slice(prefix.length), value]));
  }

  /** `Doc.transact`. */
  transact(edit: () => void, origin?: unknown): Uint8Array | undefined {
    return this.#port.transact(edit, origin);
  }

  /** As `Doc.anchorAt`; such an anchor is one of this text, also if nobody has edited it yet. */
  anchorAt(position: number, side: "before" | "after"): Uint8Array {
    return this.#read((wasm) => wasm.anchorIn(this.name, whole(position), side === "before"));
  }

  /** As `Doc.resolveAnchor`; `undefined` also for anchors of other texts, such as the main text. */
  resolveAnchor(anchor: Uint8Array): number | undefined {
    return this.#read((wasm) => wasm.resolveIn(this.name, anchor));
  }

  /** Calls `listener` whenever this text changed, until the returned function is called. */
  on(type: "change", listener: (event: SequenceEvent<TextEdit>) => void): () => void {
    return this.#channel.events.on(type, listener);
  }

  /** As `Doc.track`. @internal */
  track(tracker: (edits: readonly TextEdit[], origin: unknown) => void): () => void {
    this.#channel.trackers.add(tracker);
    return () => {
      this.#channel.trackers.delete(tracker);
    };
  }

  #edit(make: (wasm: ReturnType<SequencePort["wasm"]>) => TextEdit | undefined): void {
    this.#editAll((wasm) => {
      const edit = make(wasm);
      return edit ? [edit] : [];
    });
  }

  #editAll(make: (wasm: ReturnType<SequencePort["wasm"]>) => readonly TextEdit[]): void {
    this.#port.edit((wasm) => make(wasm).map((edit) => ({ type: "in", kind: "text", name: this.name, edit })));
  }

  #read<Value>(read: (wasm: ReturnType<SequencePort["wasm"]>) => Value): Value {
    const wasm = this.#port.wasm();
    try {
      return read(wasm);
    } catch (error) {
      throw fromWasm(error);
    }
  }
}

/** What the document's registers that belong to a named text are called, up to their name there. */
export function registersOf(text: string): string {
  return `text:${encodeURIComponent(text)}/`;
}
