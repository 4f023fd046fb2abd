/** What named texts and lists share: how edits get to the document, and those of everybody to their listeners. */
import type { Doc as WasmDoc } from "../wasm/crdt_wasm.js";
import type { NamedEdit } from "./edit.js";
import type { Events } from "./events.js";
import type { Json } from "./json.js";

/** A named text or list changed. */
export interface SequenceEvent<Edit> {
  readonly edits: readonly Edit[];
  /** As in `ChangeEvent`. */
  readonly origin: unknown;
  /** Whether it was edited here. */
  readonly local: boolean;
}

/** What a sequence uses of its document. @internal */
export interface SequencePort {
  wasm(): WasmDoc;
  /** Edits, and tells what that did. */
  edit(make: (wasm: WasmDoc) => readonly NamedEdit[]): void;
  transact(edit: () => void, origin?: unknown): Uint8Array | undefined;
  set(name: string, value: Json): void;
  registers(): Map<string, Json>;
}

/** Who is told of a sequence's edits. @internal */
export interface Channel<Edit> {
  readonly trackers: Set<(edits: readonly Edit[], origin: unknown) => void>;
  readonly events: Events<{ change: SequenceEvent<Edit> }>;
}
