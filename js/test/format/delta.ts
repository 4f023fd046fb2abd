// Deltas, and the values that elements carry.

import {
  type Anchor,
  anchorText,
  compareIds,
  elementId,
  END,
  type Id,
  idText,
  json,
  must,
  Reader,
  refuse,
  SEQS,
  START,
  utf8,
} from "./bytes.js";

export type Value =
  | { kind: "embed"; json: string }
  | { kind: "mark"; stamp: number; start: Anchor; end: Anchor; name: string; json: string | null }
  | { kind: "register"; stamp: number; name: string; json: string | null }
  | { kind: "roots" }
  | { kind: "open"; sequence: "text" | "list"; name: string }
  | { kind: "close" }
  | { kind: "replace"; stamp: number; element: Id; json: string }
  | { kind: "move"; stamp: number; element: Id };

/** Scalar values in `text`, of which the first is placed there and each other after the one before it. */
export interface Insertion {
  readonly id: Id;
  readonly text: string[];
  readonly placed: Anchor;
  readonly value?: Value;
}

export interface Deletion {
  readonly id: Id;
  readonly target: Id;
  readonly count: number;
  readonly down: boolean;
}

export type Operation = Insertion | Deletion;

export const CARRIER = "\ufffc";

export const isInsertion = (operation: Operation): operation is Insertion => "placed" in operation;

export function operationCount(operation: Operation): number {
  return isInsertion(operation) ? operation.text.length : operation.count;
}

/** Values by the id of their element, as text. */
export type Values = Map<string, { id: Id; value: Value }>;

/** What both ends of a connection keep of one direction. */
export class Names {
  replicas: string[] = [];
  ends = new Map<string, number>();
  last: Id | undefined;

  copy(): Names {
    const copy = new Names();
    copy.replicas = [...this.replicas];
    copy.ends = new Map(this.ends);
    copy.last = this.last;
    return copy;
  }

  become(other: Names): void {
    [this.replicas, this.ends, this.last] = [other.replicas, other.ends, other.last];
  }

  /** The replica of a name that was read; a new one is read and takes the next place. */
  resolve(name: number, reader: Reader): string {
    if (name > 0) {
      return this.replicas[name - 1] ?? refuse("a name that was not given");
    }
    const replica = reader.replica();
    must(!this.replicas.includes(replica), "a replica that has a name is spelled out");
    must(this.replicas.length < 16_384, "there are too many names");
    this.replicas.push(replica);
    return replica;
  }

  ended(replica: string, end: number): void {
    this.ends.set(replica, end);
    this.last = { replica, seq: end };
  }
}

/** The operations of a delta, or that what was asked for was trimmed. */
export function decodeDelta(bytes: Uint8Array, names?: Names): Operation[] | "trimmed" {
  const kept = names?.copy();
  const operations = anyDelta(new Reader(bytes), kept);
  if (names !== undefined && kept !== undefined) {
    names.become(kept);
  }
  return operations;
}

function anyDelta(reader: Reader, names: Names | undefined): Operation[] | "trimmed" {
  const first = reader.bytes[0] ?? refuse("the bytes end too early");
  if (first === 0xc2) {
    must(reader.bytes.length === 1, "bytes follow the end");
    return "trimmed";
  }
  if (first !== 0xf2) {
    return plainDelta(reader, names);
  }
  reader.u8();
  const operations = plainDelta(new Reader(reader.counted()), names);
  const values = carried(reader);
  return attach(operations, values);
}

function plainDelta(reader: Reader, names: Names | undefined): Operation[] {
  const first = reader.u8();
  if (first < 0xc0) {
    return [single(first, reader, names)];
  }
  if (first === 0xd2) {
    return table(reader, undefined);
  }
  if (first === 0xe2) {
    return table(reader, names ?? refuse("names mean something on a connection only"));
  }
  return refuse(first >> 4 === 0xd || first >> 4 === 0xe ? "another version" : "another format");
}

