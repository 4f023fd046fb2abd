import { defaultKeymap } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { collaboration } from "crdt-js/codemirror";
import type { Adapter } from "../adapter.js";
import { randomSplice } from "../splice.js";

export const adapter: Adapter = {
  open(doc, box, presence, undo) {
    const view = new EditorView({
      parent: box,
      state: EditorState.create({
        doc: doc.toString().replaceAll("\r", "\u200b"),
        extensions: [
          collaboration(doc, { presence, undo }),
          keymap.of(defaultKeymap),
          EditorView.lineWrapping,
          EditorView.exceptionSink.of((error) => {
            reportError(error);
          }),
        ],
      }),
    });
    view.dom.style.height = "100%";
    return {
      content: () => view.state.doc.toString(),
      expected: (doc) => doc.toString().replaceAll("\r", "\u200b"),
      editAtRandom(random) {
        const { position, deleted, inserted } = randomSplice(random, view.state.doc.toString());
        const second = randomSplice(random, view.state.doc.toString());
        const changes = [{ from: position, to: position + deleted, insert: inserted }];
        if (random.fraction() < 0.3 && second.position > position + deleted) {
          changes.push({ from: second.position, to: second.position + second.deleted, insert: second.inserted });
        }
        // A range that is replaced as a whole CodeMirror (6.7.6) maps to one that ends in front of its start.
        const { from, to } = view.state.selection.main;
        view.dispatch({ changes, ...(from < to && from >= position && { selection: { anchor: 0 } }) });
      },
      select(anchor, head) {
        view.focus();
        view.dispatch({ selection: { anchor, head } });
      },
      selection() {
        const { anchor, head } = view.state.selection.main;
        return { anchor, head };
      },
      pointAt(position) {
        const place = view.coordsAtPos(position, 1);
        const { top, bottom } = view.scrollDOM.getBoundingClientRect();
        return place && place.top >= top && place.bottom <= bottom
          ? { x: place.left + 2, y: (place.top + place.bottom) / 2 }
          : undefined;
      },
      destroy() {
        view.destroy();
      },
    };
  },
};
