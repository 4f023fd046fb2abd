/** The one WebAssembly instance of this copy of the package, and when it starts. */
import { initSync } from "../wasm/crdt_wasm.js";
import { CrdtError } from "./error.js";

type Source = WebAssembly.Module | BufferSource;

let provided: (() => Source) | undefined;
let started = false;

/** Sets where the module comes from if nobody has called `startEngine` before it is needed. */
export function provideEngine(source: () => Source): void {
  provided = source;
}

/** Starts the instance; does nothing if it runs. */
export function startEngine(source: Source): void {
  if (!started) {
    initSync({ module: source });
    started = true;
  }
}

export function engineRuns(): boolean {
  return started;
}

/** Called by whatever is about to need the instance. */
export function needEngine(): void {
  if (started) {
    return;
  }
  if (!provided) {
    throw new CrdtError("not-initialised", "crdt-js/slim: await init(...) before the first Doc");
  }
  startEngine(provided());
}
