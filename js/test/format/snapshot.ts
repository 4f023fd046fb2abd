// Snapshots: the frame, and what is in document order.

import { inflateRawSync } from "node:zlib";
import {
  type Anchor,
  checked,
  compareIds,
  type Id,
  idText,
  must,
  Reader,
  refuse,
  SEQS,
  signed,
  START,
  start,
  utf8,
} from "./bytes.js";
import { attach, carried, CARRIER, decodeDelta, isInsertion, type Operation, type Values } from "./delta.js";
import { lz4 } from "./lz4.js";
import { replay } from "./time.js";

export interface Element {
  readonly id: Id;
  /** `undefined` if it was trimmed. */
  readonly text: string | undefined;
  readonly shows: boolean;
  readonly placed: Anchor;
}

/** One element deleted by one operation. */
export interface Deleted {
  readonly id: Id;
  readonly target: Id;
}

export interface Place {
  readonly replica: string;
  readonly operations: number;
}

export interface Chunk {
  readonly tag: string;
  readonly coding: number;
  readonly bytes: Uint8Array;
}

export interface Snapshot {
  readonly order: "document" | "time";
  readonly optional: bigint;
  readonly version: readonly Place[];
  readonly floors: readonly number[];
  readonly elements: readonly Element[];
  readonly deletions: readonly Deleted[];
  readonly values: Values;
  readonly pending: readonly Operation[];
  readonly unknown: readonly Chunk[];
  /** Of each item, in document order: whether it says that its place is taken. For checks. */
  readonly leftTaken: readonly { readonly first: number; readonly taken: boolean }[];
}

const ORDER = "VFIGTXADKJLRESPW";
const DOCUMENT_ORDER = "FIGTXAD";
const TIME_ORDER = "KJLRES";
const LZ4 = 1n;
const DEFLATE = 2n;
const IN_TIME = 4n;
const TRIMMED = 8n;

export interface Frame {
  required: bigint;
  optional: bigint;
  chunks: Chunk[];
}

/** The chunks as they are written. */
export function frame(bytes: Uint8Array): Frame {
  const head = new Reader(bytes);
  start(head, "CRDTS", 3);
  const reader = new Reader(checked(bytes));
  reader.take(6);
  const [required, optional] = [reader.varint64(), reader.varint64()];
  const unknown = required & ~(LZ4 | DEFLATE | IN_TIME | TRIMMED);
  must(unknown === 0n, `features ${String(unknown)} are not known`);
  const chunks: Chunk[] = [];
  while (!reader.done) {
    const tag = String.fromCharCode(reader.u8());
    const coding = reader.u8();
    const length = reader.varint();
    must(length > 0, "a chunk has no bytes");
    chunks.push({ tag, coding, bytes: reader.take(length) });
  }
  return { required, optional, chunks };
}

export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const { required, optional, chunks } = frame(bytes);
  const inTime = (required & IN_TIME) !== 0n;
  const known = new Map<string, Uint8Array>();
  const unknown: Chunk[] = [];
  let [last, comesOut] = [-1, 0];
  for (const chunk of chunks) {
    const at = ORDER.indexOf(chunk.tag);
    if (at < 0) {
      must(/^[a-z]$/.test(chunk.tag), `a chunk ${chunk.tag} has to be known`);
      must(!unknown.some(({ tag }) => tag === chunk.tag), "chunks come once each");
      unknown.push(chunk);
      continue;
    }
    must(at > last, "chunks come once each, and in order");
    last = at;
    must(!(inTime ? DOCUMENT_ORDER : TIME_ORDER).includes(chunk.tag), "a chunk of the other order");
    known.set(
      chunk.tag,
      plain(chunk, required, (size) => {
        comesOut += size;
        must(comesOut <= 64 * bytes.length + (4 << 20), "more comes out than may");
      }),
    );
  }
  must(known.has("F") === ((required & TRIMMED) !== 0n), "floors and their feature bit come together");
  const chunk = (tag: string): Reader => new Reader(known.get(tag) ?? new Uint8Array());
  const version = places(chunk("V"));
  const floors = floorsOf(chunk("F"), version);
  const held = inTime ? { ...replay(version, chunk), leftTaken: [] } : inDocumentOrder(version, floors, chunk);
  const { values, pending } = waiting(version, chunk);
  for (const { id } of values.values()) {
    const element = held.elements.find((element) => compareIds(element.id, id) === 0);
    const waits = pending.some((operation) => isInsertion(operation) && covers(operation, id));
    must(element !== undefined ? element.text === CARRIER : waits, "a value is of no element U+FFFC");
  }
  return { order: inTime ? "time" : "document", optional, version, floors, ...held, values, pending, unknown };
}

