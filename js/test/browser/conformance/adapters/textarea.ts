import { bindTextarea } from "crdt-js/textarea";
import type { Adapter } from "../adapter.js";
import { randomSplice } from "../splice.js";

export const adapter: Adapter = {
  open(doc, box, presence, undo) {
    const element = document.createElement("textarea");
    Object.assign(element.style, { width: "100%", height: "100%", font: "16px/20px monospace" });
    box.append(element);
    const binding = bindTextarea(doc, element, { presence, undo });
    return {
      content: () => element.value,
      expected: (doc) => doc.toString().replaceAll("\r", "\u200b"),
      editAtRandom(random) {
        const { position, deleted, inserted } = randomSplice(random, element.value);
        if (random.fraction() < 0.3) {
          // As a script does that knows nothing of the binding, but for telling of it.
          element.setRangeText(inserted, position, position + deleted, random.pick(["preserve", "end"]));
          element.dispatchEvent(new InputEvent("input", { bubbles: true }));
        } else if (deleted > 0 || inserted !== "") {
          // As a keyboard does it: with beforeinput and input events of the browser's own.
          element.focus();
          element.setSelectionRange(position, position + deleted);
          // eslint-disable-next-line @typescript-eslint/no-deprecated -- the one way for a script to type
          document.execCommand(inserted === "" ? "delete" : "insertText", false, inserted);
        }
      },
      select(anchor, head) {
        element.focus();
        element.setSelectionRange(Math.min(anchor, head), Math.max(anchor, head), head < anchor ? "backward" : "forward");
      },
      selection() {
        const { selectionStart, selectionEnd, selectionDirection } = element;
        return selectionDirection === "backward"
          ? { anchor: selectionEnd, head: selectionStart }
          : { anchor: selectionStart, head: selectionEnd };
      },
      pointAt: (position) => pointAt(element, position),
      destroy() {
        binding.destroy();
      },
    };
  },
};

/** A textarea tells no places; text that is laid out as in it does. */
function pointAt(element: HTMLTextAreaElement, position: number): { x: number; y: number } | undefined {
  const twin = document.createElement("div");
  const box = element.getBoundingClientRect();
  Object.assign(twin.style, {
    ...{ position: "fixed", left: `${String(box.left)}px`, top: `${String(box.top - element.scrollTop)}px`, visibility: "hidden" },
    ...{ width: `${String(element.clientWidth)}px`, boxSizing: "border-box", padding: "2px", border: "1px solid" },
    ...{ font: "16px/20px monospace", whiteSpace: "pre-wrap", overflowWrap: "break-word" },
  });
  twin.textContent = `${element.value} `;
  document.body.append(twin);
  const range = document.createRange();
  range.setStart(twin.firstChild ?? twin, position);
  range.setEnd(twin.firstChild ?? twin, position + 1);
  const { left, top, height } = range.getBoundingClientRect();
  twin.remove();
  const y = top + height / 2;
  return y > box.top && y < box.bottom ? { x: left + 2, y } : undefined;
}
