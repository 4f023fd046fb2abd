import { EditorSelection, type Extension, StateEffect } from "@codemirror/state";
import { type EditorView, layer, type LayerMarker, RectangleMarker, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { type Box, drawCaret, drawStretch } from "../drawing.js";
import { others, type Person } from "../person.js";
import type { BoundDoc, BoundPresence } from "../port.js";

/** Others moved: they are drawn anew. */
const moved = StateEffect.define();

/** Others' carets and selections, drawn over and under the text, outside the editor's content. */
export function cursors(doc: BoundDoc, presence: BoundPresence): Extension {
  const update = (update: ViewUpdate): boolean =>
    update.docChanged || update.transactions.some(({ effects }) => effects.some((effect) => effect.is(moved)));
  const marks = (draw: (view: EditorView, person: Person) => Mark[]) => (view: EditorView) =>
    [...others(doc, presence, view.state.doc.length)].flatMap((person) => draw(view, person));
  return [
    ViewPlugin.define((view) => new Watch(view, presence)),
    layer({ above: false, class: "crdt-selections", update, markers: marks(stretches) }),
    layer({ above: true, class: "crdt-cursors", update, markers: marks(carets) }),
  ];
}

/** Has the editor draw others when they move, once however many move at a time. */
class Watch {
  readonly #end: () => void;
  #asked = false;
  #ended = false;

  constructor(view: EditorView, presence: BoundPresence) {
    this.#end = presence.on("change", () => {
      if (!this.#asked) {
        this.#asked = true;
        // Not at once: CodeMirror may be at work.
        queueMicrotask(() => {
          this.#asked = false;
          if (!this.#ended) {
            view.dispatch({ effects: moved.of(null) });
          }
        });
      }
    });
  }

  destroy(): void {
    this.#ended = true;
    this.#end();
  }
}

function stretches(view: EditorView, person: Person): Mark[] {
  const { anchor, head } = person.selection;
  return RectangleMarker.forRange(view, "", EditorSelection.range(anchor, head))
    .filter(() => anchor !== head)
    .map(({ left, top, width, height }) => new Mark(drawStretch, person, { left, top, width: width ?? 0, height }));
}

function carets(view: EditorView, person: Person): Mark[] {
  return RectangleMarker.forRange(view, "", EditorSelection.cursor(person.selection.head)).map(
    ({ left, top, height }) => new Mark(drawCaret, person, { left, top, width: 0, height }),
  );
}

type Draw = (document: Document, person: Person, box: Box) => HTMLElement;

class Mark implements LayerMarker {
  readonly #draw: Draw;
  readonly #person: Person;
  readonly #box: Box;

  constructor(draw: Draw, person: Person, box: Box) {
    this.#draw = draw;
    this.#person = person;
    this.#box = box;
  }

  draw(): HTMLElement {
    return this.#draw(document, this.#person, this.#box);
  }

  eq(other: Mark): boolean {
    const [one, two] = [this.#box, other.#box];
    return (
      this.#draw === other.#draw &&
      this.#person.name === other.#person.name &&
      this.#person.color === other.#person.color &&
      one.left === two.left &&
      one.top === two.top &&
      one.width === two.width &&
      one.height === two.height
    );
  }
}
