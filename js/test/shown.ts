/** What a document shows, by its change events alone: text with marks, one UTF-16 code unit a cell, and registers. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type { Json, Marks, TextEdit, TextRun } from "crdt-js";

interface Cell {
  readonly content: string | { readonly embed: Json };
  readonly marks: Marks;
}

export class Shown {
  readonly #cells: Cell[] = [];
  readonly registers = new Map<string, Json>();

  /** Each edit must fit; what comes from others must change something, what is said here may be so already. */
  replay(edits: readonly TextEdit[], local: boolean): void {
    for (const edit of edits) {
      switch (edit.type) {
        case "insert":
          assert.notEqual(edit.text, "");
          this.#insert(edit.position, edit.text.split(""), edit.marks);
          break;
        case "embed":
          this.#insert(edit.position, [{ embed: edit.value }], edit.marks);
          break;
        case "delete":
          this.#range(edit.position, edit.length);
          this.#cells.splice(edit.position, edit.length);
          break;
        case "mark":
          for (const [index, { content, marks }] of this.#range(edit.position, edit.length).entries()) {
            assert.ok(local || !isDeepStrictEqual(marks[edit.name] ?? null, edit.value), `${edit.name} changes nothing`);
            this.#cells[edit.position + index] = { content, marks: withMark(marks, edit.name, edit.value) };
          }
          break;
        case "register":
          assert.ok(local || !isDeepStrictEqual(this.registers.get(edit.name) ?? null, edit.value), edit.name);
          if (edit.value === null) {
            this.registers.delete(edit.name);
          } else {
            this.registers.set(edit.name, edit.value);
          }
          break;
      }
    }
  }

  toString(): string {
    return this.#cells.map(({ content }) => (typeof content === "string" ? content : "\ufffc")).join("");
  }

  /** Runs as long as they can be, an embed a run of its own. */
  runs(start = 0, end = this.#cells.length): TextRun[] {
    const runs: { content: string | { readonly embed: Json }; readonly marks: Marks }[] = [];
    for (const { content, marks } of this.#cells.slice(start, end)) {
      const last = runs.at(-1);
      if (typeof content === "string" && typeof last?.content === "string" && isDeepStrictEqual(last.marks, marks)) {
        last.content += content;
      } else {
        runs.push({ content, marks });
      }
    }
    return runs.map(({ content, marks }): TextRun => {
      const marked = Object.keys(marks).length > 0 ? { marks } : {};
      return typeof content === "string" ? { text: content, ...marked } : { ...content, ...marked };
    });
  }

  #insert(position: number, contents: readonly Cell["content"][], marks: Marks = {}): void {
    assert.ok(position >= 0 && position <= this.#cells.length, "an insertion lies outside");
    this.#cells.splice(position, 0, ...contents.map((content) => ({ content, marks })));
  }

  #range(position: number, length: number): Cell[] {
    assert.ok(position >= 0 && length > 0 && position + length <= this.#cells.length, "a range lies outside");
    return this.#cells.slice(position, position + length);
  }
}

function withMark(marks: Marks, name: string, value: Json): Marks {
  const others = Object.entries(marks).filter(([other]) => other !== name);
  return Object.fromEntries(value === null ? others : [...others, [name, value]]);
}
