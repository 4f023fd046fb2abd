/** What `scripts/build.mjs` gives for this name: the WebAssembly file, encoded. */
declare module "crdt:wasm" {
  const encoded: string;
  export default encoded;
}
