import type Quill from "quill";
import type { BoundDoc, BoundPresence } from "../port.js";
import { resolveSelection, type Selection } from "../selection.js";
import { colorOf, nameOf, readableOn } from "../person.js";

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
  readonly #layer: HTMLElement;
  readonly #ends: (() => void)[] = [];
  #frame: number | undefined;

  constructor(doc: BoundDoc, quill: Quill, presence: BoundPresence) {
    this.#doc = doc;
    this.#quill = quill;
    this.#presence = presence;
    this.#layer = quill.container.ownerDocument.createElement("div");
    this.#layer.className = "crdt-cursors";
    this.#layer.ariaHidden = "true";
    place(this.#layer, { inset: "0", overflow: "hidden", pointerEvents: "none" });
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
    const longest = this.#quill.getLength() - 1;
    for (const [session, state] of this.#presence.states) {
      const person = state as { readonly selection?: unknown; readonly name?: unknown; readonly color?: unknown };
      const selection = resolveSelection(this.#doc, person.selection);
      // While remote edits wait, the screen may be shorter than the document.
      if (selection && Math.max(selection.anchor, selection.head) <= longest) {
        const color = colorOf(session, person.color);
        drawn.push(...this.#stretch(selection, color), ...this.#caret(selection.head, nameOf(person.name), color));
      }
    }
    this.#layer.replaceChildren(...drawn);
  }

  #caret(position: number, name: string, color: string): HTMLElement[] {
    const bounds = this.#quill.getBounds(position);
    if (!bounds) {
      return [];
    }
    const caret = this.#element("crdt-caret", {
      left: `${String(bounds.left - 1)}px`,
      top: `${String(bounds.top)}px`,
      width: "2px",
      height: `${String(bounds.height)}px`,
      background: color,
    });
    if (name !== "") {
      const above = bounds.top >= 16;
      const label = this.#element("crdt-name", {
        [above ? "bottom" : "top"]: "100%",
        left: "0",
        padding: "0 4px",
        font: "11px/16px system-ui, sans-serif",
        whiteSpace: "nowrap",
        background: color,
        color: readableOn(color),
        borderRadius: above ? "3px 3px 3px 0" : "0 3px 3px 3px",
      });
      label.textContent = name;
      caret.append(label);
    }
    return [caret];
  }

  /** The selected text, line by line: a range over whole paragraphs would give their boxes too. */
  #stretch({ anchor, head }: Selection, color: string): HTMLElement[] {
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
      .map((rectangle) =>
        this.#element("crdt-selection", {
          left: `${String(rectangle.left - origin.left)}px`,
          top: `${String(rectangle.top - origin.top)}px`,
          width: `${String(rectangle.width)}px`,
          height: `${String(rectangle.height)}px`,
          background: color,
          opacity: "0.25",
        }),
      );
  }

  #rectangles(start: number, end: number): DOMRect[] {
    const [from, fromOffset] = this.#quill.getLeaf(start);
    const [to, toOffset] = this.#quill.getLeaf(end);
    if (start >= end || !from || !to) {
      return [];
    }
    const range = this.#layer.ownerDocument.createRange();
    range.setStart(from.domNode, fromOffset);
    range.setEnd(to.domNode, toOffset);
    return [...range.getClientRects()];
  }

  #element(className: string, style: Partial<CSSStyleDeclaration>): HTMLElement {
    const element = this.#layer.ownerDocument.createElement("div");
    element.className = className;
    place(element, style);
    return element;
  }
}

function place(element: HTMLElement, style: Partial<CSSStyleDeclaration>): void {
  Object.assign(element.style, { position: "absolute" }, style);
}
