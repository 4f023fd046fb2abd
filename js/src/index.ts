/**
 * crdt-js with its WebAssembly inside: nothing to load, nothing to await. It starts with the first Doc.
 *
 * What is public is listed in `public.ts`; `crdt-js/slim` has the same and `init`.
 */
import encoded from "crdt:wasm";
import { provideEngine } from "./core.js";
import { decodeWasm } from "./inline.js";

provideEngine(() => decodeWasm(encoded));

export * from "./public.js";