function single(head: number, reader: Reader, names: Names | undefined): Operation {
  const [form, kind] = [head >> 6, (head >> 3) & 7];
  must(form === 0 || names !== undefined, "names mean something on a connection only");
  let id: Id;
  if (form === 0 || names === undefined) {
    id = { replica: reader.replica(), seq: reader.seq() };
  } else if (form === 1) {
    const issuer = reader.varint();
    const replica = names.resolve(Math.floor(issuer / 2), reader);
    const end = names.ends.get(replica) ?? 0;
    const goesOn = issuer % 2 === 1;
    const seq = goesOn ? end : reader.seq();
    must(goesOn || seq !== end, "a delta that goes on has to say so");
    must(names.last?.replica !== replica || names.last.seq !== seq, "the next of the same replica has form 2");
    id = { replica, seq };
  } else {
    id = names.last ?? refuse("there was no delta before");
  }
  const length = (head & 7) === 0 ? reader.varint() + 8 : head & 7;
  const element = (): [Id, boolean] => {
    if (form === 0 || names === undefined) {
      const replica = reader.replica();
      const number = reader.varint();
      return [elementId(replica, Math.floor(number / 2)), number % 2 === 1];
    }
    const number = reader.varint();
    const replica = names.resolve(Math.floor(number / 2), reader);
    return [elementId(replica, reader.seq()), number % 2 === 1];
  };
  const operand = operandOf(kind, id, reader, element);
  const operation = finish(id, length, operand, () => reader.take(length));
  reader.end();
  if (form !== 0) {
    names?.ended(id.replica, id.seq + operationCount(operation));
  }
  return operation;
}

function table(reader: Reader, names: Names | undefined): Operation[] {
  const replicas: string[] = [];
  for (let left = reader.count(names === undefined ? 8 : 1); left > 0; left -= 1) {
    const replica = names === undefined ? reader.replica() : names.resolve(reader.varint(), reader);
    must(!replicas.includes(replica), "a replica is in the list twice");
    replicas.push(replica);
  }
  const replicaAt = (index: number): string => replicas[index] ?? refuse("a replica that is not in the list");
  const text = new Reader(reader.counted());
  const operations: Operation[] = [];
  const ends = new Map<string, number>();
  let last = "";
  while (!reader.done) {
    const head = reader.varint();
    const replica = replicaAt(Math.floor(head / 2));
    let seq = reader.seq();
    const end = ends.get(replica);
    must(end === undefined || (replica === last && seq > end), "blocks of one replica ascend, together");
    last = replica;
    const runs = head % 2 === 1 ? reader.count(1) : 1;
    must(head % 2 === 0 || runs >= 2, "a block of one run says no count");
    for (let run = 0; run < runs; run += 1) {
      const number = reader.varint();
      const [length, kind] = [Math.floor(number / 8), number % 8];
      const id = { replica, seq };
      const element = (): [Id, boolean] => {
        const number = reader.varint();
        return [elementId(replicaAt(Math.floor(number / 2)), reader.seq()), number % 2 === 1];
      };
      const operand = operandOf(kind, id, reader, element);
      const operation = finish(id, length, operand, () => text.take(length));
      operations.push(operation);
      seq += operationCount(operation);
    }
    ends.set(replica, seq);
    names?.ended(replica, seq);
  }
  must(text.done, "text is left over");
  must(operations.length !== 1, "one run is written as a single");
  return operations;
}

type Operand = { placed: Anchor } | { target: Id; down: boolean };

