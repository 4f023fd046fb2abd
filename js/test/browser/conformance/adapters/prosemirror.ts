import { baseKeymap } from "prosemirror-commands";
import { keymap } from "prosemirror-keymap";
import { liftListItem, sinkListItem, splitListItem } from "prosemirror-schema-list";
import { EditorState, TextSelection } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import "prosemirror-view/style/prosemirror.css";
import { collaboration } from "crdt-js/prosemirror";
import { Flat } from "../../../../src/bindings/prosemirror/flat.js";
import { Builder, linesOf } from "../../../../src/bindings/prosemirror/lines.js";
import { lastLine } from "../../../../src/bindings/last-line.js";
import { randomTransaction, rebased } from "../../../prosemirror_edits.js";
import { BASIC } from "../../../prosemirror_schemas.js";
import type { Adapter } from "../adapter.js";

export const adapter: Adapter = {
  open(doc, box, presence, undo) {
    const item = BASIC.nodes["list_item"];
    const view = new EditorView(box, {
      state: EditorState.create({
        schema: BASIC,
        plugins: [
          collaboration(doc, {
            presence,
            undo,
            refused() {
              // Quotes with headings in them: both sides stay as they were, which is compared.
            },
          }),
          ...(item ? [keymap({ Enter: splitListItem(item), Tab: sinkListItem(item), "Shift-Tab": liftListItem(item) })] : []),
          keymap(baseKeymap),
        ],
      }),
    });
    view.dom.style.minHeight = "100%";
    box.style.overflow = "auto";
    const builder = new Builder(BASIC);
    const flat = new Flat(builder);
    const place = (position: number): number => flat.place(view.state.doc, position);
    return {
      content: () => view.state.doc.toJSON() as unknown,
      expected(doc) {
        const runs = [...doc.runs(), { text: "\n", marks: lastLine(doc) }];
        return BASIC.topNodeType.create(null, builder.nodes(linesOf(runs))).toJSON() as unknown;
      },
      editAtRandom(random) {
        const transaction = randomTransaction(random, view.state);
        if (transaction) {
          view.dispatch(rebased(view.state, transaction));
        }
      },
      select(anchor, head) {
        view.focus();
        const { tr } = view.state;
        view.dispatch(tr.setSelection(TextSelection.between(tr.doc.resolve(place(anchor)), tr.doc.resolve(place(head)))));
      },
      selection() {
        const { doc, selection } = view.state;
        const at = (place: number): number => Math.min(flat.position(doc, place), flat.size(doc) - 1);
        return { anchor: at(selection.anchor), head: at(selection.head) };
      },
      pointAt(position) {
        const { top, bottom } = box.getBoundingClientRect();
        const bounds = view.coordsAtPos(place(position), 1);
        return bounds.top >= top && bounds.bottom <= bottom
          ? { x: bounds.left + 2, y: (bounds.top + bounds.bottom) / 2 }
          : undefined;
      },
      destroy() {
        view.destroy();
      },
    };
  },
};
