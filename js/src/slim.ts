/**
 * crdt-js without its WebAssembly: `await init(source)` once, then the same as the default entry.
 * The file to serve is `crdt-js/crdt.wasm`.
 */
import { engineRuns, startEngine } from "./core.js";

/**
 * Starts WebAssembly from a compiled module, from bytes, or from where it can be fetched. Does nothing
 * when it runs already.
 */
export async function init(source: WebAssembly.Module | BufferSource | URL | string): Promise<void> {
  if (engineRuns()) {
    return;
  }
  if (typeof source === "string" || source instanceof URL) {
    startEngine(await compile(await fetch(source)));
  } else if (source instanceof WebAssembly.Module) {
    startEngine(source);
  } else {
    startEngine(await WebAssembly.compile(source));
  }
}

async function compile(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) {
    throw new Error(`crdt-js/slim: ${response.url} answered ${String(response.status)}`);
  }
  // Servers that do not know the type are common; compiling while loading refuses them.
  return response.headers.get("content-type")?.startsWith("application/wasm")
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}

export * from "./public.js";
