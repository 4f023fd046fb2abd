// Golden files broken in one way each, with checksums that are right again: what a reader must refuse.

import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { crc32c, Reader } from "./bytes.js";
import { lz4 } from "./lz4.js";
import { frame } from "./snapshot.js";

export interface Broken {
  readonly format: "delta" | "snapshot" | "log" | "authors" | "version" | "anchor";
  /** What is wrong with it. */
  readonly rule: string;
  readonly bytes: Uint8Array;
}

const ADA = "11 22 33 44 55 66 77 88";
const BOB = "08 07 06 05 04 03 02 01";
/** Six letters in one DEFLATE block that is not compressed. */
const STORED = hex("01 06 00 f9 ff 61 62 63 64 65 66");
const LIST = `02 ${BOB} ${ADA}`;

export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.trim() === "" ? [] : text.trim().split(/\s+/), (byte) => Number.parseInt(byte, 16));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function varint(number: number): Uint8Array {
  const bytes: number[] = [];
  for (let left = number; ; left = Math.floor(left / 128)) {
    if (left < 128) {
      return Uint8Array.from([...bytes, left]);
    }
    bytes.push((left % 128) + 128);
  }
}

function u32(number: number): Uint8Array {
  return Uint8Array.of(number & 255, (number >>> 8) & 255, (number >>> 16) & 255, number >>> 24);
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const counted = (bytes: Uint8Array): Uint8Array => join(varint(bytes.length), bytes);
const sealed = (body: Uint8Array): Uint8Array => join(body, u32(crc32c(body)));

function deltas(): [string, string | Uint8Array][] {
  const big = "fe ff ff ff 0f";
  const full = "ff ff ff ff 0f";
  const rich = (inside: string, carried: string | Uint8Array): Uint8Array =>
    join(hex("f2"), counted(hex(inside)), typeof carried === "string" ? hex(carried) : carried);
  /** An insertion of U+FFFC as operation 0, and the value that it carries. */
  const carrier = `03 ${ADA} 00 ef bf bc`;
  const value = (value: string | Uint8Array): Uint8Array =>
    rich(carrier, join(hex(`01 ${ADA} 00 01 00`), typeof value === "string" ? hex(value) : value));
  const embed = (text: string): Uint8Array => value(join(hex("00"), counted(utf8(text))));
  return [
    ["nothing at all", ""],
    ["another format", "50 50"],
    ["the version before", "d1 00 00"],
    ["a table by name of the version before", "e1 00 00"],
    ["a rich delta of another version", "f1 03 d2 00 00"],
    ["another format by its upper bits", "c5 00 00"],
    ["bytes behind what says that it was trimmed", "c2 00"],
    ["a number that is not in its shortest form", `01 ${ADA} 80 00 78`],
    ["a number of more than 64 bits", `01 ${ADA} ff ff ff ff ff ff ff ff ff 02 78`],
    ["a seq of more than 32 bits", `01 ${ADA} 80 80 80 80 10 78`],
    ["no text", `01 ${ADA} 00`],
    ["bytes behind the text", `01 ${ADA} 00 78 79`],
    ["bytes behind a deletion", `29 ${ADA} 05 00 00`],
    ["text that is not UTF-8", `02 ${ADA} 00 c3 28`],
    ["half of a scalar value", `01 ${ADA} 00 c3`],
    ["a surrogate", `03 ${ADA} 00 ed a0 80`],
    ["the seq behind the last does not fit", `01 ${ADA} ${full} 78`],
    ["the seqs of a deletion do not fit", `2a ${ADA} ${big} 01`],
    ["typed on from nothing", `09 ${ADA} 00 78`],
    ["after an own element that cannot be", `11 ${ADA} 05 04 78`],
    ["before an own element that cannot be", `19 ${ADA} 05 05 78`],
    ["a deletion of an own element that cannot be", `29 ${ADA} 05 05`],
    ["an own element named as somebody else's", `21 ${ADA} 05 ${ADA} 04 78`],
    ["own elements deleted as somebody else's", `3a ${ADA} 05 ${ADA} 04`],
    ["beside the seq 2^32 - 1", `21 ${ADA} 05 ${BOB} fe ff ff ff 1f 78`],
    ["deletes the seq 2^32 - 1", `39 ${ADA} 05 ${BOB} fe ff ff ff 1f`],
    ["deletes upwards beyond 2^32 - 2", `3a ${ADA} 05 ${BOB} fc ff ff ff 1f`],
    ["one own element deleted downwards", `31 ${ADA} 05 00`],
    ["one element deleted downwards", `39 ${ADA} 05 ${BOB} 05`],
    ["own elements deleted below 0", `33 ${ADA} 05 03`],
    ["elements deleted below 0", `3b ${ADA} 05 ${BOB} 03`],
    ["a name outside of a connection", `41 01 ${ADA} 68`],
    ["what goes on outside of a connection", "89 69"],
    ["a table by name outside of a connection", "e2 00 00"],
    ["a table of one run", `d2 01 ${ADA} 01 78 00 00 08`],
    ["a table of one run that is counted", `d2 01 ${ADA} 01 78 01 00 01 08`],
    ["a block of no runs", `d2 01 ${ADA} 02 78 79 01 00 00 00 00 08 00 01 08`],
    ["a replica twice in a table", `d2 02 ${ADA} ${ADA} 02 78 79 00 00 08 00 05 08`],
    ["a replica that is not in the table", `d2 01 ${ADA} 02 78 79 00 00 08 02 05 08`],
    ["an element of a replica that is not in the table", `d2 01 ${ADA} 02 78 79 00 00 08 00 05 0c 02 00`],
    ["a run of nothing", `d2 01 ${ADA} 01 78 00 00 08 00 05 00`],
    ["text left over in a table", `d2 01 ${ADA} 03 78 79 7a 00 00 08 00 05 08`],
    ["too little text in a table", `d2 01 ${ADA} 01 78 00 00 08 00 05 08`],
    ["a scalar value across two runs", `d2 01 ${ADA} 02 c3 a9 00 00 08 00 05 08`],
    ["blocks of one replica that overlap", `d2 01 ${ADA} 03 78 79 7a 00 00 10 00 01 08`],
    ["blocks of one replica that descend", `d2 01 ${ADA} 02 78 79 00 05 08 00 00 08`],
    ["a block that goes on where the one before it ended", `d2 01 ${ADA} 02 78 79 00 00 08 00 01 08`],
    [
      "blocks of two replicas that take turns",
      `d2 02 ${ADA} ${BOB} 03 78 79 7a 00 00 08 02 00 08 00 05 08`,
    ],
    ["more replicas announced than there can be", `d2 ff ff ff ff 0f ${ADA}`],
    ["a table that ends in a block", `d2 01 ${ADA} 02 78 79 00 00 08 00 05`],
    ["rich without values", rich(carrier, "00")],
    ["a block without values", rich(carrier, `01 ${ADA} 00 00`)],
    ["a value of no element", rich(carrier, `01 ${ADA} 00 01 01 00 01 31`)],
    ["a value of a letter", rich(`01 ${ADA} 00 78`, `01 ${ADA} 00 01 00 00 01 31`)],
    ["rich in rich", rich(`f2 0d ${carrier} 01 ${ADA} 00 01 00 00 01 31`, `01 ${ADA} 00 01 00 00 01 31`)],
    ["trimmed in rich", rich("c2", `01 ${ADA} 00 01 00 00 01 31`)],
    ["replicas of values that descend", rich(carrier, `02 ${ADA} ${BOB} 00 01 00 00 01 31`)],
    ["a replica of values twice", rich(carrier, `02 ${ADA} ${ADA} 00 01 00 00 01 31`)],
    ["a block of a replica that is not in the list", rich(carrier, `01 ${ADA} 01 01 00 00 01 31`)],
    [
      "blocks of values that descend",
      rich(`d2 ${LIST} 06 ef bf bc ef bf bc 02 00 18 00 00 18`, `${LIST} 01 01 00 00 01 31 00 01 00 00 01 31`),
    ],
    ["a value of no known kind", value("0a 00")],
    ["JSON that is none", embed("{")],
    ["no JSON", embed("")],
    ["blanks in front of JSON", embed(" 1")],
    ["blanks in JSON", embed('{"a": 1}')],
    ["two values of JSON", embed("1 2")],
    ["JSON with a number that it has not", embed("01")],
    ["129 levels of JSON", embed("[".repeat(129) + "]".repeat(129))],
    ["JSON that is not UTF-8", value("00 03 22 ff 22")],
    ["a stamp above 2^53", value("04 81 80 80 80 80 80 80 10 01 61")],
    ["a name of 1,025 bytes", value(join(hex("04 01"), counted(utf8("a".repeat(1025)))))],
    ["a sequence of no known kind", value("06 02 01 61")],
    ["roots of a replica", value("05")],
    ["a named sequence opened by a replica", value("06 00 01 61")],
    ["a named sequence closed at its start", value("07")],
    [
      "roots that are not at the start",
      rich(`23 00 00 00 00 00 00 00 00 00 ${ADA} 00 ef bf bc`, "01 00 00 00 00 00 00 00 00 00 01 00 05"),
    ],
    ["a mark beside a replica that is not in the list", value("02 01 04 00 01 01 61")],
  ];
}

const versions: [string, string][] = [
  ["replicas that descend", `02 ${ADA} 01 ${BOB} 01`],
  ["a replica twice", `02 ${ADA} 01 ${ADA} 02`],
  ["nothing seen", `01 ${ADA} 00`],
  ["more than 32 bits seen", `01 ${ADA} 80 80 80 80 10`],
  ["bytes behind the end", `01 ${ADA} 01 00`],
  ["less than announced", `02 ${ADA} 01`],
  ["a count that is not in its shortest form", "80 00"],
];

const anchors: [string, string][] = [
  ["nothing at all", ""],
  ["no known kind", `04 ${ADA} 00`],
  ["bytes behind the start", "00 00"],
  ["bytes behind the end", `02 ${ADA} 05 00`],
  ["no seq", `03 ${ADA}`],
  ["a seq of more than 32 bits", `02 ${ADA} 80 80 80 80 10`],
];

interface Plain {
  tag: string;
  coding: number;
  bytes: Uint8Array;
}

/** A snapshot whose chunks are all plain, as its parts. */
class Parts {
  constructor(
    public required: number,
    public chunks: Plain[],
  ) {}

  static of(bytes: Uint8Array): Parts {
    const { required, chunks } = frame(bytes);
    const plain = chunks.map(({ tag, coding, bytes }) => {
      if (coding === 0 || !/[A-Z]/.test(tag)) {
        return { tag, coding, bytes };
      }
      const reader = new Reader(bytes);
      const size = reader.varint();
      const packed = reader.take(reader.left);
      const out = coding === 1 ? lz4(packed, size) : new Uint8Array(inflateRawSync(packed));
      return { tag, coding: 0, bytes: out };
    });
    return new Parts(Number(required) & ~3, plain);
  }

  get(tag: string): Plain {
    const chunk = this.chunks.find((chunk) => chunk.tag === tag);
    if (chunk === undefined) {
      throw new Error(`there is no chunk ${tag}`);
    }
    return chunk;
  }

  drop(tag: string): void {
    this.chunks.splice(this.chunks.indexOf(this.get(tag)), 1);
  }

  bytes(): Uint8Array {
    const chunks = this.chunks.map(({ tag, coding, bytes }) => join(utf8(tag), Uint8Array.of(coding), counted(bytes)));
    return sealed(join(utf8("CRDTS"), Uint8Array.of(3, this.required, 0), ...chunks));
  }
}

function snapshots(read: (name: string) => Uint8Array): [string, Uint8Array][] {
  const whole = (name: string, edit: (bytes: Uint8Array) => Uint8Array): Uint8Array => edit(read(name).slice());
  const parts = (name: string, edit: (parts: Parts) => void): Uint8Array => {
    const taken = Parts.of(read(name));
    edit(taken);
    return taken.bytes();
  };
  const chunk = (name: string, tag: string, edit: (bytes: Uint8Array) => Uint8Array): Uint8Array =>
    parts(name, (parts) => {
      const chunk = parts.get(tag);
      chunk.bytes = edit(chunk.bytes.slice());
    });
  const put = (at: number, byte: number) => (bytes: Uint8Array) => {
    bytes[at < 0 ? bytes.length + at : at] = byte;
    return bytes;
  };
  const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, -1);
  const repaired = (name: string, edit: (bytes: Uint8Array) => Uint8Array): Uint8Array =>
    whole(name, (bytes) => sealed(edit(bytes.subarray(0, -4))));
  const made = (chunks: Record<string, string>, required = 0): Uint8Array =>
    new Parts(
      required,
      Object.entries(chunks).map(([tag, bytes]) => ({ tag, coding: 0, bytes: hex(bytes) })),
    ).bytes();
  const version = `02 ${BOB} 02 ${ADA} 02`;
  const one = `01 ${BOB} 02`;
  const items = "01 00 0a 01 00";
  const none = "01 00 0e 01 00";
  const text = "61 62";
  return [
    ["another format", repaired("ascii", put(4, 0x54))],
    ["the version before", repaired("ascii", put(5, 2))],
    ["a version to come", repaired("ascii", put(5, 4))],
    ["a wrong checksum", whole("ascii", (bytes) => put(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1)(bytes))],
    ["features that are not known", repaired("ascii", put(6, 17))],
    [
      "an upper-case chunk that is not known",
      parts("ascii", ({ chunks }) => chunks.push({ tag: "Z", coding: 0, bytes: hex("00") })),
    ],
    [
      "a chunk that is not known twice",
      parts("unknown-chunks", ({ chunks }) => chunks.push({ tag: "z", coding: 0, bytes: hex("00") })),
    ],
    [
      "a chunk whose tag is no letter",
      parts("ascii", ({ chunks }) => chunks.push({ tag: "{", coding: 0, bytes: hex("00") })),
    ],
    ["a chunk of no bytes", made({ V: one, I: items, T: text, X: "" })],
    ["a chunk twice", parts("ascii", (parts) => parts.chunks.unshift(parts.get("V")))],
    ["chunks in another order", parts("ascii", ({ chunks }) => chunks.reverse())],
    ["a coding that is not known", parts("ascii", (parts) => (parts.get("T").coding = 3))],
    ["LZ4 without its feature bit", repaired("ascii", put(6, 0))],
    ["DEFLATE without its feature bit", repaired("ascii-compact", put(6, 4))],
    ["more comes out of LZ4 than announced", packed(1, "05", join(hex("60"), utf8("abcdef")))],
    ["less comes out of LZ4 than announced", packed(1, "07", join(hex("60"), utf8("abcdef")))],
    ["a match in front of an LZ4 block", packed(1, "06", hex("10 61 02 00 10 62"))],
    ["more comes out of DEFLATE than announced", packed(2, "05", STORED)],
    ["less comes out of DEFLATE than announced", packed(2, "07", STORED)],
    ["bytes behind a DEFLATE stream", packed(2, "06", join(STORED, hex("00")))],
    ["more comes out than may", packed(2, "80 80 c0 02", STORED)],
    [
      "a chunk of the order of time in document order",
      parts("ascii", ({ chunks }) => chunks.push({ tag: "S", coding: 0, bytes: hex("61") })),
    ],
    [
      "a chunk of the document order in the order of time",
      parts("ascii-compact", ({ chunks }) => chunks.splice(1, 0, { tag: "T", coding: 0, bytes: hex("61") })),
    ],
    ["floors without their feature bit", parts("trimmed", (parts) => (parts.required = 0))],
    ["the feature bit of floors without any", parts("ascii", (parts) => (parts.required = 8))],
    [
      "replicas that descend",
      made({ V: `02 ${ADA} 02 ${BOB} 02`, I: "02 01 0a 8a 01 01 00 01 00", T: `${text} ${text}` }),
    ],
    ["a replica without operations", made({ V: `02 ${BOB} 02 ${ADA} 00`, I: items, T: text })],
    ["bytes behind the version", made({ V: `${one} 00`, I: items, T: text })],
    ["operations that are nothing", made({ V: version, I: items, T: text })],
    ["an element beyond its replica's operations", made({ V: `01 ${BOB} 01`, I: items, T: text })],
    ["an element twice", made({ V: one, I: "02 00 0a 02 01 00 03", T: `${text} 63` })],
    ["an item of a replica that is not in the version", made({ V: one, I: "01 01 8a 01 01 00", T: text })],
    ["items that switch to the same replica", made({ V: one, I: "01 01 8a 00 01 00", T: text })],
    ["deletions that switch to the same replica", made({ V: version, I: none, X: text, D: "01 01 21 00 01 00" })],
    ["edits that switch to the same replica", made({ V: one, K: "20", L: "01", R: "00", S: text }, 4)],
    ["more switches than heads say", made({ V: one, I: "01 01 0a 00 01 00", T: text })],
    ["bytes behind the items", made({ V: one, I: `${items} 00`, T: text })],
    ["numbers of items missing", made({ V: one, I: "01 00 0a 01", T: text })],
    ["text left over", made({ V: one, I: items, T: `${text} 63` })],
    ["too little text", made({ V: one, I: items, T: "61" })],
    ["text of hidden elements left over", made({ V: one, I: items, T: text, X: "63" })],
    ["text that is not UTF-8", made({ V: one, I: items, T: "61 ff" })],
    [
      "an item of 512 elements that are not ASCII",
      made({ V: `01 ${BOB} 80 04`, I: "01 00 12 ff 01 00", T: `${"61 ".repeat(511)} c3 a9` }),
    ],
    ["an anchor beside no element", made({ V: one, I: items, T: text, A: "00 01 02" })],
    ["an anchor beside itself", made({ V: one, I: items, T: text, A: "00 01 00" })],
    ["anchors that go in a circle", made({ V: one, I: "02 00 02 02 00 00", T: text, A: "00 01 01 00 01 00" })],
    ["a head placed beside its own item", made({ V: one, I: items, T: text, A: "00 01 01" })],
    ["more anchors than heads", made({ V: one, I: items, T: text, A: "01 00" })],
    ["an anchor that ends early", made({ V: one, I: items, T: text, A: "00 01" })],
    ["a deletion of no element", made({ V: version, I: none, X: text, D: "01 00 01 01 02" })],
    ["a deletion below 0", made({ V: version, I: none, X: text, D: "01 00 01 01 01" })],
    ["more deletions than operations", made({ V: version, I: none, X: text, D: "02 00 01 00 01 00 00" })],
    ["less deletions than operations", made({ V: version, I: none, X: text, D: "01 00 00 00" })],
    [
      "deletions of two replicas in one",
      made({ V: `03 ${BOB} 02 ${ADA} 01 ff ff ff ff ff ff ff ff 01`, I: none, X: text, D: "01 00 01 01 00" }),
    ],
    ["one element deleted downwards", made({ V: version, I: none, X: text, D: "02 00 10 00 00 01" })],
    ["a bit of a deletion that means nothing", made({ V: version, I: none, X: text, D: "01 00 41 01 00" })],
    [
      "a deletion of a replica that is not in the version",
      made({ V: version, I: none, X: text, D: "01 01 21 02 01 00" }),
    ],
    ["bytes behind the deletions", made({ V: version, I: none, X: text, D: "01 00 01 01 00 00" })],
    ["floors that are all 0", chunk("trimmed", "F", (bytes) => bytes.fill(0))],
    ["a floor above the operations", chunk("trimmed", "F", put(1, 0x7f))],
    ["too few floors", chunk("trimmed", "F", cut)],
    [
      "elements without text that are not below the floor",
      made({ V: version, F: "01 00", I: none, G: "00 02", D: "01 00 01 01 00" }, 8),
    ],
    [
      "an item with text and without",
      made({ V: version, F: "02 00", I: none, G: "01 01", X: "61", D: "01 00 01 01 00" }, 8),
    ],
    [
      "a stretch of no elements without text",
      made({ V: version, F: "02 00", I: none, G: "00 02 00 00", D: "01 00 01 01 00" }, 8),
    ],
    [
      "more elements without text than there are",
      made({ V: version, F: "02 00", I: none, G: "00 03", D: "01 00 01 01 00" }, 8),
    ],
    ["a delta waiting that says trimmed", chunk("waiting", "P", () => hex("c2"))],
    ["a delta waiting with names", chunk("waiting", "P", () => hex(`41 01 ${ADA} 68`))],
    ["what waits is rich", chunk("waiting", "P", () => hex(`f2 0d 03 ${ADA} 63 ef bf bc 01 ${ADA} 00 01 63 00 01 31`))],
    [
      "a value of no element",
      parts("waiting", (parts) => {
        parts.drop("P");
      }),
    ],
    ["a value of a letter", made({ V: one, I: items, T: text, W: `01 ${BOB} 00 01 00 00 01 31` })],
    ["no values", made({ V: one, I: items, T: text, W: "00" })],
    ["an edit of no known kind", chunk("ascii-compact", "K", put(0, 6))],
    ["bits of an edit that mean nothing", chunk("ascii-compact", "K", put(0, 0x40))],
    ["a deletion that never shows", chunk("tombstones-compact", "K", put(2, 0x19))],
    ["a named deletion that jumps", chunk("concurrent-compact", "K", put(-1, 0x14))],
    ["a jump to nowhere", made({ V: one, K: "00 10", J: "00", L: "00 00", S: text }, 4)],
    ["a position behind the text", made({ V: one, K: "00 10", J: "04", L: "00 00", S: text }, 4)],
    ["a position in front of the text", made({ V: one, K: "00 10", J: "03", L: "00 00", S: text }, 4)],
    ["more deleted than there is", made({ V: `01 ${BOB} 03`, K: "00 02", L: "00 01", S: "61" }, 4)],
    ["deleted behind the end", made({ V: one, K: "00 01", L: "00 00", S: "61" }, 4)],
    ["one element deleted downwards by name", made({ V: one, K: "00 05", L: "00 00", E: "00 00", S: "61" }, 4)],
    ["deleted by name before it was there", made({ V: one, K: "04 00", L: "00 00", E: "00 01", S: "61" }, 4)],
    ["placed beside what is not there yet", made({ V: one, K: "00 03", L: "00 00", E: "01 05", S: text }, 4)],
    ["less operations than the version says", made({ V: `01 ${BOB} 03`, K: "00", L: "01", S: text }, 4)],
    ["more operations than the version says", made({ V: `01 ${BOB} 01`, K: "00", L: "01", S: text }, 4)],
    ["an edit of a replica that is not in the version", made({ V: one, K: "20", L: "01", R: "01", S: text }, 4)],
    ["jumps left over", made({ V: one, K: "00", J: "02", L: "01", S: text }, 4)],
    ["lengths left over", made({ V: one, K: "00", L: "01 00", S: text }, 4)],
    ["replicas left over", made({ V: one, K: "00", L: "01", R: "00", S: text }, 4)],
    ["elements left over", made({ V: one, K: "00", L: "01", E: "00", S: text }, 4)],
    ["text of edits left over", made({ V: one, K: "00", L: "01", S: `${text} 63` }, 4)],
    ["too little text of edits", made({ V: one, K: "00", L: "01", S: "61" }, 4)],
    ["a letter that never shows", made({ V: one, K: "08", L: "01", S: text }, 4)],
  ];
}

