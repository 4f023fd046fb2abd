/**
 * crdt-js with its WebAssembly inside: nothing to load, nothing to await. It starts with the first Doc.
 *
 * What is public is listed here; `crdt-js/slim` has the same and `init`.
 */
import encoded from "crdt:wasm";
import { provideEngine } from "./core.js";
import { decodeWasm } from "./inline.js";

provideEngine(() => decodeWasm(encoded));

export {
  applyEdits,
  type BackoffOptions,
  type ChangeEvent,
  type ConnectionStatus,
  CrdtError,
  type CrdtErrorCode,
  Doc,
  type DocEvents,
  type DocOptions,
  type PendingReport,
  type Presence,
  type PresenceEvents,
  type PresenceState,
  type SaveState,
  type TextEdit,
  type VersionEvent,
  WebSocketProvider,
  type WebSocketProviderEvents,
  type WebSocketProviderOptions,
} from "./core.js";
