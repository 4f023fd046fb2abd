// The WebAssembly file as text for a JavaScript string; src/inline.ts reads it.
//
// Base64 takes bytes out of their alignment, and then gzip and brotli find little: 36 % more to transfer than the
// file itself. Here each byte becomes one ASCII character or, the rarer ones, two: 2 % more. Nothing in it needs
// escaping in a string, a template, HTML or any charset.

/** Printable ASCII without what strings, templates and HTML give a meaning. Also in src/inline.ts. */
const ALPHABET = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#%()*+,-./:;=>?@[]^_{|}~"];

/** The first 512 characters are the byte values by frequency, in hexadecimal; then come the bytes. */
export function encodeWasm(bytes) {
  const count = new Array(256).fill(0);
  for (const byte of bytes) count[byte]++;
  const order = [...count.keys()].sort((a, b) => count[b] - count[a] || a - b);

  const size = ALPHABET.length;
  let singles = size;
  while (singles + (size - singles) * size < 256) singles--;
  const text = new Array(256);
  order.forEach((byte, rank) => {
    const rest = rank - singles;
    text[byte] = rest < 0 ? ALPHABET[rank] : ALPHABET[singles + Math.floor(rest / size)] + ALPHABET[rest % size];
  });
  return Buffer.from(order).toString("hex") + Array.from(bytes, (byte) => text[byte]).join("");
}
