import type { History as WasmHistory } from "../wasm/crdt_wasm.js";
import type { Authors } from "./authors.js";
import type { TextEdit } from "./edit.js";
import { CrdtError } from "./error.js";
import { whole } from "./input.js";
import { PacketReader } from "./packet.js";

/** The name of an operation. */
export interface OpId {
  /** Whose it is, as `Doc.replica`. */
  readonly replica: string;
  /** Its number among those of the replica. */
  readonly seq: number;
}

/** Operations of one replica: the numbers `from` to before `to`. */
export interface OpRange {
  readonly replica: string;
  readonly from: number;
  readonly to: number;
}

/** A stretch of text, and the operations that inserted it, one for each character or embed. Positions are UTF-16 code units. */
export interface Attribution extends OpRange {
  readonly position: number;
  readonly length: number;
}

/** A stretch of text that was deleted: who inserted it, and who deleted it. */
export interface DeletedText {
  /** Where it would stand, in UTF-16 code units. */
  readonly position: number;
  /** What stood there; an embed is U+FFFC. */
  readonly text: string;
  /** The operation that inserted the first of it. */
  readonly insertedBy: OpId;
  /** The lowest of the operations that deleted it. */
  readonly deletedBy: OpId;
}

export interface HistoryOptions {
  /** `"run"`: what was typed or deleted in one go is one step (the default). `"operation"`: each character is one. */
  readonly steps?: "run" | "operation";
  /** Orders steps by the times in this table, as far as everything stays behind what it refers to, and gives steps their time. */
  readonly authors?: Authors;
}

/** One step of a history: operations of one replica, and what they changed. */
export interface HistoryStep extends OpRange {
  /** When, in milliseconds since 1970 in UTC, if `authors` were given and know. */
  readonly timeMs?: number;
  /**
   * What they change in the main text and the registers, in sequence, in the direction in which one goes. None where they delete
   * what others had deleted already, or edit named texts and lists.
   */
  readonly edits: readonly TextEdit[];
}

/**
 * How a document became what it is, step by step: for a slider, a replay, a film. `doc.history()` makes one.
 *
 * It is a copy: the document can be edited meanwhile, and even be freed. It stands between two steps, at first in front of all. Nobody knows
 * in which order people who worked at once said things; here one goes on until what he did next needs something from another, and at
 * every point the text is one that a document could have had.
 *
 * Holds memory in proportion to the document, until `free()` or the garbage collector.
 */
export class History implements Iterable<HistoryStep> {
  #wasm: WasmHistory | undefined;

  /** @internal */
  constructor(wasm: WasmHistory) {
    this.#wasm = wasm;
  }

  /** How many steps there are. */
  get length(): number {
    return this.#live().length;
  }

  /** How many steps are in front, 0 to `length`. */
  get position(): number {
    return this.#live().position;
  }

  /** The version at this point: for `doc.textAt`, `doc.at`, `doc.restore`, `doc.nameVersion`. */
  get version(): Uint8Array {
    return this.#live().version();
  }

  /** The text at this point. O(document): following the edits is cheaper. */
  get text(): string {
    return this.#live().text();
  }

  /** Goes on one step; `undefined` at the end. */
  next(): HistoryStep | undefined {
    return step(this.#live().next());
  }

  /** Goes back one step, whose edits undo it: what was deleted comes back with its marks. `undefined` at the start. */
  previous(): HistoryStep | undefined {
    return step(this.#live().previous());
  }

  /**
   * Goes to where `position` is this, or to the end; returns what turns the content here into that. O(document), whichever way and
   * however far.
   */
  seek(position: number): TextEdit[] {
    return mainEdits(this.#live().seek(whole(position)));
  }

  /**
   * Goes in front of the first step that is later than a time, in milliseconds since 1970 in UTC, as `seek`. Steps without a
   * time go with the one in front of them.
   */
  seekTime(timeMs: number): TextEdit[] {
    return mainEdits(this.#live().seekTime(timeMs));
  }

  /** The steps from here to the end, going along. */
  *[Symbol.iterator](): Iterator<HistoryStep> {
    for (let next = this.next(); next; next = this.next()) {
      yield next;
    }
  }

  /** Releases the memory at once. */
  free(): void {
    this.#wasm?.free();
    this.#wasm = undefined;
  }

  [Symbol.dispose](): void {
    this.free();
  }

  #live(): WasmHistory {
    if (!this.#wasm) {
      throw new CrdtError("freed", "the history was freed");
    }
    return this.#wasm;
  }
}

function step(packet: Uint8Array | undefined): HistoryStep | undefined {
  return packet && new PacketReader(packet).step();
}

function mainEdits(packet: Uint8Array): TextEdit[] {
  return new PacketReader(packet).edits().filter((edit): edit is TextEdit => edit.type !== "in");
}