/** What broken snapshots were made of, before they were broken: so that it is the break that is refused. */
export function sound(): Broken[] {
  const snapshot = (rule: string, chunks: Record<string, string>, required = 0): Broken => ({
    format: "snapshot",
    rule,
    bytes: new Parts(
      required,
      Object.entries(chunks).map(([tag, bytes]) => ({ tag, coding: 0, bytes: hex(bytes) })),
    ).bytes(),
  });
  const [version, one, text] = [`02 ${BOB} 02 ${ADA} 02`, `01 ${BOB} 02`, "61 62"];
  return [
    snapshot("what shows", { V: one, I: "01 00 0a 01 00", T: text }),
    snapshot("what was deleted", { V: version, I: "01 00 0e 01 00", X: text, D: "01 00 01 01 00" }),
    snapshot("two replicas", { V: version, I: "02 01 0a 8a 01 01 00 01 00", T: `${text} ${text}` }),
    snapshot("an anchor", { V: one, I: "01 00 0a 01 00", T: text, A: "00 00" }),
    snapshot("two heads", { V: one, I: "02 00 02 02 00 00", T: text, A: "00 00 00 01 00" }),
    snapshot("511 elements that are not ASCII", {
      V: `01 ${BOB} ff 03`,
      I: "01 00 12 fe 01 00",
      T: `${"61 ".repeat(510)} c3 a9`,
    }),
    snapshot("trimmed", { V: version, F: "02 00", I: "01 00 0e 01 00", G: "00 02", D: "01 00 01 01 00" }, 8),
    snapshot("in the order of time", { V: one, K: "00", L: "01", S: text }, 4),
    snapshot("with a jump", { V: one, K: "00 10", J: "01", L: "00 00", S: text }, 4),
    snapshot("deleted by name", { V: one, K: "00 04", L: "00 00", E: "00 00", S: "61" }, 4),
    snapshot("that never shows", { V: one, K: "08", L: "01", S: "ef bf bc ef bf bc" }, 4),
    { format: "snapshot", rule: "LZ4", bytes: packed(1, "06", join(hex("60"), utf8("abcdef"))) },
    { format: "snapshot", rule: "LZ4 with a match", bytes: packed(1, "06", hex("10 61 01 00 10 62")) },
    { format: "snapshot", rule: "DEFLATE", bytes: packed(2, "06", STORED) },
    ...all("delta", [
      ["the largest seq that is followed by one", `01 ${ADA} fe ff ff ff 0f 78`],
      ["a table of two runs", `d2 01 ${ADA} 02 78 79 00 00 08 00 05 08`],
      ["deletes downwards to 0", `3a ${ADA} 05 ${BOB} 03`],
      ["an embed", `f2 0d 03 ${ADA} 00 ef bf bc 01 ${ADA} 00 01 00 00 01 31`],
    ]),
    ...all("authors", [
      ["a row", sealed(join(utf8("CRDTA"), hex(`01 01 01 61 01 ${ADA} 01 00 01 00 00`)))],
      ["nothing", sealed(join(utf8("CRDTA"), hex("01 00 00")))],
    ]),
  ];
}

