import { bindMonaco } from "crdt-js/monaco";
import { editor } from "monaco-editor/editor.js";
import "monaco-editor/features/clipboard/register.js";
import "monaco-editor/features/codeEditor/register.js";
import "monaco-editor/features/dnd/register.js";
import "monaco-editor/features/wordOperations/register.js";
import type { Adapter } from "../adapter.js";
import { randomSplice } from "../splice.js";

export const adapter: Adapter = {
  open(doc, box, presence, undo) {
    const monaco = editor.create(box, {
      ...{ value: "", language: "plaintext", wordWrap: "on", minimap: { enabled: false }, lineNumbers: "off", folding: false },
      // They would type along.
      ...{ autoIndent: "none", autoClosingBrackets: "never", autoSurround: "never", quickSuggestions: false },
    });
    const model = monaco.getModel();
    if (!model) {
      throw new Error("an editor with a value has a model");
    }
    const binding = bindMonaco(doc, monaco, { presence, undo });
    return {
      content: () => model.getValue(),
      expected: (doc) => doc.toString().replaceAll("\r", "\u200b"),
      editAtRandom(random) {
        const { position, deleted, inserted } = randomSplice(random, model.getValue());
        const [from, to] = [model.getPositionAt(position), model.getPositionAt(position + deleted)];
        const range = { startLineNumber: from.lineNumber, startColumn: from.column, endLineNumber: to.lineNumber, endColumn: to.column };
        const roll = random.fraction();
        if (roll < 0.5) {
          monaco.executeEdits("test", [{ range, text: inserted }]);
        } else if (roll < 0.9) {
          model.applyEdits([{ range, text: inserted }]);
        } else {
          const value = model.getValue();
          model.setValue((value.slice(0, position) + inserted + value.slice(position + deleted)).replaceAll("\n", random.pick(["\n", "\r\n"])));
        }
      },
      select(anchor, head) {
        monaco.focus();
        const [from, to] = [model.getPositionAt(anchor), model.getPositionAt(head)];
        monaco.setSelection({
          ...{ selectionStartLineNumber: from.lineNumber, selectionStartColumn: from.column },
          ...{ positionLineNumber: to.lineNumber, positionColumn: to.column },
        });
      },
      selection() {
        const selection = monaco.getSelection();
        return (
          selection && {
            anchor: model.getOffsetAt({ lineNumber: selection.selectionStartLineNumber, column: selection.selectionStartColumn }),
            head: model.getOffsetAt({ lineNumber: selection.positionLineNumber, column: selection.positionColumn }),
          }
        ) ?? undefined;
      },
      pointAt(position) {
        const place = monaco.getScrolledVisiblePosition(model.getPositionAt(position));
        const { left, top, height } = box.getBoundingClientRect();
        return place && place.top >= 0 && place.top + place.height <= height
          ? { x: left + place.left + 2, y: top + place.top + place.height / 2 }
          : undefined;
      },
      destroy() {
        binding.destroy();
        monaco.dispose();
        model.dispose();
      },
    };
  },
};
