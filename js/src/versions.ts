import type { Doc as WasmDoc } from "../wasm/crdt_wasm.js";
import type { TextEdit, TextRun } from "./edit.js";
import { type Attribution, type DeletedText, History, type HistoryOptions } from "./history.js";
import { whole } from "./input.js";
import { PacketReader } from "./packet.js";

/**
 * What a document tells of the versions that it has passed through; `Doc` has it.
 *
 * A version is what `version()` gave: here or in another copy, as long as everything in it was seen here. Nothing is replayed: reading one
 * takes one pass over the document. What cannot be shown is refused: `"not-reached"`, `"not-a-state"`, and `"trimmed"` for what is older
 * than `floor`.
 */
export abstract class Versions {
  /** Calls the engine; what it refuses is thrown as a `CrdtError`. @internal */
  protected abstract ask<Value>(call: (wasm: WasmDoc) => Value): Value;

  /** The text at a version. */
  textAt(version: Uint8Array): string {
    return this.ask((wasm) => wasm.textAt(undefined, version));
  }

  /** The text at a version from `start` to before `end`, in UTF-16 code units of that text. */
  sliceAt(version: Uint8Array, start: number, end: number): string {
    return this.ask((wasm) => wasm.sliceAt(undefined, version, whole(start), whole(end)));
  }

  /** The content at a version, as `Doc.runs`. */
  runsAt(version: Uint8Array): TextRun[] {
    return this.ask((wasm) => new PacketReader(wasm.runsAt(version)).runs());
  }

  /**
   * What turns the content at `from` into that at `to`, in sequence; either may be the later one, or neither. Text that stood in both
   * stays. Tells the main text and the registers.
   */
  diff(from: Uint8Array, to: Uint8Array): TextEdit[] {
    const edits = this.ask((wasm) => new PacketReader(wasm.diff(from, to)).edits());
    return edits.filter((edit): edit is TextEdit => edit.type !== "in");
  }

  /**
   * How the document became what it is, step by step: from nothing, or from what stood where it was trimmed (`floor`). What waits for
   * missing operations is not in it. O(*n* log *n*): everything is integrated once more.
   *
   * @throws CrdtError `"circular"` if the document comes from a snapshot that somebody made up
   */
  history(options: HistoryOptions = {}): History {
    const [byOperation, authors] = [options.steps === "operation", options.authors?.handle()];
    return this.ask(
      (wasm) => new History(authors ? wasm.historyByTime(authors, byOperation) : wasm.history(byOperation)),
    );
  }

  /** Who inserted what stands from `start` to before `end`, stretch by stretch, without gaps. O(document). */
  attribution(start = 0, end?: number): Attribution[] {
    return this.ask((wasm) =>
      new PacketReader(wasm.attribution(undefined, whole(start), whole(end ?? wasm.length))).attribution(),
    );
  }

  /**
   * What was deleted from `start` to `end`, both among it, and by whom, in document order. What was trimmed is not there. Of several who
   * deleted something at once, the same one is told everywhere. O(document).
   */
  deletedText(start = 0, end?: number): DeletedText[] {
    return this.ask((wasm) =>
      new PacketReader(wasm.deletedText(undefined, whole(start), whole(end ?? wasm.length))).deletedText(),
    );
  }

  /** All versions that have names, in ascending order of names. One of another copy may not have been reached here yet. */
  namedVersions(): Map<string, Uint8Array> {
    return this.ask((wasm) => new PacketReader(wasm.namedVersions()).namedVersions());
  }

  /** The version up to which history was trimmed; one of nothing if it never was. */
  get floor(): Uint8Array {
    return this.ask((wasm) => wasm.floor());
  }

  /** Whether `deltaSince(version)` can tell all that a document of this version lacks: not, if some of that was trimmed. */
  canTellSince(version: Uint8Array): boolean {
    return this.ask((wasm) => wasm.canTellSince(version));
  }
}
