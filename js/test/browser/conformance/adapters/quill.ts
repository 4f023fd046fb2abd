import { bindQuill } from "crdt-js/quill";
import Quill from "quill";
import "quill/dist/quill.snow.css";
import type { Adapter } from "../adapter.js";
import { randomSplice } from "../splice.js";

export const adapter: Adapter = {
  editDocument(doc) {
    doc.insert(doc.length, "!");
  },
  open(doc, box, presence) {
    const host = document.createElement("div");
    host.style.height = "100%";
    box.append(host);
    const quill = new Quill(host, { theme: "snow", formats: [], modules: { toolbar: false } });
    const binding = bindQuill(doc, quill, { presence });
    const text = (): string => quill.getText().slice(0, -1);
    return {
      content: text,
      expected: (doc) => doc.toString().replaceAll("\r", "\u200b"),
      editAtRandom(random) {
        const { position, deleted, inserted } = randomSplice(random, text());
        const ops = [
          ...(position > 0 ? [{ retain: position }] : []),
          ...(inserted === "" ? [] : [{ insert: inserted }]),
          ...(deleted > 0 ? [{ delete: deleted }] : []),
        ];
        quill.updateContents(ops, random.pick(["user", "api"] as const));
      },
      select(anchor, head) {
        quill.setSelection(Math.min(anchor, head), Math.abs(anchor - head), "user");
      },
      selection() {
        const range = quill.getSelection();
        return range ? { anchor: range.index, head: Math.min(range.index + range.length, text().length) } : undefined;
      },
      pointAt(position) {
        const bounds = quill.getBounds(position);
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
