/**
 * Whatever this library refuses. What was refused has changed nothing.
 *
 * Tell errors apart by `code`, which is stable; never by `instanceof` (an application may hold two
 * copies of this package) and never by `message`.
 */
export class CrdtError extends Error {
  override readonly name = "CrdtError";

  constructor(
    readonly code: CrdtErrorCode,
    message: string,
  ) {
    super(message);
  }
}

export type CrdtErrorCode =
  /** A position, range or length is no whole number within the text. */
  | "out-of-bounds"
  | "inverted-range"
  /** A position between the two halves of a surrogate pair. */
  | "inside-surrogate-pair"
  /** Text with half a surrogate pair in it. */
  | "ill-formed-text"
  /** The document, or the room for waiting operations, is full. */
  | "full"
  | "pending-full"
  /** Bytes that are no delta, snapshot, version or anchor of this library. */
  | "malformed"
  | "unsupported-version"
  | "unsupported-features"
  | "limit-exceeded"
  /** A delta that contradicts what is known: somebody used a replica id twice, or made it up. */
  | "replica-collision"
  | "invalid-reference"
  /** Bytes or a version that build on history which was trimmed: load the document anew, from a snapshot. */
  | "trimmed"
  /** A version that this document has not reached, or that holds an operation without what that refers to. */
  | "not-reached"
  | "not-a-state"
  /** A replica id whose operations are in the version: a document of its own needs an id of its own. */
  | "replica-in-use"
  /** Operations that refer to each other in a circle: somebody made up the document. */
  | "circular"
  /** A log with a bad record in front of a good one: it is not as it was written. */
  | "damaged"
  /** A document without operations that the log holds, of which they would be lost. */
  | "lacking"
  /** A replica id that is not 16 hexadecimal digits. */
  | "invalid-replica"
  /** Content that the document has no form for, in an editor; or an editor's schema without paragraphs. */
  | "unsupported-content"
  /** A name that is too long for a mark, register or sequence. */
  | "name-too-long"
  /** There is no entry or embed at the position. */
  | "no-embed"
  /** Somebody used a replica id that stands for a named text or list. */
  | "reserved"
  /** The name of a register that starts with `crdt:`, as names of versions do. */
  | "reserved-name"
  /** A text of another document, given to an `UndoManager`. */
  | "foreign-text"
  /** `applyDelta` inside `transact`. */
  | "in-transaction"
  /** Used after `free()` or `destroy()`. */
  | "freed"
  /** `crdt-js/slim` without `init()`. */
  | "not-initialised"
  /** A presence state that is no JSON or too large. */
  | "invalid-presence"
  /** No `WebSocket` here: pass one. */
  | "no-websocket"
  | (string & {});

/** Gives errors of crdt-wasm (plain `Error`s with a `code`) their class; passes others through. */
export function fromWasm(error: unknown): unknown {
  if (error instanceof Error && !(error instanceof CrdtError)) {
    const code: unknown = (error as { code?: unknown }).code;
    if (typeof code === "string") {
      return new CrdtError(code, error.message);
    }
  }
  return error;
}
