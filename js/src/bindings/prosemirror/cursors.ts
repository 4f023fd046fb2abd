/** The others' carets and selections, as decorations: nothing of them is in the content. */
import type { Node } from "prosemirror-model";
import { Decoration, DecorationSet } from "prosemirror-view";
import { others, type Person, readableOn } from "../person.js";
import type { BoundPresence, RichDoc } from "../port.js";
import type { Flat } from "./flat.js";

/** Where the others are in `content`, which shows the whole of `doc`. */
export function cursorsIn(content: Node, flat: Flat, doc: RichDoc, presence: BoundPresence): DecorationSet {
  const drawn = [...others(doc, presence, flat.size(content) - 1)].flatMap((person) => {
    const { name, color, selection } = person;
    const [anchor, head] = [flat.place(content, selection.anchor), flat.place(content, selection.head)];
    const stretch = Decoration.inline(Math.min(anchor, head), Math.max(anchor, head), {
      class: "crdt-selection",
      style: `background-color: ${color}40`,
    });
    const widget = Decoration.widget(head, () => caret(person), {
      // Behind what is typed here, as its owner's own caret; and behind ours.
      side: 10,
      ignoreSelection: true,
      key: [name, color].join("\n"),
    });
    return anchor === head ? [widget] : [stretch, widget];
  });
  return DecorationSet.create(content, drawn);
}

function caret({ name, color }: Person): HTMLElement {
  const element = document.createElement("span");
  element.className = "crdt-caret";
  element.ariaHidden = "true";
  Object.assign(element.style, {
    ...{ position: "relative", pointerEvents: "none", userSelect: "none" },
    ...{ borderLeft: `2px solid ${color}`, margin: "0 -1px" },
  } satisfies Partial<CSSStyleDeclaration>);
  if (name !== "") {
    const label = document.createElement("span");
    label.setAttribute("part", "name");
    label.textContent = name;
    Object.assign(label.style, {
      ...{ position: "absolute", bottom: "100%", left: "-2px", padding: "0 4px", whiteSpace: "nowrap" },
      ...{ font: "11px/16px system-ui, sans-serif", background: color, color: readableOn(color) },
      ...{ borderRadius: "3px 3px 3px 0" },
    } satisfies Partial<CSSStyleDeclaration>);
    // In a tree of its own: where a browser joins lines itself, it would make text of the name.
    element.attachShadow({ mode: "open" }).append(label);
  }
  return element;
}
