/** How others are shown. What they say of themselves is a stranger's: checked, and only ever text. */
import type { BoundDoc, BoundPresence } from "./port.js";
import { resolveSelection, type Selection } from "./selection.js";

const MAX_NAME = 40;

/** Somebody else who has a selection here. */
export interface Person {
  readonly name: string;
  /** `#rrggbb`. */
  readonly color: string;
  readonly selection: Selection;
}

/** The others whose selections lie within the first `longest` code units, all that is on the screen. */
export function* others(
  doc: BoundDoc,
  presence: BoundPresence,
  longest: number,
  /** Where on the screen a place in the document is. */
  onScreen: (position: number) => number = (position) => position,
): Generator<Person> {
  for (const [session, state] of presence.states) {
    const said = state as { readonly selection?: unknown; readonly name?: unknown; readonly color?: unknown };
    const inDoc = resolveSelection(doc, said.selection);
    const selection = inDoc && { anchor: onScreen(inDoc.anchor), head: onScreen(inDoc.head) };
    // While remote edits wait, the screen may be shorter than the document.
    if (selection && Math.max(selection.anchor, selection.head) <= longest) {
      yield { name: nameOf(said.name), color: colorOf(session, said.color), selection };
    }
  }
}

function nameOf(name: unknown): string {
  return typeof name === "string" ? Array.from(name).slice(0, MAX_NAME).join("") : "";
}

/** The colour that was asked for if it is `#rgb` or `#rrggbb`, else one that the session always gets. */
function colorOf(session: string, color: unknown): string {
  if (typeof color === "string" && /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(color)) {
    return color.length === 7 ? color : `#${Array.from(color.slice(1), (digit) => digit + digit).join("")}`;
  }
  const palette = ["#b3261e", "#1f6feb", "#1a7f37", "#8250df", "#9a6700", "#bf3989", "#0f7b8a", "#57606a"];
  let sum = 0;
  for (const character of session) {
    sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  }
  return palette[sum % palette.length] ?? "#57606a";
}

/** Black or white, whichever is easier to read on a colour `#rrggbb`. */
export function readableOn(color: string): string {
  const channel = (at: number): number => parseInt(color.slice(at, at + 2), 16);
  return channel(1) * 0.299 + channel(3) * 0.587 + channel(5) * 0.114 > 150 ? "#000" : "#fff";
}
