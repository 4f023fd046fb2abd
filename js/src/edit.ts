/**
 * One change of the visible text. Edits come in sequence: each counts in the text that the ones
 * before it left. Positions and lengths are UTF-16 code units, as in JavaScript strings.
 */
export type TextEdit =
  | { readonly type: "insert"; readonly position: number; readonly text: string }
  | { readonly type: "delete"; readonly position: number; readonly length: number };

/** Applies edits to a string. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  for (const edit of edits) {
    const [inserted, deleted] = edit.type === "insert" ? [edit.text, 0] : ["", edit.length];
    text = text.slice(0, edit.position) + inserted + text.slice(edit.position + deleted);
  }
  return text;
}
