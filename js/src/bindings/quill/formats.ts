/** What one editor can show of a document. */
import { eachMark, type Marks } from "../../json.js";

export interface Formats {
  /** It shows every name and every embed. */
  readonly knowsAll: boolean;
  knows(name: string): boolean;
  /** Whether an embed may have it: an image knows its width, though no format is called so. */
  suitsEmbed(name: string): boolean;
  knowsEmbed(kind: string, value: unknown): boolean;
  /** Whether it formats lines. */
  isBlock(name: string): boolean;
  /** Whether it says what a line is (a heading, an entry of a list), of which a line shows one at most. */
  isKind(name: string): boolean;
}

/** Deltas without an editor: everything counts as it is. */
export const ALL_FORMATS: Formats = {
  knowsAll: true,
  knows: () => true,
  suitsEmbed: () => true,
  knowsEmbed: () => true,
  isBlock: () => false,
  isKind: () => false,
};

/** Of several kinds that people gave one line at once, everybody shows the same: the first of these, then by name. */
const KINDS = ["code-block", "table", "list", "blockquote", "header"];

/** What of an element's marks the editor shows. */
export function shownMarks(marks: Marks, content: "text" | "newline" | "embed", formats: Formats): Marks {
  if (formats.knowsAll) {
    return marks;
  }
  if (content === "embed") {
    return Object.fromEntries(eachMark(marks).filter(([name]) => formats.suitsEmbed(name)));
  }
  const shown = eachMark(marks).filter(
    ([name]) => formats.knows(name) && formats.isBlock(name) === (content === "newline"),
  );
  const [kind] = shown
    .map(([name]) => name)
    .filter((name) => content === "newline" && formats.isKind(name))
    .sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
  return Object.fromEntries(shown.filter(([name]) => kind === undefined || name === kind || !formats.isKind(name)));
}

function rank(kind: string): number {
  const at = KINDS.indexOf(kind);
  return at < 0 ? KINDS.length : at;
}
