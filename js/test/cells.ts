/** The naive twin of a document for bindings: a list of characters and embeds with their marks. */
import type { TextEdit, TextRun } from "../src/edit.js";
import { type Json, markOf, type Marks, sameJson } from "../src/json.js";
import type { RichDoc } from "../src/bindings/port.js";

interface Cell {
  readonly content: string | { readonly embed: Json };
  marks: Marks;
}

export class Cells implements RichDoc {
  readonly #cells: Cell[] = [];
  readonly #registers = new Map<string, Json>();
  /** What was asked of it. */
  readonly asked: TextEdit[] = [];

  get length(): number {
    return this.#cells.length;
  }

  get plain(): boolean {
    return this.#cells.every(({ content, marks }) => typeof content === "string" && Object.keys(marks).length === 0);
  }

  toString(): string {
    return this.#cells.map(({ content }) => (typeof content === "string" ? content : "\ufffc")).join("");
  }

  insert(position: number, text: string, marks?: Marks): void {
    this.#inside(position, 0);
    const given = marks ?? this.#cells[position - 1]?.marks ?? {};
    this.asked.push({ type: "insert", position, text, ...(marks && { marks }) });
    this.#cells.splice(position, 0, ...text.split("").map((unit) => ({ content: unit, marks: given })));
  }

  insertEmbed(position: number, value: Json, marks?: Marks): void {
    this.#inside(position, 0);
    this.asked.push({ type: "embed", position, value, ...(marks && { marks }) });
    this.#cells.splice(position, 0, { content: { embed: value }, marks: marks ?? this.#cells[position - 1]?.marks ?? {} });
  }

  delete(position: number, length: number): void {
    this.#inside(position, length);
    this.asked.push({ type: "delete", position, length });
    this.#cells.splice(position, length);
  }

  mark(position: number, length: number, name: string, value: Json): void {
    this.#inside(position, length);
    this.asked.push({ type: "mark", position, length, name, value });
    for (const cell of this.#cells.slice(position, position + length)) {
      const others = Object.entries(cell.marks).filter(([other]) => other !== name);
      cell.marks = Object.fromEntries(value === null ? others : [...others, [name, value]]);
    }
  }

  runs(start = 0, end = this.length): TextRun[] {
    this.#inside(start, end - start);
    const runs: TextRun[] = [];
    for (const { content, marks } of this.#cells.slice(start, end)) {
      const last = runs.at(-1);
      const marked = Object.keys(marks).length > 0 ? { marks } : {};
      if (typeof content !== "string") {
        runs.push({ embed: content.embed, ...marked });
      } else if (last && "text" in last && sameJson(last.marks ?? {}, marks)) {
        runs[runs.length - 1] = { ...last, text: last.text + content };
      } else {
        runs.push({ text: content, ...marked });
      }
    }
    return runs;
  }

  set(name: string, value: Json): void {
    this.asked.push({ type: "register", name, value });
    if (value === null) {
      this.#registers.delete(name);
    } else {
      this.#registers.set(name, value);
    }
  }

  setExpand(): void {
    // What is typed here has no marks but those it is given.
  }

  registers(): Map<string, Json> {
    return this.#registers;
  }

  transact(edit: () => void): void {
    edit();
  }

  anchorAt(): never {
    throw new Error("not here");
  }

  resolveAnchor(): never {
    throw new Error("not here");
  }

  on(): () => void {
    return () => undefined;
  }

  track(): () => void {
    return () => undefined;
  }

  #inside(position: number, length: number): void {
    if (position < 0 || length < 0 || position + length > this.length) {
      throw new RangeError(`${String(position)} + ${String(length)} of ${String(this.length)}`);
    }
  }

  /** The marks of one cell. */
  has(position: number, name: string): Json {
    return markOf(this.#cells[position]?.marks, name);
  }
}