function covers(operation: Operation, { replica, seq }: Id): boolean {
  const { id } = operation;
  return isInsertion(operation) && id.replica === replica && operation.text[seq - id.seq] === CARRIER;
}

function plain({ coding, bytes }: Chunk, required: bigint, announce: (size: number) => void): Uint8Array {
  if (coding === 0) {
    return bytes;
  }
  must(coding === 1 || coding === 2, `coding ${String(coding)} is not known`);
  must((required & (coding === 1 ? LZ4 : DEFLATE)) !== 0n, "a coding without its feature bit");
  const reader = new Reader(bytes);
  const size = reader.varint();
  announce(size);
  const packed = reader.take(reader.left);
  return coding === 1 ? lz4(packed, size) : inflate(packed, size);
}

function inflate(packed: Uint8Array, size: number): Uint8Array {
  let out: { buffer: Uint8Array; engine: { bytesWritten: number } };
  try {
    // With `info`, the engine says how many bytes it took.
    out = inflateRawSync(packed, { maxOutputLength: size + 1, info: true }) as unknown as typeof out;
  } catch {
    return refuse("a DEFLATE stream is none");
  }
  must(out.buffer.length === size, "another size comes out than announced");
  must(out.engine.bytesWritten === packed.length, "bytes follow the DEFLATE stream");
  return out.buffer;
}

function places(reader: Reader): Place[] {
  if (reader.done) {
    return [];
  }
  const version: Place[] = [];
  for (let left = reader.count(9); left > 0; left -= 1) {
    const place = { replica: reader.replica(), operations: reader.seq() };
    must(place.replica > (version.at(-1)?.replica ?? ""), "replicas ascend");
    must(place.operations > 0, "a replica has no operations");
    version.push(place);
  }
  reader.end();
  return version;
}

function floorsOf(reader: Reader, version: readonly Place[]): number[] {
  if (reader.done) {
    return version.map(() => 0);
  }
  const floors = version.map(({ operations }) => {
    const floor = reader.seq();
    must(floor <= operations, "a floor is above the operations");
    return floor;
  });
  must(
    floors.some((floor) => floor > 0),
    "all floors are 0",
  );
  reader.end();
  return floors;
}

/** A place in the list of replicas, and what it names. */
export function placeAt(version: readonly Place[], place: number): Place {
  return version[place] ?? refuse("a replica that is not in the version");
}

/** `0` after the start, `1 + 2 × place  seq` after, `2 + 2 × place  seq` before. */
export function beside(reader: Reader, version: readonly Place[]): Anchor {
  const number = reader.varint();
  if (number === 0) {
    return START;
  }
  const of = { replica: placeAt(version, Math.floor((number - 1) / 2)).replica, seq: reader.seq() };
  return { side: number % 2 === 1 ? "after" : "before", of };
}

interface Item {
  readonly place: number;
  readonly seq: number;
  readonly count: number;
  readonly head: boolean;
  readonly shows: boolean;
  readonly leftTaken: boolean;
}

/** What heads, the places that they switch to and their numbers have in common. */
function columns(reader: Reader, bit: number): { heads: Uint8Array; switchTo: () => number } {
  const count = reader.count(1);
  const switches = reader.count(1);
  const heads = reader.take(count);
  must(heads.filter((head) => (head & bit) !== 0).length === switches, "other switches than counted");
  const places = Array.from({ length: switches }, () => reader.varint());
  let next = 0;
  return { heads, switchTo: () => places[next++] ?? 0 };
}

const modulo = (seq: number): number => seq >>> 0;
const sizeOfMore = (bits: number): number => [0, 1, 2, 4][bits] ?? 0;

