import type Quill from "quill";
import type { BoundDoc, BoundPresence } from "../port.js";
import { drawCaret, drawStretch } from "../drawing.js";
import { others, type Person } from "../person.js";

/** Of a selection over more lines only these are drawn. */
const MAX_LINES = 300;

/**
 * The others' carets and selections, drawn over the editor. Nothing of it is in the editor's content.
 *
 * To style: `crdt-selection`, `crdt-caret` and, within that, `crdt-name`.
 */
export class Cursors {
  readonly #doc: BoundDoc;
  readonly #quill: Quill;
  readonly #presence: BoundPresence;
  /** Where on the screen a place in the document is. */
  readonly #onScreen: (position: number) => number;
  readonly #layer: HTMLElement;
  readonly #ends: (() => void)[] = [];
  #frame: number | undefined;

  constructor(doc: BoundDoc, quill: Quill, presence: BoundPresence, onScreen: (position: number) => number) {
    this.#doc = doc;
    this.#quill = quill;
    this.#presence = presence;
    this.#onScreen = onScreen;
    this.#layer = quill.container.ownerDocument.createElement("div");
    this.#layer.className = "crdt-cursors";
    this.#layer.ariaHidden = "true";
    Object.assign(this.#layer.style, { position: "absolute", inset: "0", overflow: "hidden", pointerEvents: "none" });
    quill.container.append(this.#layer);

    const draw = (): void => {
      this.draw();
    };
    quill.root.addEventListener("scroll", draw, { passive: true });
    const resized = new ResizeObserver(draw);
    resized.observe(quill.root);
    this.#ends.push(
      presence.on("change", draw),
      () => {
        quill.root.removeEventListener("scroll", draw);
      },
      () => {
        resized.disconnect();
      },
    );
    this.draw();
  }

  /** Draws before the next frame. */
  draw(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#drawNow();
    });
  }

  destroy(): void {
    for (const end of this.#ends.splice(0)) {
      end();
    }
    if (this.#frame !== undefined) {
      cancelAnimationFrame(this.#frame);
    }
    this.#layer.remove();
  }

  #drawNow(): void {
    const drawn: HTMLElement[] = [];
    for (const person of others(this.#doc, this.#presence, this.#quill.getLength() - 1, this.#onScreen)) {
      drawn.push(...this.#stretches(person), ...this.#caret(person));
    }
    this.#layer.replaceChildren(...drawn);
  }

  #caret(person: Person): HTMLElement[] {
    const bounds = this.#quill.getBounds(person.selection.head);
    return bounds ? [drawCaret(this.#layer.ownerDocument, person, bounds)] : [];
  }

  /** The selected text, line by line: a range over whole paragraphs would give their boxes too. */
  #stretches(person: Person): HTMLElement[] {
    const { anchor, head } = person.selection;
    const [start, end] = anchor < head ? [anchor, head] : [head, anchor];
    if (start === end) {
      return [];
    }
    const origin = this.#quill.container.getBoundingClientRect();
    return this.#quill
      .getLines(start, end - start)
      .slice(0, MAX_LINES)
      .flatMap((line) => {
        const first = this.#quill.getIndex(line);
        const last = first + line.length() - 1;
        return this.#rectangles(Math.max(start, first), Math.min(end, last));
      })
      .map(({ left, top, width, height }) =>
        drawStretch(this.#layer.ownerDocument, person, { left: left - origin.left, top: top - origin.top, width, height }),
      );
  }

  #rectangles(start: number, end: number): DOMRect[] {
    const [from, fromOffset] = this.#quill.getLeaf(start);
    const [to, toOffset] = this.#quill.getLeaf(end);
    if (start >= end || !from || !to) {
      return [];
    }
    const range = this.#layer.ownerDocument.createRange();
    // An embed is stood beside, not in.
    if (from.domNode.nodeType === Node.TEXT_NODE) {
      range.setStart(from.domNode, fromOffset);
    } else {
      range[fromOffset === 0 ? "setStartBefore" : "setStartAfter"](from.domNode);
    }
    if (to.domNode.nodeType === Node.TEXT_NODE) {
      range.setEnd(to.domNode, toOffset);
    } else {
      range[toOffset === 0 ? "setEndBefore" : "setEndAfter"](to.domNode);
    }
    return [...range.getClientRects()];
  }
}
