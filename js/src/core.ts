/** What the two entries share, so that an application which loads both has one of everything. */
export { type AuthorEntry, Authors } from "./authors.js";
export { deltaVersion, type DeltaSummary, type DeltaVersion, diffDelta, mergeDeltas, validateDelta } from "./delta.js";
export { Doc, type ChangeEvent, type DocEvents, type DocOptions, type Expand, type VersionEvent } from "./doc.js";
export { applyEdits, type TextEdit, type TextRun } from "./edit.js";
export { CrdtError, type CrdtErrorCode } from "./error.js";
export { type Attribution, type DeletedText, History, type HistoryOptions, type HistoryStep, type OpId, type OpRange } from "./history.js";
export type { Json, Marks } from "./json.js";
export { List, type ListEdit } from "./list.js";
export { Log, type Replayed } from "./log.js";
export { NamedText } from "./named-text.js";
export type { SequenceEvent } from "./sequence.js";
export type { PendingReport } from "./packet.js";
export { type UndoEditor, type UndoEvents, UndoManager, type UndoOptions, type UndoSelection } from "./undo.js";
export type { Versions } from "./versions.js";
export type { BackoffOptions } from "./providers/backoff.js";
export type { Presence, PresenceEvents, PresenceState } from "./providers/presence.js";
export {
  type ConnectionStatus,
  type SaveState,
  WebSocketProvider,
  type WebSocketProviderEvents,
  type WebSocketProviderOptions,
} from "./providers/websocket.js";

/** Not public: how the entries start WebAssembly. */
export { engineRuns, provideEngine, startEngine } from "./engine.js";
