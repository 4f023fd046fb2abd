/** Runs in the page: people with ProseMirror, and with Quill, on one document. */
import { type CrdtError, Doc, UndoManager } from "crdt-js";
import { collaboration } from "crdt-js/prosemirror";
import { bindQuill } from "crdt-js/quill";
import { baseKeymap } from "prosemirror-commands";
import { keymap } from "prosemirror-keymap";
import { Fragment, type Node } from "prosemirror-model";
import { splitListItem } from "prosemirror-schema-list";
import { EditorState, TextSelection } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import "prosemirror-view/style/prosemirror.css";
import Quill from "quill";
import "quill/dist/quill.snow.css";
import { lastLine } from "../../src/bindings/last-line.js";
import { Builder, linesOf } from "../../src/bindings/prosemirror/lines.js";
import { randomTransaction, rebased } from "../prosemirror_edits.js";
import { BASIC } from "../prosemirror_schemas.js";
import { Random } from "../random.js";
import { wholeAt } from "./conformance/splice.js";
import { FakePresence } from "./presence.js";

/** Somebody with a document and an editor. */
class Desk {
  readonly inbox: Uint8Array[] = [];
  readonly presence = new FakePresence();
  readonly undo: UndoManager;
  readonly refused: string[] = [];
  readonly view: EditorView | undefined;
  readonly quill: Quill | undefined;

  constructor(
    readonly doc: Doc,
    kind: "prosemirror" | "quill",
  ) {
    this.undo = new UndoManager(doc, { interval: 0 });
    const box = document.createElement("div");
    box.className = "box";
    document.body.append(box);
    if (kind === "quill") {
      this.quill = new Quill(box, { theme: "snow", modules: { toolbar: false } });
      bindQuill(doc, this.quill, { presence: this.presence });
      return;
    }
    const item = BASIC.nodes["list_item"];
    const refused = (error: CrdtError): void => {
      this.refused.push(error.code);
    };
    this.view = new EditorView(box, {
      state: EditorState.create({
        schema: BASIC,
        plugins: [
          collaboration(doc, { presence: this.presence, undo: this.undo, refused }),
          ...(item ? [keymap({ Enter: splitListItem(item) })] : []),
          keymap(baseKeymap),
        ],
      }),
    });
  }

  /** Of ProseMirror. */
  get editor(): EditorView {
    if (!this.view) {
      throw new TypeError("this is another editor");
    }
    return this.view;
  }
}

export class Office {
  readonly desks: Desk[] = [];

  open(kinds: readonly ("prosemirror" | "quill")[], text = ""): void {
    document.body.replaceChildren();
    this.desks.length = 0;
    const first = new Doc({ replica: "00000000000000aa" });
    first.insert(0, text);
    const snapshot = first.snapshot();
    kinds.forEach((kind, index) => {
      const desk = new Desk(Doc.fromSnapshot(snapshot, { replica: `000000000000000${String(index + 1)}` }), kind);
      this.desks.push(desk);
      desk.doc.on("delta", (delta) => {
        this.desks.filter((other) => other !== desk).forEach(({ inbox }) => inbox.push(delta));
      });
    });
  }

  desk(index: number): Desk {
    const desk = this.desks[index];
    if (!desk) {
      throw new RangeError(`nobody sits at ${String(index)}`);
    }
    return desk;
  }

  deliver(): void {
    while (this.desks.some(({ inbox }) => inbox.length > 0)) {
      for (const { doc, inbox } of this.desks) {
        inbox.splice(0).forEach((delta) => doc.applyDelta(delta));
      }
    }
  }

  /** A state that has nothing to do with the one that the editor has. */
  stateWith(editor: EditorView, doc: Node): EditorState {
    return EditorState.create({ doc, plugins: editor.state.plugins });
  }

  select(index: number, anchor: number, head = anchor): void {
    const { editor } = this.desk(index);
    editor.focus();
    editor.dispatch(editor.state.tr.setSelection(TextSelection.create(editor.state.doc, anchor, head)));
  }

  /** Everybody edits, with formats, lists and images; then all is delivered. What does not hold. */
  mix(seed: number, steps: number): string[] {
    const random = new Random(seed);
    for (let step = 0; step < steps; step++) {
      const { doc, view, quill } = random.pick(this.desks);
      if (view) {
        const transaction = randomTransaction(random, view.state);
        if (transaction) {
          view.dispatch(rebased(view.state, transaction));
        }
      } else if (quill) {
        const text = String(doc);
        const start = wholeAt(text, random.below(text.length + 1));
        const length = wholeAt(text, Math.min(text.length, start + random.below(5))) - start;
        const changes: (() => unknown)[] = [
          () => quill.insertText(start, random.pick(["a", "b\n", "word"]), "user"),
          () => quill.deleteText(start, length, "user"),
          () => quill.formatText(start, length, random.pick(["bold", "italic"]), random.fraction() < 0.7, "user"),
          () => quill.formatLine(start, length, random.pick(["header", "list", "blockquote"]), random.pick([1, "bullet", true, false]), "user"),
          () => quill.insertEmbed(start, "image", "data:,", "user"),
        ];
        random.pick(changes)();
      }
      if (random.fraction() < 0.3) {
        this.deliver();
      }
    }
    this.deliver();
    const contents = this.desks.map(({ doc }) => JSON.stringify([doc.runs(), [...doc.registers()].sort()]));
    const builder = new Builder(BASIC);
    const wrong = this.desks.filter(({ doc, view }) => {
      const runs = [...doc.runs(), { text: "\n", marks: lastLine(doc) }];
      return view && !view.state.doc.content.eq(Fragment.from(builder.nodes(linesOf(runs))));
    });
    return [
      ...(contents.every((content) => content === contents[0]) ? [] : contents),
      ...wrong.map(({ doc, view }) => `${String(view?.state.doc)} for ${JSON.stringify(doc.runs())}`),
    ];
  }
}
