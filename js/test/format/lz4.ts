import { must, Reader } from "./bytes.js";

/** One block of LZ4 (lz4_Block_format.md of the LZ4 project) that comes out as `size` bytes. */
export function lz4(block: Uint8Array, size: number): Uint8Array {
  const reader = new Reader(block);
  const out = new Uint8Array(size);
  let at = 0;
  const more = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) {
      let byte: number;
      do {
        length += byte = reader.u8();
      } while (byte === 255);
    }
    return length;
  };
  for (;;) {
    const token = reader.u8();
    const literals = reader.take(more(token >> 4));
    must(at + literals.length <= size, "more comes out than announced");
    out.set(literals, at);
    at += literals.length;
    // The last sequence has literals only.
    if (reader.done) {
      break;
    }
    const offset = reader.fixed(2);
    must(offset > 0 && offset <= at, "a match starts in front of the block");
    const length = more(token & 15) + 4;
    must(at + length <= size, "more comes out than announced");
    // Byte by byte: a match may reach into what it makes.
    for (let end = at + length; at < end; at += 1) {
      out[at] = out[at - offset] ?? 0;
    }
  }
  must(at === size, "less comes out than announced");
  return out;
}
