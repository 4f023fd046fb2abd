/** A list that follows another one by its change events alone. */
import type { ListEdit } from "crdt-js";

export function applyListEdits(values: unknown[], edits: readonly ListEdit[]): unknown[] {
  const list = [...values];
  for (const edit of edits) {
    if (edit.type === "insert") {
      list.splice(edit.index, 0, edit.value);
    } else if (edit.type === "delete") {
      list.splice(edit.index, edit.length);
    } else {
      list[edit.index] = edit.value;
    }
  }
  return list;
}
