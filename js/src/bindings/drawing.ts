/** What is drawn for others: `crdt-selection`, `crdt-caret` and, within that, `crdt-name`, for pages to style. */
import { type Person, readableOn } from "./person.js";

/** In pixels, within whatever the drawing is put into. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A label stands above its caret if there is so much room. */
const LABEL_HEIGHT = 16;

/** A caret with its owner's name. The width of `box` does not matter; `room` is what there is above it. */
export function drawCaret(document: Document, { name, color }: Person, box: Box, room = box.top): HTMLElement {
  const caret = drawBox(document, "crdt-caret", { ...box, left: box.left - 1, width: 2 });
  caret.style.background = color;
  if (name !== "") {
    const above = room >= LABEL_HEIGHT;
    const label = document.createElement("div");
    label.className = "crdt-name";
    Object.assign(label.style, {
      position: "absolute",
      [above ? "bottom" : "top"]: "100%",
      left: "0",
      padding: "0 4px",
      font: `11px/${String(LABEL_HEIGHT)}px system-ui, sans-serif`,
      whiteSpace: "nowrap",
      background: color,
      color: readableOn(color),
      borderRadius: above ? "3px 3px 3px 0" : "0 3px 3px 3px",
    });
    label.textContent = name;
    caret.append(label);
  }
  return caret;
}

/** A stretch of selected text, within one line. */
export function drawStretch(document: Document, { color }: Person, box: Box): HTMLElement {
  const stretch = drawBox(document, "crdt-selection", box);
  Object.assign(stretch.style, { background: color, opacity: "0.25" });
  return stretch;
}

function drawBox(document: Document, className: string, { left, top, width, height }: Box): HTMLElement {
  const element = document.createElement("div");
  element.className = className;
  element.ariaHidden = "true";
  Object.assign(element.style, {
    position: "absolute",
    left: `${String(left)}px`,
    top: `${String(top)}px`,
    width: `${String(width)}px`,
    height: `${String(height)}px`,
    pointerEvents: "none",
  });
  return element;
}