/** Six letters whose text is packed like this. */
function packed(coding: number, size: string, bytes: Uint8Array): Uint8Array {
  return new Parts(coding, [
    { tag: "V", coding: 0, bytes: hex(`01 ${BOB} 06`) },
    { tag: "I", coding: 0, bytes: hex("01 00 0a 05 00") },
    { tag: "T", coding, bytes: join(hex(size), bytes) },
  ]).bytes();
}

function authors(): [string, Uint8Array][] {
  const made = (users: string, replicas: string, blocks: string): Uint8Array =>
    sealed(join(utf8("CRDTA"), hex(`01 ${users} ${replicas} ${blocks}`)));
  const one = `01 ${ADA}`;
  const ann = "01 01 61";
  return [
    ["another format", sealed(hex("43 52 44 54 42 01 00 00"))],
    ["a version to come", sealed(hex("43 52 44 54 41 02 00 00"))],
    ["a wrong checksum", join(hex("43 52 44 54 41 01 00 00"), hex("00 00 00 00"))],
    ["bytes behind the end", made("00", "00", "00")],
    ["a block without rows", made("00", one, "00")],
    ["replicas that descend", made(ann, `02 ${ADA} ${BOB}`, "01 00 01 00 00 01 00 01 00 00")],
    ["a replica twice", made(ann, `02 ${ADA} ${ADA}`, "01 00 01 00 00 01 05 01 00 00")],
    ["a row for nothing", made(ann, one, "01 00 00 00 00")],
    ["rows that touch and are alike", made(ann, one, "02 00 01 00 00 00 01 00 00")],
    ["a user twice", made("02 01 61 01 61", one, "02 00 01 00 00 00 01 01 00")],
    ["users in another order than rows name them", made("02 01 61 01 62", one, "02 00 01 01 00 00 01 00 00")],
    ["a user that no row names", made("02 01 61 01 62", one, "01 00 01 00 00")],
    ["a user that is not there", made(ann, one, "02 00 01 00 00 00 01 01 00")],
    ["a time before 1970", made(ann, one, "01 00 01 00 01")],
    ["a time above 2^53", made(ann, one, "01 00 01 00 82 80 80 80 80 80 80 20")],
    ["operations that cannot be", made(ann, one, "01 ff ff ff ff 0f 01 00 00")],
    ["a user of 1,025 bytes", made(`01 81 08 ${"61 ".repeat(1025)}`, one, "01 00 01 00 00")],
    ["a user that is not UTF-8", made("01 01 ff", one, "01 00 01 00 00")],
  ];
}

