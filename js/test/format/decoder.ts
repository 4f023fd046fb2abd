// Reads every format of docs/format.md into the shapes that golden files have beside them. Written after that page alone.

import { type Anchor, anchorText, checked, crc32c, END, must, Reader, refuse, SEQS, START, start } from "./bytes.js";
import { deltaShape } from "./delta.js";
import { snapshotShape } from "./document.js";

export { Refused } from "./bytes.js";
export { deltaShape, Names } from "./delta.js";
export { snapshotShape } from "./document.js";

export function versionShape(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const seen: Record<string, number> = {};
  let before = "";
  for (let left = reader.count(9); left > 0; left -= 1) {
    const replica = reader.replica();
    must(replica > before, "replicas ascend");
    before = replica;
    const count = reader.seq();
    must(count > 0, "nothing was seen of a replica");
    seen[replica] = count;
  }
  reader.end();
  return { format: "version", seen };
}

export function anchorShape(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const kind = reader.u8();
  must(kind < 4, "an anchor of no known kind");
  let anchor: Anchor = kind === 0 ? START : END;
  if (kind >= 2) {
    anchor = { side: kind === 2 ? "after" : "before", of: { replica: reader.replica(), seq: reader.seq() } };
  }
  reader.end();
  return { format: "anchor", anchor: anchorText(anchor) };
}

export function authorsShape(bytes: Uint8Array): unknown {
  start(new Reader(bytes), "CRDTA", 1);
  const reader = new Reader(checked(bytes));
  reader.take(6);
  const users = Array.from({ length: reader.count(1) }, () => reader.name());
  must(new Set(users).size === users.length, "a user comes twice");
  const replicas = Array.from({ length: reader.count(8) }, () => reader.replica());
  must(
    replicas.every((replica, index) => index === 0 || replica > (replicas[index - 1] ?? "")),
    "replicas ascend",
  );
  const rows: { replica: string; from: number; to: number; user: string; time: number }[] = [];
  let named = 0;
  for (const replica of replicas) {
    const count = reader.count(4);
    must(count > 0, "a replica has no rows");
    let [end, exact] = [0, 0n];
    for (let left = count; left > 0; left -= 1) {
      const from = end + reader.seq();
      const length = reader.seq();
      must(length > 0 && from + length <= SEQS, "a row is for no operations that can be");
      const user = reader.varint();
      must(user <= named && user < users.length, "users stand as rows name them");
      if (user === named) {
        named += 1;
      }
      exact += unzigzag(reader.varint64());
      must(exact >= 0n && exact <= 1n << 53n, "a time is above 2^53");
      const time = Number(exact);
      const row = { replica, from, to: from + length, user: users[user] ?? "", time };
      const last = rows.at(-1);
      const touches = last?.replica === replica && last.to === from;
      must(!touches || last.user !== row.user || last.time !== time, "rows that touch differ");
      rows.push(row);
      end = row.to;
    }
  }
  must(named === users.length, "a user that no row names");
  reader.end();
  return { format: "authors", rows };
}

const unzigzag = (number: bigint): bigint => (number % 2n === 0n ? number / 2n : -(number + 1n) / 2n);

interface Sound {
  readonly kind: string;
  readonly payload: Uint8Array;
  readonly end: number;
}

const HEADER_BYTES = 26;
const RECORD_BYTES = 11;

/** The record at an offset, if it is sound. */
function record(bytes: Uint8Array, offset: number): Sound | undefined {
  if (bytes.length - offset < RECORD_BYTES) {
    return undefined;
  }
  const at = new Uint8Array(8);
  new DataView(at.buffer).setBigUint64(0, BigInt(offset), true);
  const seed = [bytes.subarray(14, 22), at];
  const reader = new Reader(bytes.subarray(offset));
  const length = reader.fixed(4);
  const kind = String.fromCharCode(reader.u8());
  if (!/^[A-Za-z]$/.test(kind)) {
    return undefined;
  }
  if (reader.fixed(2) !== (crc32c(...seed, bytes.subarray(offset, offset + 5)) & 0xffff)) {
    return undefined;
  }
  if (length + 4 > reader.left) {
    return undefined;
  }
  const payload = reader.take(length);
  const end = offset + reader.at;
  if (reader.fixed(4) !== crc32c(...seed, bytes.subarray(offset, end))) {
    return undefined;
  }
  return { kind, payload, end: end + 4 };
}

export function logShape(bytes: Uint8Array): unknown {
  const header = new Reader(bytes.subarray(0, HEADER_BYTES));
  start(header, "CRDTL", 1);
  must(bytes.length >= HEADER_BYTES, "the bytes end too early");
  checked(header.bytes);
  must(header.fixed(4) === 0, "features that are not known");
  header.fixed(4);
  const id = header.u64().toString(16).padStart(16, "0");
  const records: unknown[] = [];
  let offset = HEADER_BYTES;
  for (;;) {
    const sound = record(bytes, offset);
    if (sound === undefined) {
      break;
    }
    const { kind, payload } = sound;
    if (kind === "S") {
      must(offset === HEADER_BYTES, "a snapshot is the first record");
      records.push({ kind, snapshot: snapshotShape(payload) });
    } else if (kind === "D") {
      records.push({ kind, delta: deltaShape(payload) });
    } else {
      must(kind >= "a", `a record ${kind} has to be known`);
      records.push({ kind, hex: Buffer.from(payload).toString("hex") });
    }
    offset = sound.end;
  }
  for (let behind = offset + 1; behind < bytes.length; behind += 1) {
    if (record(bytes, behind) !== undefined) {
      refuse(`the log is damaged at ${String(offset)}`);
    }
  }
  return { format: "log", id, records, torn: bytes.length - offset };
}

/** By the end of a file's name. */
export const shapes: Record<string, (bytes: Uint8Array) => unknown> = {
  delta: (bytes) => deltaShape(bytes),
  snapshot: snapshotShape,
  log: logShape,
  authors: authorsShape,
  version: versionShape,
  anchor: anchorShape,
};
