import { Log as WasmLog } from "../wasm/crdt_wasm.js";
import { Doc, type DocOptions } from "./doc.js";
import { needEngine } from "./engine.js";
import { CrdtError, fromWasm } from "./error.js";
import { randomReplica, replicaBits } from "./replica.js";

/** What a log held. */
export interface Replayed {
  /** The document, as a new replica. */
  readonly doc: Doc;
  /** Goes on behind what was sound. */
  readonly log: Log;
  /** How many deltas were applied behind the snapshot. */
  readonly deltas: number;
  /**
   * What was being written when everything stopped: the last record, not written to its end. It is to be cut off: what is appended belongs
   * at `offset`, in bytes.
   */
  readonly tornTail: { readonly offset: number; readonly bytes: number } | undefined;
}

/**
 * A document as bytes that only grow, until they are compacted: a snapshot, then the deltas since. Where they are kept (IndexedDB, OPFS,
 * a file) is up to the application.
 *
 * Each record has a checksum over what it holds and where it stands. A record at the end that was not written whole is cut off and reported; a bad
 * one in front of a good one is an error. So the bytes have to be stored in the order in which they come, all of them: if storing fails, replay
 * what is stored, or `compact` and store that, before anything else is appended.
 *
 * @example
 * const log = new Log();
 * let stored = [log.begin()];
 * doc.on("delta", (delta) => stored.push(log.append(delta)));
 * // later: Log.replay(bytes of all, one behind the other)
 */
export class Log {
  #wasm: WasmLog | undefined;

  /** Begins one, of which nothing is stored yet: `begin()` is what comes first. */
  constructor(/** @internal */ open = (): WasmLog => new WasmLog(replicaBits(randomReplica()))) {
    needEngine();
    try {
      this.#wasm = open();
    } catch (error) {
      throw fromWasm(error);
    }
  }

  /**
   * Opens the document that a log holds, and the log to go on with. O(bytes), and what applying the deltas costs.
   *
   * @throws CrdtError `"damaged"` if a bad record stands in front of a good one (the message names its offset); `"malformed"`,
   * `"unsupported-version"`, `"unsupported-features"`, `"limit-exceeded"` or what `applyDelta` refuses if something in it cannot be read
   */
  static replay(bytes: Uint8Array, options: DocOptions = {}): Replayed {
    const replica = options.replica ?? randomReplica();
    const bits = replicaBits(replica);
    const log = new Log(() => new WasmLog(bits, bytes));
    const wasm = log.#live();
    const doc = new Doc({ replica }, () => {
      const taken = wasm.takeDoc();
      if (!taken) {
        throw new CrdtError("freed", "the document was taken already");
      }
      return taken;
    });
    const torn = wasm.tornBytes;
    const tornTail = torn === undefined ? undefined : { offset: wasm.length, bytes: torn };
    return { doc, log, deltas: wasm.deltas, tornTail };
  }

  /** The first bytes of a new log; none for one that was replayed, or began already. */
  begin(): Uint8Array {
    return this.#live().takeBytes();
  }

  /**
   * Appends a delta that the document has made (its `delta` event) or applied. Returns the bytes to store behind what is stored; none
   * for a delta of none.
   *
   * @throws CrdtError `"malformed"`, `"unsupported-version"` or `"limit-exceeded"`
   */
  append(delta: Uint8Array): Uint8Array {
    return this.#ask((wasm) => wasm.append(delta));
  }

  /**
   * A new log, which holds `doc` as a snapshot, and takes the place of what is stored: as a whole or not at all. Further deltas go behind
   * it. The snapshot is opened and compared first. O(document).
   *
   * @throws CrdtError `"lacking"` if `doc` lacks operations that the log holds; nothing has changed then
   */
  compact(doc: Doc): Uint8Array {
    return this.#ask((wasm) => wasm.compact(doc.handle()));
  }

  /** Its length in bytes, without what was cut off. */
  get length(): number {
    return this.#live().length;
  }

  /** How many bytes of it are the snapshot. */
  get snapshotBytes(): number {
    return this.#live().snapshotBytes;
  }

  /** How many bytes were appended since it was compacted. When they exceed the snapshot's, compacting pays. */
  get tailBytes(): number {
    return this.#live().tailBytes;
  }

  /** Releases the memory at once; documents stay. */
  free(): void {
    this.#wasm?.free();
    this.#wasm = undefined;
  }

  [Symbol.dispose](): void {
    this.free();
  }

  #live(): WasmLog {
    if (!this.#wasm) {
      throw new CrdtError("freed", "the log was freed");
    }
    return this.#wasm;
  }

  #ask<Value>(call: (wasm: WasmLog) => Value): Value {
    const wasm = this.#live();
    try {
      return call(wasm);
    } catch (error) {
      throw fromWasm(error);
    }
  }
}
