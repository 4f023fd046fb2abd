import { drawCaret, drawStretch } from "../drawing.js";
import { others, type Person } from "../person.js";
import type { BoundDoc, BoundPresence } from "../port.js";

/** Of a selection over more lines only these are drawn. */
const MAX_LINES = 300;

/** What decides where a textarea's characters stand. */
const LAYOUT = [
  ...["font-family", "font-size", "font-style", "font-weight", "font-stretch", "font-variant", "font-feature-settings"],
  ...["letter-spacing", "word-spacing", "line-height", "text-align", "text-indent", "text-transform", "tab-size"],
  ...["direction", "white-space", "overflow-wrap", "word-break", "line-break", "hyphens"],
  ...["padding-top", "padding-right", "padding-bottom", "padding-left"],
];

/**
 * The others' carets and selections, drawn over a textarea.
 *
 * No textarea says where its characters are: a twin with the same text and style, which nobody sees, does.
 */
export class TextareaCursors {
  readonly #doc: BoundDoc;
  readonly #element: HTMLTextAreaElement;
  readonly #presence: BoundPresence;
  readonly #layer: HTMLElement;
  readonly #twin: HTMLElement;
  readonly #text: Text;
  readonly #ends: (() => void)[] = [];
  #frame: number | undefined;

  constructor(doc: BoundDoc, element: HTMLTextAreaElement, presence: BoundPresence) {
    this.#doc = doc;
    this.#element = element;
    this.#presence = presence;
    const document = element.ownerDocument;
    this.#layer = document.createElement("div");
    this.#layer.className = "crdt-cursors";
    this.#layer.ariaHidden = "true";
    Object.assign(this.#layer.style, { position: "absolute", overflow: "hidden", pointerEvents: "none" });
    this.#twin = document.createElement("div");
    Object.assign(this.#twin.style, { position: "absolute", visibility: "hidden", boxSizing: "border-box" });
    this.#text = document.createTextNode("");
    this.#twin.append(this.#text);

    const draw = (): void => {
      this.draw();
    };
    element.addEventListener("scroll", draw, { passive: true });
    const resized = new ResizeObserver(draw);
    resized.observe(element);
    this.#ends.push(
      presence.on("change", draw),
      () => {
        element.removeEventListener("scroll", draw);
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
    const people = [...others(this.#doc, this.#presence, this.#element.value.length)];
    if (people.length === 0) {
      this.#layer.remove();
      return;
    }
    this.#place();
    const document = this.#element.ownerDocument;
    const origin = this.#layer.getBoundingClientRect();
    const within = ({ left, top, width, height }: DOMRect) => ({ left: left - origin.left, top: top - origin.top, width, height });
    const drawn = people.flatMap((person) => [
      ...this.#stretches(person).map((rectangle) => drawStretch(document, person, within(rectangle))),
      drawCaret(document, person, within(this.#characterAt(person.selection.head))),
    ]);
    this.#layer.replaceChildren(this.#twin, ...drawn);
  }

  /** Puts the layer over the textarea, and the twin's text where the textarea's is. */
  #place(): void {
    const { clientLeft, clientTop, clientWidth, clientHeight, scrollLeft, scrollTop } = this.#element;
    if (!this.#layer.isConnected) {
      this.#layer.append(this.#twin);
      this.#element.after(this.#layer);
    }
    const style = getComputedStyle(this.#element);
    for (const property of LAYOUT) {
      this.#twin.style.setProperty(property, style.getPropertyValue(property));
    }
    Object.assign(this.#twin.style, { left: pixels(-scrollLeft), top: pixels(-scrollTop), width: pixels(clientWidth) });
    // Something must stand where the text ends, for a caret to stand in front of it.
    const shown = `${this.#element.value}\u200b`;
    if (this.#text.data !== shown) {
      this.#text.data = shown;
    }
    Object.assign(this.#layer.style, { left: "0", top: "0", width: pixels(clientWidth), height: pixels(clientHeight) });
    const [there, here] = [this.#element.getBoundingClientRect(), this.#layer.getBoundingClientRect()];
    this.#layer.style.left = pixels(there.left + clientLeft - here.left);
    this.#layer.style.top = pixels(there.top + clientTop - here.top);
  }

  #characterAt(position: number): DOMRect {
    const range = this.#range(position, position + 1);
    // At a place where a line was broken there are two; the caret stands on the new line.
    return Array.from(range.getClientRects()).at(-1) ?? range.getBoundingClientRect();
  }

  #stretches({ selection: { anchor, head } }: Person): DOMRect[] {
    const rectangles = this.#range(Math.min(anchor, head), Math.max(anchor, head)).getClientRects();
    return Array.from(rectangles).filter(({ width }) => width > 0).slice(0, MAX_LINES);
  }

  #range(start: number, end: number): Range {
    const range = this.#element.ownerDocument.createRange();
    range.setStart(this.#text, start);
    range.setEnd(this.#text, end);
    return range;
  }
}

function pixels(length: number): string {
  return `${String(length)}px`;
}
