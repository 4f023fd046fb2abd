import {
  deltaVersion as wasmDeltaVersion,
  diffDelta as wasmDiffDelta,
  mergeDeltas as wasmMergeDeltas,
  validateDelta as wasmValidateDelta,
} from "../wasm/crdt_wasm.js";
import { needEngine } from "./engine.js";
import { fromWasm } from "./error.js";
import type { OpRange } from "./history.js";
import { PacketReader, writeAllBytes } from "./packet.js";

/** Which operations a delta holds: it is no version, it leads from one to another. */
export interface DeltaVersion {
  /**
   * How many operations of each replica go before those of the delta, as `Doc.version()` gives versions. Replicas of which it holds
   * nothing are not named.
   */
  readonly start: Uint8Array;
  /** What somebody has seen of these replicas who had everything that goes before, and applied it. */
  readonly end: Uint8Array;
  /** Its operations, in ascending order. Two ranges of one replica have a hole between them. */
  readonly ranges: readonly OpRange[];
}

/** How much a delta holds. */
export interface DeltaSummary {
  /** Characters and other elements inserted and deleted. */
  readonly operations: number;
  /** Runs of them, as they are written. */
  readonly runs: number;
  /** Replicas that issued them. */
  readonly replicas: number;
  /** Bytes of text in UTF-8; three for an element with a value. */
  readonly textBytes: number;
  /** Elements with values: embeds, marks, registers, entries of lists. */
  readonly values: number;
}

/**
 * Makes one delta of all that some deltas hold, without a document. Who applies it has applied all of them.
 *
 * What several hold is in it once. The same operations give the same bytes, in whatever order they come and however they were merged
 * before. O(bytes · log of the deltas).
 *
 * @throws CrdtError `"malformed"`, `"unsupported-version"` or `"limit-exceeded"` if one is no delta; `"replica-collision"` if two hold
 * the same operation with other content
 */
export function mergeDeltas(deltas: readonly Uint8Array[]): Uint8Array {
  return ask(() => wasmMergeDeltas(writeAllBytes(deltas)));
}

/**
 * Cuts a delta down to what a document of this `version()` lacks of it, without a document. If that is nothing, it is the delta of no
 * operations, three bytes. O(bytes).
 *
 * @throws CrdtError `"malformed"`, `"unsupported-version"` or `"limit-exceeded"`
 */
export function diffDelta(delta: Uint8Array, version: Uint8Array): Uint8Array {
  return ask(() => wasmDiffDelta(delta, version));
}

/**
 * Which operations a delta holds. O(bytes).
 *
 * @throws CrdtError as `diffDelta`
 */
export function deltaVersion(delta: Uint8Array): DeltaVersion {
  return ask(() => new PacketReader(wasmDeltaVersion(delta)).deltaVersion());
}

/**
 * Checks all that can be checked of a delta without a document, and says how much it holds: what passes fails in no document for its
 * bytes. Whether it fits a document is checked where it is applied. O(bytes).
 *
 * @throws CrdtError as `diffDelta`
 */
export function validateDelta(delta: Uint8Array): DeltaSummary {
  const [operations = 0, runs = 0, replicas = 0, textBytes = 0, values = 0] = ask(() => wasmValidateDelta(delta));
  return { operations, runs, replicas, textBytes, values };
}

function ask<Value>(call: () => Value): Value {
  needEngine();
  try {
    return call();
  } catch (error) {
    throw fromWasm(error);
  }
}
