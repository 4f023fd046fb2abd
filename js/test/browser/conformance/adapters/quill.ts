import { bindQuill } from "crdt-js/quill";
import Quill from "quill";
import "quill/dist/quill.snow.css";
import type { Random } from "../../../random.js";
import type { Adapter } from "../adapter.js";
import { randomSplice, wholeAt } from "../splice.js";

const PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const INLINE: readonly (readonly [name: string, values: readonly unknown[]])[] = [
  ["bold", [true, true, false]],
  ["italic", [true, false]],
  ["underline", [true, false]],
  ["code", [true, false]],
  ["link", ["https://a.example", "https://b.example", false]],
  ["color", ["#e60000", "#0066cc", false]],
  ["size", ["large", "small", false]],
  ["script", ["sub", "super", false]],
];
const BLOCK: readonly (readonly [name: string, values: readonly unknown[]])[] = [
  ["header", [1, 2, false]],
  ["list", ["ordered", "bullet", "checked", false]],
  ["blockquote", [true, false]],
  ["code-block", [true, false]],
  ["align", ["center", "right", false]],
  ["indent", ["+1", "-1"]],
  ["direction", ["rtl", false]],
];

export const adapter: Adapter = {
  editDocument(doc) {
    doc.insert(doc.length, "!");
  },
  open(doc, box, presence, undo) {
    const quill = open(box);
    const hidden = document.createElement("div");
    hidden.hidden = true;
    document.body.append(hidden);
    const anew = open(hidden);
    const binding = bindQuill(doc, quill, { presence, undo });
    const text = (): string => plain(quill);
    return {
      content: () => contents(quill),
      // Whatever way the document came about, the editor shows what a new one would show.
      expected(doc) {
        bindQuill(doc, anew).destroy();
        return contents(anew);
      },
      editAtRandom(random) {
        editAtRandom(quill, text(), random);
      },
      select(anchor, head) {
        const [start = 0, end = 0] = [anchor, head].map((position) => binding.toEditor(position)).sort((one, other) => one - other);
        quill.setSelection(start, end - start, "user");
      },
      selection() {
        const range = quill.getSelection();
        return range ? { anchor: binding.toDocument(range.index), head: binding.toDocument(range.index + range.length) } : undefined;
      },
      pointAt(position) {
        const bounds = quill.getBounds(binding.toEditor(position));
        const origin = quill.container.getBoundingClientRect();
        if (!bounds || bounds.top < 0 || bounds.bottom > origin.height) {
          return undefined;
        }
        return { x: origin.left + bounds.left + 2, y: origin.top + bounds.top + bounds.height / 2 };
      },
      destroy() {
        binding.destroy();
      },
    };
  },
};

/** Whose attributes come in one order. */
function contents(quill: Quill): unknown {
  return quill.getContents().ops.map(({ insert, attributes = {} }) => [insert, Object.entries(attributes).sort()]);
}

function open(box: HTMLElement): Quill {
  const host = document.createElement("div");
  host.style.height = "100%";
  box.append(host);
  return new Quill(host, { theme: "snow", modules: { toolbar: false } });
}

/** Without the "\n" that is not the document's. */
function plain(quill: Quill): string {
  return quill
    .getContents()
    .ops.map(({ insert }) => (typeof insert === "string" ? insert : "\ufffc"))
    .join("")
    .slice(0, -1);
}

function editAtRandom(quill: Quill, text: string, random: Random): void {
  const source = random.pick(["user", "api"] as const);
  const start = wholeAt(text, random.below(text.length + 1));
  const length = Math.max(0, wholeAt(text, Math.min(text.length, start + random.below(12))) - start);
  const roll = random.fraction();
  if (roll < 0.3) {
    const { position, deleted, inserted } = randomSplice(random, text);
    quill.updateContents(
      [
        ...(position > 0 ? [{ retain: position }] : []),
        ...(inserted === "" ? [] : [{ insert: inserted, ...(random.fraction() < 0.3 && { attributes: { bold: true } }) }]),
        ...(deleted > 0 ? [{ delete: deleted }] : []),
      ],
      source,
    );
  } else if (roll < 0.55) {
    const [name, values] = random.pick(INLINE);
    quill.formatText(start, length, name, random.pick(values.map((value) => [value]))[0], source);
  } else if (roll < 0.8) {
    const [name, values] = random.pick(BLOCK);
    // Steps of an indent are known to the caret's own line only.
    const value = random.pick(values.map((value) => [value]))[0];
    quill.formatLine(start, length, name, name === "indent" ? random.below(3) || false : value, source);
  } else if (roll < 0.9) {
    quill.insertEmbed(start, "image", PIXEL, source);
  } else if (roll < 0.94) {
    quill.insertEmbed(start, "video", "https://video.example/embed", source);
  } else if (roll < 0.98) {
    quill.removeFormat(start, length, source);
  } else {
    quill.clipboard.dangerouslyPasteHTML(start, "<h2>Pasted</h2><ul><li>one<li><b>two</b></ul><p>end", source);
  }
}