function operandOf(kind: number, id: Id, reader: Reader, element: () => [Id, boolean]): Operand {
  const own = (distance: number): Id => {
    must(distance <= id.seq, "an own element has a lower seq");
    return { replica: id.replica, seq: id.seq - distance };
  };
  const other = (): [Id, boolean] => {
    const [named, bit] = element();
    must(named.replica !== id.replica || named.seq >= id.seq, "an own element is said by its distance");
    return [named, bit];
  };
  switch (kind) {
    case 0:
      return { placed: START };
    case 1:
      return { placed: { side: "after", of: own(1) } };
    case 2:
      return { placed: { side: "after", of: own(reader.varint() + 2) } };
    case 3:
      return { placed: { side: "before", of: own(reader.varint() + 1) } };
    case 4: {
      const [of, before] = other();
      return { placed: { side: before ? "before" : "after", of } };
    }
    case 5:
    case 6:
      return { target: own(reader.varint() + 1), down: kind === 6 };
    default: {
      const [target, down] = other();
      return { target, down };
    }
  }
}

function finish(id: Id, length: number, operand: Operand, text: () => Uint8Array): Operation {
  must(length > 0, "a run is empty");
  let operation: Operation;
  if ("placed" in operand) {
    operation = { id, text: Array.from(utf8(text())), placed: operand.placed };
  } else {
    const { target, down } = operand;
    must(!down || length > 1, "one element is deleted upwards");
    const last = down ? target.seq - (length - 1) : target.seq + (length - 1);
    must(last >= 0 && last < SEQS, "elements are deleted that cannot be");
    operation = { id, target, count: length, down };
  }
  must(id.seq + operationCount(operation) <= SEQS, "the seq behind the last has more than 32 bits");
  return operation;
}

/** `carried`, to the end of the bytes. */
export function carried(reader: Reader): Values {
  const replicas: string[] = [];
  for (let left = reader.count(8); left > 0; left -= 1) {
    const replica = reader.replica();
    must(replica > (replicas.at(-1) ?? ""), "replicas of values ascend");
    replicas.push(replica);
  }
  const replicaAt = (index: number): string => replicas[index] ?? refuse("a replica that is not in the list");
  const values: Values = new Map();
  let before = -1;
  while (!reader.done) {
    const index = reader.varint();
    must(index > before, "blocks of values ascend");
    before = index;
    const replica = replicaAt(index);
    const count = reader.count(2);
    must(count > 0, "a block has no values");
    let seq = 0;
    for (let left = count; left > 0; left -= 1) {
      seq += reader.varint();
      const id = elementId(replica, seq);
      values.set(idText(id), { id, value: value(reader, replicaAt) });
      seq += 1;
    }
  }
  must(values.size > 0, "there are no values");
  return values;
}

function value(reader: Reader, replicaAt: (index: number) => string): Value {
  const stamp = (): number => {
    const stamp = reader.varint();
    must(stamp <= 2 ** 53, "a stamp is above 2^53");
    return stamp;
  };
  const anchor = (): Anchor => {
    const number = reader.varint();
    if (number < 2) {
      return number === 0 ? START : END;
    }
    const of = { replica: replicaAt(Math.floor(number / 2) - 1), seq: reader.seq() };
    return { side: number % 2 === 0 ? "after" : "before", of };
  };
  const element = (): Id => ({ replica: replicaAt(reader.varint()), seq: reader.seq() });
  const kind = reader.u8();
  switch (kind) {
    case 0:
      return { kind: "embed", json: json(reader.text()) };
    case 1:
    case 2: {
      const mark = { kind: "mark" as const, stamp: stamp(), start: anchor(), end: anchor(), name: reader.name() };
      return { ...mark, json: kind === 1 ? json(reader.text()) : null };
    }
    case 3:
    case 4: {
      const register = { kind: "register" as const, stamp: stamp(), name: reader.name() };
      return { ...register, json: kind === 3 ? json(reader.text()) : null };
    }
    case 5:
      return { kind: "roots" };
    case 6: {
      const sequence = reader.u8();
      must(sequence < 2, "a sequence of no known kind");
      return { kind: "open", sequence: sequence === 0 ? "text" : "list", name: reader.name() };
    }
    case 7:
      return { kind: "close" };
    case 8:
      return { kind: "replace", stamp: stamp(), element: element(), json: json(reader.text()) };
    case 9:
      return { kind: "move", stamp: stamp(), element: element() };
    default:
      return refuse("a value of no known kind");
  }
}

