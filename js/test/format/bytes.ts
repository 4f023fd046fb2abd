// Reading bytes as docs/format.md says, and nothing else: this decoder was written after that page alone, so that the page is
// tested. It prefers being plain to being fast.

/** Why bytes were refused. */
export class Refused extends Error {}

export function refuse(why: string): never {
  throw new Refused(why);
}

export function must(holds: boolean, what: string): void {
  if (!holds) {
    refuse(what);
  }
}

/** One more than the largest seq that an operation can have. */
export const SEQS = 0xffff_ffff;

export interface Id {
  readonly replica: string;
  readonly seq: number;
}

/** `of` is undefined at the start (`after`) and at the end (`before`). */
export interface Anchor {
  readonly side: "after" | "before";
  readonly of: Id | undefined;
}

export const START: Anchor = { side: "after", of: undefined };
export const END: Anchor = { side: "before", of: undefined };

export const idText = ({ replica, seq }: Id): string => `${replica}:${String(seq)}`;

export function anchorText({ side, of }: Anchor): string {
  return of === undefined ? (side === "after" ? "start" : "end") : `${side} ${idText(of)}`;
}

/** In their order: replicas as numbers, which their sixteen digits sort as. */
export function compareIds(a: Id, b: Id): number {
  return a.replica < b.replica ? -1 : a.replica > b.replica ? 1 : a.seq - b.seq;
}

/** An element that can be named. */
export function elementId(replica: string, seq: number): Id {
  must(seq < SEQS, "no element has the seq 2^32 - 1");
  return { replica, seq };
}

export class Reader {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  get done(): boolean {
    return this.left === 0;
  }

  take(count: number): Uint8Array {
    must(count <= this.left, "the bytes end too early");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  u8(): number {
    return this.take(1)[0] ?? 0;
  }

  /** Least significant byte first, up to four bytes. */
  fixed(count: number): number {
    return this.take(count).reduceRight((number, byte) => number * 256 + byte, 0);
  }

  u64(): bigint {
    return this.take(8).reduceRight((number, byte) => number * 256n + BigInt(byte), 0n);
  }

  varint64(): bigint {
    let number = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      number |= BigInt(byte & 0x7f) << shift;
      must(number < 1n << 64n && shift < 70n, "a number has more than 64 bits");
      if (byte < 0x80) {
        must(byte !== 0 || shift === 0n, "a number is not in its shortest form");
        return number;
      }
    }
  }

  /** One that no field of the formats can have above 2^53. */
  varint(): number {
    const number = this.varint64();
    must(number <= 1n << 53n, "a number is too large");
    return Number(number);
  }

  /** A seq, or a count of operations. */
  seq(): number {
    const seq = this.varint();
    must(seq <= SEQS, "a seq has more than 32 bits");
    return seq;
  }

  /** How many there are, of which each takes at least so many bytes. */
  count(bytesEach: number): number {
    const count = this.varint();
    must(count * bytesEach <= this.left, "more is announced than there can be");
    return count;
  }

  counted(): Uint8Array {
    return this.take(this.varint());
  }

  text(): string {
    return utf8(this.counted());
  }

  name(): string {
    const bytes = this.counted();
    must(bytes.length <= 1024, "a name has more than 1,024 bytes");
    return utf8(bytes);
  }

  replica(): string {
    return this.u64().toString(16).padStart(16, "0");
  }

  /** 0, -1, 1, -2, … as 0, 1, 2, 3, … */
  signed(): number {
    return signed(this.varint());
  }

  end(): void {
    must(this.done, "bytes follow the end");
  }
}

export function signed(number: number): number {
  return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
}

export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse("text is not UTF-8");
  }
}

/** Of what stands in a delta, a snapshot and so on: without blanks between tokens, at most 128 levels. */
export function json(text: string): string {
  must(new TextEncoder().encode(text).length <= 1 << 24, "a JSON value has more than 16 MiB");
  try {
    JSON.parse(text);
  } catch {
    refuse("a JSON value is none");
  }
  const outside = text.replace(/"(?:[^"\\]|\\.)*"/gs, '""');
  must(!/\s/.test(outside), "blanks between the tokens of a JSON value");
  let levels = 0;
  for (const token of outside) {
    if (token === "[" || token === "{") {
      levels += 1;
    }
    if (token === "]" || token === "}") {
      levels -= 1;
    }
    must(levels <= 128, "a JSON value has more than 128 levels");
  }
  return text;
}

/** CRC-32C, bit by bit. */
export function crc32c(...parts: Uint8Array[]): number {
  let register = 0xffff_ffff;
  for (const bytes of parts) {
    for (const byte of bytes) {
      register ^= byte;
      for (let bit = 0; bit < 8; bit += 1) {
        register = (register >>> 1) ^ (register & 1 ? 0x82f6_3b78 : 0);
      }
    }
  }
  return ~register >>> 0;
}

/** The bytes without the checksum at their end. */
export function checked(bytes: Uint8Array): Uint8Array {
  must(bytes.length >= 4, "the bytes end too early");
  const body = bytes.subarray(0, -4);
  must(new Reader(bytes.subarray(-4)).fixed(4) === crc32c(body), "the checksum does not match");
  return body;
}

/** The magic word and the version that a format starts with. */
export function start(reader: Reader, magic: string, version: number): void {
  const found = reader.take(magic.length);
  must(String.fromCharCode(...found) === magic, "the bytes are of another format");
  const number = reader.u8();
  must(number === version, `version ${String(number)} is not known`);
}
