/** Reads the packets that `crdt-wasm/src/packet.rs` writes; the layout is private to the two. */
import type { TextEdit } from "./edit.js";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What waits for operations that have not arrived. */
export interface PendingReport {
  /** How many operations wait. */
  readonly operations: number;
  /** Which are missing: numbers `from` to before `to` of a replica. */
  readonly missing: readonly { readonly replica: string; readonly from: number; readonly to: number }[];
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

  edits(): TextEdit[] {
    const edits: TextEdit[] = [];
    while (!this.done) {
      const head = this.number();
      const position = Math.floor(head / 2);
      edits.push(
        head % 2 === 0
          ? { type: "insert", position, text: this.text() }
          : { type: "delete", position, length: this.number() },
      );
    }
    return edits;
  }

  pending(): PendingReport {
    const operations = this.number();
    const missing = [];
    while (!this.done) {
      missing.push({ replica: this.id(), from: this.number(), to: this.number() });
    }
    return { operations, missing };
  }
}