/** Operations cut so that each element that carries a value is one of its own. */
export function attach(operations: Operation[], values: Values): Operation[] {
  const attached: Operation[] = [];
  let found = 0;
  for (const operation of operations) {
    if (!isInsertion(operation)) {
      attached.push(operation);
      continue;
    }
    const { id, text } = operation;
    let [from, placed] = [0, operation.placed];
    const cut = (to: number, value?: Value): void => {
      if (from === to) {
        return;
      }
      const cutId = { replica: id.replica, seq: id.seq + from };
      attached.push({ id: cutId, text: text.slice(from, to), placed, ...(value && { value }) });
      from = to;
      placed = { side: "after", of: { replica: id.replica, seq: id.seq + to - 1 } };
    };
    text.forEach((character, index) => {
      const carries = values.get(idText({ replica: id.replica, seq: id.seq + index }));
      if (carries === undefined) {
        return;
      }
      must(character === CARRIER, "an element with a value has another character");
      found += 1;
      cut(index);
      cut(index + 1, carries.value);
    });
    cut(text.length);
  }
  must(found === values.size, "a value is of no element");
  for (const operation of attached) {
    if (isInsertion(operation)) {
      delimits(operation);
    }
  }
  return attached;
}

const ROOTS: Id = { replica: "0".repeat(16), seq: 0 };

/** What delimits named sequences has the one id that it can have, and was placed where that is. */
function delimits({ id, placed, value }: Insertion): void {
  const stands = (own: Id, behind: Id | undefined): void => {
    must(compareIds(id, own) === 0, "a delimiter with another id");
    const { side, of } = placed;
    const right = behind === undefined ? of === undefined : of !== undefined && compareIds(of, behind) === 0;
    must(side === "after" && right, "a delimiter in another place");
  };
  if (value?.kind === "roots") {
    stands(ROOTS, undefined);
  }
  if (value?.kind === "open") {
    stands({ replica: sequenceReplica(value.sequence, value.name), seq: 0 }, ROOTS);
  }
  if (value?.kind === "close") {
    stands({ replica: id.replica, seq: 1 }, { replica: id.replica, seq: 0 });
  }
}

/** The replica whose first two operations delimit a named sequence. */
export function sequenceReplica(kind: "text" | "list", name: string): string {
  const bits = (number: bigint): bigint => BigInt.asUintN(64, number);
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode((kind === "text" ? "t" : "l") + name)) {
    hash = bits((hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  for (const factor of [0xff51afd7ed558ccdn, 0xc4ceb9fe1a85ec53n]) {
    hash = bits((hash ^ (hash >> 33n)) * factor);
  }
  hash ^= hash >> 33n;
  return (hash === 0n ? 1n : hash).toString(16).padStart(16, "0");
}

// The shapes that golden files have.

export function valueShape(value: Value): unknown {
  switch (value.kind) {
    case "mark":
      return { ...value, start: anchorText(value.start), end: anchorText(value.end) };
    case "replace":
    case "move":
      return { ...value, element: idText(value.element) };
    case "embed":
    case "register":
    case "roots":
    case "open":
    case "close":
      return value;
  }
}

export function operationShapes(operations: readonly Operation[]): unknown[] {
  return [...operations]
    .sort((a, b) => compareIds(a.id, b.id))
    .map((operation) => {
      if (!isInsertion(operation)) {
        const { id, target, count, down } = operation;
        return { id: idText(id), delete: idText(target), count, down };
      }
      const { id, text, placed, value } = operation;
      const what = value === undefined ? { insert: text.join("") } : { value: valueShape(value) };
      return { id: idText(id), ...what, placed: anchorText(placed) };
    });
}

export function deltaShape(bytes: Uint8Array, names?: Names): unknown {
  const operations = decodeDelta(bytes, names);
  if (operations === "trimmed") {
    return { format: "delta", trimmed: true };
  }
  return { format: "delta", operations: operationShapes(operations) };
}