function logs(read: (name: string) => Uint8Array): [string, Uint8Array][] {
  const log = (name: string, edit: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = read(name).slice();
    edit(bytes);
    return bytes;
  };
  const header = (edit: (bytes: Uint8Array) => void): Uint8Array =>
    log("compacted.log", (bytes) => {
      edit(bytes);
      bytes.set(u32(crc32c(bytes.subarray(0, 22))), 22);
    });
  const record = (bytes: Uint8Array, kind: string, payload: Uint8Array): Uint8Array => {
    const offset = u32(bytes.length);
    const seed = [bytes.subarray(14, 22), offset, u32(0)];
    const head = join(u32(payload.length), utf8(kind));
    const body = join(head, u32(crc32c(...seed, head)).subarray(0, 2), payload);
    return join(bytes, body, u32(crc32c(...seed, body)));
  };
  const whole = read("compacted.log");
  return [
    ["a header that is cut off", whole.subarray(0, 20)],
    ["another format", header((bytes) => (bytes[4] = 0x4d))],
    ["a version to come", header((bytes) => (bytes[5] = 2))],
    ["features that are not known", header((bytes) => (bytes[9] = 1))],
    ["a wrong checksum of the header", log("compacted.log", (bytes) => (bytes[22] = (bytes[22] ?? 0) ^ 1))],
    ["a record damaged in front of a sound one", log("compacted.log", (bytes) => (bytes[40] = (bytes[40] ?? 0) ^ 1))],
    ["the length of a record damaged", log("compacted.log", (bytes) => (bytes[26] = (bytes[26] ?? 0) ^ 1))],
    ["a record that has to be known", record(whole, "X", hex("00"))],
    ["a snapshot that is not the first record", record(whole, "S", read("ascii.snapshot"))],
  ];
}

function all(format: Broken["format"], list: readonly (readonly [string, string | Uint8Array])[]): Broken[] {
  return list.map(([rule, bytes]) => ({ format, rule, bytes: typeof bytes === "string" ? hex(bytes) : bytes }));
}

/** Everything that is broken, from the golden files in a folder. */
export function broken(folder: string): Broken[] {
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(`${folder}/${name}`));
  return [
    ...all("delta", deltas()),
    ...all("version", versions),
    ...all("anchor", anchors),
    ...all(
      "snapshot",
      snapshots((name) => read(`${name}.snapshot`)),
    ),
    ...all("authors", authors()),
    ...all("log", logs(read)),
  ];
}
