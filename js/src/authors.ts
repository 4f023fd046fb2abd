import { Authors as WasmAuthors } from "../wasm/crdt_wasm.js";
import { needEngine } from "./engine.js";
import { CrdtError, fromWasm } from "./error.js";
import type { OpRange } from "./history.js";
import { checkText, whole } from "./input.js";
import { PacketReader } from "./packet.js";
import { replicaBits } from "./replica.js";

/** Who was behind operations, and when. */
export interface AuthorEntry extends OpRange {
  readonly user: string;
  /** Milliseconds since 1970 in UTC, as `Date.now()`. */
  readonly timeMs: number;
}

/**
 * Which user was behind a replica's operations, and when: a table beside a document, kept by whoever knows.
 *
 * A document knows replicas, which are drawn anew with every opened tab; whom to believe about users and times is up to the
 * application. Attribution and history say replica and numbers; this says who that was.
 */
export class Authors {
  #wasm: WasmAuthors | undefined;

  constructor(/** @internal */ open = (): WasmAuthors => new WasmAuthors()) {
    needEngine();
    try {
      this.#wasm = open();
    } catch (error) {
      throw fromWasm(error);
    }
  }

  /**
   * The table that `encode()` gave.
   *
   * @throws CrdtError `"malformed"`, `"unsupported-version"` or `"limit-exceeded"`
   */
  static decode(bytes: Uint8Array): Authors {
    return new Authors(() => WasmAuthors.decode(bytes));
  }

  /**
   * Records that a user was behind the operations of a replica with the numbers `from` to before `to`, at a time. What was recorded of
   * some of them before stays as it was. Whoever wants a small table rounds times.
   *
   * @param timeMs milliseconds since 1970 in UTC
   * @throws CrdtError `"name-too-long"` for a user of more than 1,024 bytes of UTF-8
   */
  record(replica: string, from: number, to: number, user: string, timeMs: number = Date.now()): void {
    checkText(user);
    const [bits, start, end] = [replicaBits(replica), whole(from), whole(to)];
    this.#ask((wasm) => {
      wasm.record(bits, start, end, user, timeMs);
    });
  }

  /** Who was behind an operation, and when; `undefined` if that was not recorded. */
  of(replica: string, seq: number): { readonly user: string; readonly timeMs: number } | undefined {
    const packet = this.#ask((wasm) => wasm.of(replicaBits(replica), whole(seq)));
    return packet && new PacketReader(packet).author();
  }

  /** Everything that was recorded, in ascending order of replicas and numbers. */
  entries(): AuthorEntry[] {
    return this.#ask((wasm) => new PacketReader(wasm.entries()).authors());
  }

  /** Takes up what another table holds of operations of which nothing is recorded here. */
  merge(other: Authors): void {
    this.#ask((wasm) => {
      wasm.merge(other.handle());
    });
  }

  /** The table as bytes. Tables that say the same have the same bytes. */
  encode(): Uint8Array {
    return this.#ask((wasm) => wasm.encode());
  }

  /** @internal */
  handle(): WasmAuthors {
    if (!this.#wasm) {
      throw new CrdtError("freed", "the table was freed");
    }
    return this.#wasm;
  }

  /** Releases the memory at once, instead of when the garbage collector gets to it. */
  free(): void {
    this.#wasm?.free();
    this.#wasm = undefined;
  }

  [Symbol.dispose](): void {
    this.free();
  }

  #ask<Value>(call: (wasm: WasmAuthors) => Value): Value {
    const wasm = this.handle();
    try {
      return call(wasm);
    } catch (error) {
      throw fromWasm(error);
    }
  }
}
