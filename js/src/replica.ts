import { CrdtError } from "./error.js";

/** 64 random bits, as 16 hexadecimal digits. */
export function randomReplica(): string {
  let digits = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(8))) {
    digits += byte.toString(16).padStart(2, "0");
  }
  return digits;
}

export function replicaBits(replica: string): bigint {
  if (!/^[0-9a-f]{16}$/.test(replica)) {
    throw new CrdtError("invalid-replica", "a replica id is 16 lower-case hexadecimal digits");
  }
  return BigInt(`0x${replica}`);
}