function readItems(reader: Reader, version: readonly Place[]): Item[] {
  if (reader.done) {
    return [];
  }
  const { heads, switchTo } = columns(reader, 0x80);
  const ends = version.map(() => 0);
  const items: Item[] = [];
  let [place, oneBefore] = [0, 0];
  for (const bits of heads) {
    if ((bits & 0x80) !== 0) {
      const before = place;
      place = switchTo();
      must(place !== before, "a switch to the same replica");
      oneBefore = ends[place] ?? 0;
    }
    const { operations } = placeAt(version, place);
    const count = reader.fixed(sizeOfMore((bits >> 3) & 3)) + 1;
    const head = (bits & 2) !== 0;
    const size = (bits >> 5) & 3;
    const end = ends[place] ?? 0;
    let seq: number;
    if (head) {
      seq = end + signed(reader.fixed(size + 1));
    } else if (size === 0) {
      seq = oneBefore;
    } else if (size === 1) {
      seq = end;
    } else {
      seq = end + signed(reader.fixed(size === 2 ? 2 : 4));
    }
    seq = modulo(seq);
    must(seq + count <= operations, "an element that its replica has not");
    oneBefore = end;
    ends[place] = seq + count;
    items.push({ place, seq, count, head, shows: (bits & 4) === 0, leftTaken: (bits & 1) !== 0 });
  }
  reader.end();
  return items;
}

/** Takes scalar values one after the other. */
function scalars(reader: Reader): { take: (count: number) => string[]; end: () => void } {
  const all = Array.from(utf8(reader.bytes));
  let at = 0;
  return {
    take(count) {
      must(at + count <= all.length, "there is too little text");
      at += count;
      return all.slice(at - count, at);
    },
    end: () => {
      must(at === all.length, "text is left over");
    },
  };
}

/** Of hidden elements in document order, whether so many have text: all or none of them. */
function textOfHidden(reader: Reader): (count: number) => boolean {
  const stretches: { count: number; has: boolean }[] = [];
  while (!reader.done) {
    const [having, lacking] = [reader.varint(), reader.varint()];
    must(lacking > 0, "a stretch of elements without text is empty");
    stretches.push({ count: having, has: true }, { count: lacking, has: false });
  }
  return (count) => {
    while (stretches[0]?.count === 0) {
      stretches.shift();
    }
    const stretch = stretches[0];
    if (stretch === undefined) {
      return true;
    }
    must(stretch.count >= count, "an item has text or has none");
    stretch.count -= count;
    return stretch.has;
  };
}

interface Standing {
  readonly id: Id;
  readonly place: number;
  readonly text: string | undefined;
  readonly shows: boolean;
  readonly head: boolean;
}

function inDocumentOrder(version: readonly Place[], floors: readonly number[], chunk: (tag: string) => Reader) {
  const items = readItems(chunk("I"), version);
  const [shown, hidden] = [scalars(chunk("T")), scalars(chunk("X"))];
  const hasText = textOfHidden(chunk("G"));
  const standing: Standing[] = [];
  const leftTaken: { first: number; taken: boolean }[] = [];
  const seen = new Set<string>();
  for (const item of items) {
    const { replica } = placeAt(version, item.place);
    const texts = item.shows ? shown.take(item.count) : hasText(item.count) ? hidden.take(item.count) : undefined;
    must(texts !== undefined || item.seq + item.count <= (floors[item.place] ?? 0), "trimmed text above the floor");
    const ascii = texts?.every((text) => text < "\x80") ?? true;
    must(ascii || item.count <= 511, "an item that is not ASCII has more than 511 elements");
    leftTaken.push({ first: standing.length, taken: item.leftTaken });
    for (let index = 0; index < item.count; index += 1) {
      const id = { replica, seq: item.seq + index };
      must(!seen.has(idText(id)), "an element comes twice");
      seen.add(idText(id));
      const head = item.head && index === 0;
      standing.push({ id, place: item.place, text: texts?.[index], shows: item.shows, head });
    }
  }
  shown.end();
  hidden.end();
  must(hasText(1), "more elements without text than there are");
  const elements = placed(standing, seen, chunk("A"), version);
  return { elements, deletions: deletionsOf(chunk("D"), version, floors, seen), leftTaken };
}

function placed(
  standing: readonly Standing[],
  all: ReadonlySet<string>,
  reader: Reader,
  version: readonly Place[],
): Element[] {
  const heads = standing.flatMap((element, index) => (element.head ? [index] : []));
  const written = new Map<number, Anchor>();
  let next = 0;
  while (!reader.done) {
    next += reader.varint();
    const index = heads[next] ?? refuse("more anchors than heads");
    written.set(index, beside(reader, version));
    next += 1;
  }
  const older = (a: Standing, b: Standing): boolean =>
    a.id.seq !== b.id.seq ? a.id.seq < b.id.seq : a.place < b.place;
  const elements = standing.map((element, index): Element => {
    const { id, text, shows } = element;
    const explicit = written.get(index);
    if (explicit !== undefined) {
      return { id, text, shows, placed: explicit };
    }
    if (!element.head) {
      const before = { replica: id.replica, seq: id.seq - 1 };
      return { id, text, shows, placed: all.has(idText(before)) ? { side: "after", of: before } : START };
    }
    let [left, right] = [index - 1, index + 1];
    while (left >= 0 && !older(at(standing, left), element)) {
      left -= 1;
    }
    while (right < standing.length && !older(at(standing, right), element)) {
      right += 1;
    }
    const [l, r] = [standing[left], standing[right]];
    if (l !== undefined && (r === undefined || older(r, l))) {
      return { id, text, shows, placed: { side: "after", of: l.id } };
    }
    if (r !== undefined) {
      return { id, text, shows, placed: { side: "before", of: r.id } };
    }
    return { id, text, shows, placed: START };
  });
  reachTheStart(elements);
  return elements;
}

