/** Reads the WebAssembly that the build put into the default entry; `scripts/wasm-text.mjs` wrote it. */

const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#%()*+,-./:;=>?@[]^_{|}~";
const HEAD = 512;

export function decodeWasm(text: string): Uint8Array<ArrayBuffer> {
  const size = ALPHABET.length;
  const rankOf = new Uint8Array(128);
  for (let rank = 0; rank < size; rank++) {
    rankOf[ALPHABET.charCodeAt(rank)] = rank;
  }
  let singles = size;
  while (singles + (size - singles) * size < 256) {
    singles--;
  }
  // The byte values by frequency: the first are one character, the others two.
  const byteOf = new Uint8Array(size * size);
  for (let rank = 0; rank < 256; rank++) {
    byteOf[rank] = parseInt(text.slice(rank * 2, rank * 2 + 2), 16);
  }
  const bytes = new Uint8Array(text.length - HEAD);
  let length = 0;
  for (let at = HEAD; at < text.length; at++) {
    let rank = rankOf[text.charCodeAt(at)] ?? 0;
    if (rank >= singles) {
      at++;
      rank = singles + (rank - singles) * size + (rankOf[text.charCodeAt(at)] ?? 0);
    }
    bytes[length++] = byteOf[rank] ?? 0;
  }
  return bytes.subarray(0, length);
}
