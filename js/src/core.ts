/** What the two entries share, so that an application which loads both has one of everything. */
export { Doc, type ChangeEvent, type DocEvents, type DocOptions, type VersionEvent } from "./doc.js";
export { applyEdits, type TextEdit } from "./edit.js";
export { CrdtError, type CrdtErrorCode } from "./error.js";
export type { PendingReport } from "./packet.js";

/** Not public: how the entries start WebAssembly. */
export { engineRuns, provideEngine, startEngine } from "./engine.js";