function at<T>(list: readonly T[], index: number): T {
  return list[index] ?? refuse("out of bounds");
}

function reachTheStart(elements: readonly Element[]): void {
  const byId = new Map(elements.map((element) => [idText(element.id), element]));
  const reaches = new Set<string>();
  for (const element of elements) {
    const way: string[] = [];
    const walked = new Set<string>();
    let here: Element | undefined = element;
    for (;;) {
      const id: string = idText(here.id);
      if (reaches.has(id)) {
        break;
      }
      must(!walked.has(id), "placements go in a circle");
      walked.add(id);
      way.push(id);
      if (here.placed.of === undefined) {
        break;
      }
      here = byId.get(idText(here.placed.of)) ?? refuse("an element was placed beside none");
    }
    for (const id of way) {
      reaches.add(id);
    }
  }
}

function deletionsOf(
  reader: Reader,
  version: readonly Place[],
  floors: readonly number[],
  elements: ReadonlySet<string>,
): Deleted[] {
  // The seqs that are to be taken, replica by replica.
  const free = version.map(({ replica, operations }, place) => {
    const seqs: number[] = [];
    for (let seq = floors[place] ?? 0; seq < operations; seq += 1) {
      if (!elements.has(idText({ replica, seq }))) {
        seqs.push(seq);
      }
    }
    return seqs;
  });
  const deletions: Deleted[] = [];
  let issuer = 0;
  const skip = (): void => {
    while (issuer < free.length && free[issuer]?.length === 0) {
      issuer += 1;
    }
  };
  skip();
  if (!reader.done) {
    const { heads, switchTo } = columns(reader, 0x20);
    let [place, first] = [0, 0];
    for (const bits of heads) {
      if ((bits & 0x20) !== 0) {
        const before = place;
        place = switchTo();
        must(place !== before, "a switch to the same replica");
      }
      must(bits < 0x40, "bits of a deletion that mean nothing");
      const count = reader.fixed(sizeOfMore(bits & 3)) + 1;
      first = modulo(first + signed(reader.fixed(((bits >> 2) & 3) + 1)));
      const down = (bits & 0x10) !== 0;
      must(!down || count > 1, "one element is deleted upwards");
      const target = placeAt(version, place).replica;
      const { replica } = placeAt(version, issuer);
      for (let index = 0; index < count; index += 1) {
        const of = { replica: target, seq: down ? first - index : first + index };
        must(elements.has(idText(of)), "a deletion of what is no element");
        const seq = free[issuer]?.shift() ?? refuse("more deletions than operations");
        deletions.push({ id: { replica, seq }, target: of });
      }
      skip();
    }
    reader.end();
  }
  must(issuer === free.length, "operations that are nothing");
  return deletions;
}

function waiting(version: readonly Place[], chunk: (tag: string) => Reader): { values: Values; pending: Operation[] } {
  const bytes = chunk("P").bytes;
  const operations = bytes.length === 0 ? [] : decodeDelta(bytes);
  if (operations === "trimmed") {
    return refuse("what waits is no operations");
  }
  must(
    operations.every((operation) => !("value" in operation)),
    "what waits has its values elsewhere",
  );
  for (const { id } of operations) {
    const here = version.find(({ replica }) => replica === id.replica)?.operations ?? 0;
    must(id.seq >= here && id.seq < SEQS, "what waits is here");
  }
  const none: Values = new Map();
  const values = chunk("W").done ? none : carried(chunk("W"));
  const ofWaiting: Values = new Map();
  for (const [text, value] of values) {
    if (operations.some((operation) => covers(operation, value.id))) {
      ofWaiting.set(text, value);
    }
  }
  return { values, pending: attach(operations, ofWaiting) };
}
