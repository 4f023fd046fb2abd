/** Random Quill deltas. */
import type { QuillOp } from "../../src/bindings/quill/delta.js";
import type { Random } from "../random.js";

const TEXTS = ["a", "b", "lorem", " ", "\n", "x\ny", "\n\n", "é漢", "😀", "z\n"];
const EMBEDS = [
  { image: "a.png" },
  { image: "b.png" },
  { formula: "e=mc^2" },
  { mention: { id: 1, value: "Ada", more: [null, { deep: true }] } },
];
const VALUES: Record<string, readonly unknown[]> = {
  bold: [true, null],
  italic: [true, false, null],
  color: ["#f00", "#00f", null],
  link: ["https://a.example", "https://b.example", null],
  header: [1, 2, null],
  list: ["bullet", "ordered", null],
  "code-block": [true, "js", null],
  comment: [{ id: 1 }, { id: 1, by: ["x"] }, { by: ["x"], id: 1 }, null],
};

/** A change of a content of this length; of characters of two units it takes or leaves both. */
export function randomChange(random: Random, content: string, reach = content.length): QuillOp[] {
  const ops: QuillOp[] = [];
  let at = 0;
  for (let count = 1 + random.below(5); count > 0; count--) {
    let length = Math.min(reach - at, 1 + random.below(6));
    if ((content.charCodeAt(at + length - 1) & 0xfc00) === 0xd800) {
      length += 1;
    }
    const kind = random.fraction();
    if (kind < 0.35) {
      ops.push(attributed({ insert: random.pick(TEXTS) }, attributes(random, 0.5)));
    } else if (kind < 0.45) {
      ops.push(attributed({ insert: random.pick(EMBEDS) }, attributes(random, 0.4)));
    } else if (length > 0 && kind < 0.6) {
      ops.push({ delete: length });
      at += length;
    } else if (length > 0) {
      ops.push(attributed({ retain: length }, attributes(random, 0.6)));
      at += length;
    }
  }
  return ops;
}

function attributes(random: Random, chance: number): Record<string, unknown> {
  const names = Object.keys(VALUES);
  const count = random.fraction() < chance ? 1 + random.below(3) : 0;
  return Object.fromEntries(
    Array.from({ length: count }, () => {
      const name = random.pick(names);
      return [name, random.pick(VALUES[name]?.map((value) => [value]) ?? [])[0]];
    }),
  );
}

function attributed(op: QuillOp, given: Record<string, unknown>): QuillOp {
  return Object.keys(given).length > 0 ? { ...op, attributes: given } : op;
}
