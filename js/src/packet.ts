/** Reads the packets that `crdt-wasm/src/packet.rs` writes; the layout is private to the two. */
import type { AuthorEntry } from "./authors.js";
import type { DeltaVersion } from "./delta.js";
import type { AnyEdit, NamedEdit, TextEdit, TextRun } from "./edit.js";
import type { Attribution, DeletedText, HistoryStep, OpId, OpRange } from "./history.js";
import { eachMark, type Json, type Marks } from "./json.js";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What waits for operations that have not arrived. */
export interface PendingReport {
  /** How many operations wait. */
  readonly operations: number;
  /** Which are missing: numbers `from` to before `to` of a replica. */
  readonly missing: readonly OpRange[];
}

export class PacketReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) {
      throw new RangeError("packet ends early");
    }
    return byte;
  }

  /** A varint; multiplies instead of shifting, so that numbers up to 2^53 come out. */
  number(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return value;
      }
      scale *= 128;
    }
  }

  /** Eight bytes, least significant first, as 16 hexadecimal digits. */
  id(): string {
    let digits = "";
    for (let index = 0; index < 8; index++) {
      digits = this.byte().toString(16).padStart(2, "0") + digits;
    }
    return digits;
  }

  /** Bytes with their length in front; a copy that may be kept. */
  bytes(): Uint8Array<ArrayBuffer> {
    const length = this.number();
    const taken = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  text(): string {
    const length = this.number();
    const start = this.#at;
    this.#at += length;
    if (length < 16) {
      // A keystroke: TextDecoder costs twenty times as much as this loop.
      let text = "";
      for (let at = start; at < this.#at; at++) {
        const byte = this.#bytes[at];
        if (byte === undefined || byte > 0x7f) {
          return decoder.decode(this.#bytes.subarray(start, this.#at));
        }
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return decoder.decode(this.#bytes.subarray(start, this.#at));
  }

  edits(): AnyEdit[] {
    const edits: AnyEdit[] = [];
    while (!this.done) {
      const head = this.number();
      const place = Math.floor(head / 8);
      edits.push(head % 8 === 7 && place > 1 ? this.#named(place) : this.#edit(head % 8, place));
    }
    return edits;
  }

  #named(place: number): NamedEdit {
    const name = this.text();
    const head = this.number();
    const edit =
      head === 8 + 7
        ? { type: "replace" as const, position: this.number(), value: this.#json() }
        : this.#edit(head % 8, Math.floor(head / 8));
    return { type: "in", kind: place === 2 ? "text" : "list", name, edit };
  }

  #edit(kind: number, position: number): TextEdit {
    switch (kind) {
      case 0:
        return { type: "insert", position, text: this.text() };
      case 1:
        return { type: "delete", position, length: this.number() };
      case 2:
        return { type: "insert", position, text: this.text(), marks: this.#marks() };
      case 3:
        return { type: "embed", position, value: this.#json() };
      case 4:
        return { type: "embed", position, value: this.#json(), marks: this.#marks() };
      case 5:
        return { type: "mark", position, length: this.number(), name: this.text(), value: this.#json() };
      case 6:
        return { type: "mark", position, length: this.number(), name: this.text(), value: null };
      case 7: {
        const name = this.text();
        const value = this.text();
        return { type: "register", name, value: value === "" ? null : (JSON.parse(value) as Json) };
      }
      default:
        throw new RangeError(`no edit is of kind ${String(kind)}`);
    }
  }

  runs(): TextRun[] {
    const runs: TextRun[] = [];
    while (!this.done) {
      const kind = this.byte();
      const content = kind < 2 ? { text: this.text() } : { embed: this.#json() };
      runs.push(kind % 2 === 0 ? content : { ...content, marks: this.#marks() });
    }
    return runs;
  }

  registers(): Map<string, Json> {
    const all = new Map<string, Json>();
    while (!this.done) {
      all.set(this.text(), this.#json());
    }
    return all;
  }

  values(): Json[] {
    const values: Json[] = [];
    while (!this.done) {
      values.push(this.#json());
    }
    return values;
  }

  sequences(): { kind: "text" | "list"; name: string }[] {
    const sequences: { kind: "text" | "list"; name: string }[] = [];
    while (!this.done) {
      sequences.push({ kind: this.byte() === 0 ? "text" : "list", name: this.text() });
    }
    return sequences;
  }

  #marks(): Marks {
    const marks: [string, Json][] = [];
    for (let left = this.number(); left > 0; left--) {
      marks.push([this.text(), this.#json()]);
    }
    return Object.fromEntries(marks);
  }

  #json(): Json {
    return JSON.parse(this.text()) as Json;
  }

  pending(): PendingReport {
    return { operations: this.number(), missing: this.#all(() => this.#operations()) };
  }

  deltaVersion(): DeltaVersion {
    return { start: this.bytes(), end: this.bytes(), ranges: this.#all(() => this.#operations()) };
  }

  attribution(): Attribution[] {
    return this.#all(() => ({ position: this.number(), length: this.number(), ...this.#operations() }));
  }

  deletedText(): DeletedText[] {
    return this.#all(() => ({
      position: this.number(),
      text: this.text(),
      insertedBy: this.#operation(),
      deletedBy: this.#operation(),
    }));
  }

  namedVersions(): Map<string, Uint8Array> {
    return new Map(this.#all(() => [this.text(), this.bytes()] as const));
  }

  /** The edits of named texts and lists are left out. */
  step(): HistoryStep {
    const operations = this.#operations();
    const time = this.number();
    const edits = this.edits().filter((edit): edit is TextEdit => edit.type !== "in");
    return { ...operations, ...(time > 0 ? { timeMs: time - 1 } : {}), edits };
  }

  author(): { user: string; timeMs: number } {
    return { user: this.text(), timeMs: this.number() };
  }

  authors(): AuthorEntry[] {
    return this.#all(() => ({ ...this.#operations(), ...this.author() }));
  }

  #operation(): OpId {
    return { replica: this.id(), seq: this.number() };
  }

  #operations(): OpRange {
    return { replica: this.id(), from: this.number(), to: this.number() };
  }

  /** As many as there are up to the end. */
  #all<Value>(read: () => Value): Value[] {
    const all: Value[] = [];
    while (!this.done) {
      all.push(read());
    }
    return all;
  }
}

/**
 * Marks as one text: names and values in turn, with a NUL behind each, which JSON never has in it. A `null` is no mark.
 */
export function marksToText(marks: Marks): string {
  return eachMark(marks)
    .filter(([, value]: [string, Json | undefined]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}\0${JSON.stringify(value)}\0`)
    .join("");
}

/** The other way round, as what an edit says of its marks. */
export function textToMarks(text: string): { marks?: Marks } {
  if (text === "") {
    return {};
  }
  const parts = text.split("\0");
  const marks: [string, Json][] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    marks.push([parts[at] ?? "", JSON.parse(parts[at + 1] ?? "null") as Json]);
  }
  return { marks: Object.fromEntries(marks) };
}

/** The content of a new document, as `packet.rs` reads it. */
export function writeRuns(runs: readonly TextRun[]): Uint8Array {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  const number = (value: number): void => {
    bytes.push(...varint(value));
  };
  const text = (value: string): void => {
    const encoded = encoder.encode(value);
    number(encoded.length);
    for (const byte of encoded) {
      bytes.push(byte);
    }
  };
  for (const run of runs) {
    const marks = Object.entries(run.marks ?? {}).filter(([, value]) => value !== null);
    bytes.push(("text" in run ? 0 : 2) + (marks.length > 0 ? 1 : 0));
    text("text" in run ? run.text : JSON.stringify(run.embed));
    if (marks.length > 0) {
      number(marks.length);
      for (const [name, value] of marks) {
        text(name);
        text(JSON.stringify(value));
      }
    }
  }
  return Uint8Array.from(bytes);
}

/** Byte strings behind each other, each with its length in front. */
export function writeAllBytes(all: readonly Uint8Array[]): Uint8Array {
  const parts = all.flatMap((bytes) => [Uint8Array.from(varint(bytes.length)), bytes]);
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) {
    bytes.push((value % 128) + 128);
  }
  return [...bytes, value];
}
