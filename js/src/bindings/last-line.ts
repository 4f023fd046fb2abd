/**
 * The formats of the last line.
 *
 * Rich-text editors end with a "\n" that no document holds: two people's would double. A line's formats
 * belong to its "\n", so those of the last line have nothing to stand on; they are kept beside the text, one
 * last-writer-wins cell per name, as if that "\n" were a character that nobody can delete.
 */
import type { TextEdit } from "../edit.js";
import type { Json, Marks } from "../json.js";
import type { RichDoc } from "./port.js";

const PREFIX = "last-line:";

/** The marks of the "\n" behind the document's end. */
export function lastLine(doc: RichDoc): Marks {
  return Object.fromEntries(
    [...doc.registers()]
      .filter(([name]) => name.startsWith(PREFIX))
      .map(([name, value]) => [name.slice(PREFIX.length), value]),
  );
}

/** Whether an edit changes them. */
export function isOfLastLine(edit: TextEdit): boolean {
  return edit.type === "register" && edit.name.startsWith(PREFIX);
}

/** Sets a mark of the "\n" behind the document's end; `null` removes it. */
export function markLastLine(doc: RichDoc, name: string, value: Json): void {
  doc.set(PREFIX + name, value);
}
