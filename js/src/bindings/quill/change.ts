/** A change in the editor as operations of the document: its own, with exactly its attributes. */
import { EMBED, marksOf, runLength, type TextRun } from "../../edit.js";
import { eachMark, type Json, markOf, type Marks, NO_MARKS, sameJson } from "../../json.js";
import type { Lag } from "../lag.js";
import { lastLine, markLastLine } from "../last-line.js";
import type { RichDoc } from "../port.js";
import { insidePair, wellFormed } from "../text.js";
import { embedFrom, marksBetween, marksFrom, type QuillOp } from "./delta.js";
import type { Formats } from "./formats.js";

/** Where a change was made. */
export interface Editor {
  /** What the screen shows that the document does not hold, and the other way round. */
  readonly lag: Lag;
  readonly formats: Formats;
  /** The length of what the editor showed before the change, without the "\n" that is not the document's. */
  readonly length: number;
  /** Whether the editor's content ends with a "\n" that is not the document's. */
  readonly lastLine: boolean;
  /** The embed that now stands there, for changes inside one. */
  embedAt(position: number): Record<string, unknown>;
}

/** What stands behind the document's end: the last "\n", and whatever a change puts beside it. */
interface Cell {
  /** One code unit, or an embed. */
  readonly content: string | { readonly embed: Json };
  marks: Marks;
}

/** Makes a change of Quill's content in the document, where it marks only what it changes. */
export function writeChange(ops: readonly QuillOp[], doc: RichDoc, editor: Editor): void {
  new ChangeWriter(doc, editor).write(ops);
}

class ChangeWriter {
  readonly #doc: RichDoc;
  readonly #editor: Editor;
  /** On the screen as changed so far. */
  #position = 0;
  /** Where on the screen, as changed so far, the document ends. */
  #end: number;
  /** What stands from there on, once the change has touched it. */
  #tail: Cell[] | undefined;

  constructor(doc: RichDoc, editor: Editor) {
    this.#doc = doc;
    this.#editor = editor;
    this.#end = editor.length;
  }

  write(ops: readonly QuillOp[]): void {
    for (const { insert, delete: deleted, retain, attributes } of ops) {
      if (typeof deleted === "number") {
        this.#delete(deleted);
      } else if (typeof insert === "string") {
        this.#insert(wellFormed(insert), marksFrom(attributes));
      } else if (insert !== undefined) {
        this.#insert({ embed: embedFrom(insert) }, marksFrom(attributes));
      } else if (typeof retain === "number") {
        this.#retain(retain, attributes);
      } else if (retain !== undefined) {
        this.#replaceEmbed();
        this.#retain(1, attributes);
      }
    }
    if (this.#tail) {
      this.#settleTail(this.#tail);
    }
  }

  /** How many of `count` stand in the document from here on; the others are the tail's. */
  #inText(count: number): number {
    return Math.max(0, Math.min(count, this.#end - this.#position));
  }

  #delete(count: number): void {
    const inText = this.#inText(count);
    if (inText > 0) {
      for (const edit of this.#editor.lag.screenChanged({ position: this.#position, deleted: inText, inserted: "" })) {
        if (edit.type === "delete") {
          this.#deleteInText(edit.position, edit.length);
        }
      }
      this.#end -= inText;
    }
    if (count > inText) {
      this.#ensureTail().splice(this.#position - this.#end, count - inText);
    }
  }

  /** Quill deletes half a surrogate pair where its own parts meet; the other half goes, too. */
  #deleteInText(position: number, length: number): void {
    try {
      this.#doc.delete(position, length);
      return;
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== "inside-surrogate-pair") {
        throw error;
      }
    }
    const text = this.#doc.toString();
    const head = insidePair(text, position) ? 1 : 0;
    const tail = insidePair(text, position + length) ? 1 : 0;
    this.#doc.delete(position - head, head + length + tail);
    if (head > 0 && tail > 0) {
      // What is left of two makes one.
      this.#doc.insert(position - 1, text.charAt(position - 1) + text.charAt(position + length));
    } else if (head + tail > 0) {
      this.#editor.lag.documentChanged([{ type: "delete", position: position - head, length: 1 }]);
    }
  }

  #insert(content: string | { readonly embed: Json }, marks: Marks): void {
    const text = typeof content === "string" ? content : EMBED;
    if (!this.#editor.lastLine) {
      this.#position = Math.min(this.#position, this.#end);
    }
    if (this.#position > this.#end) {
      const cells =
        typeof content === "string" ? content.split("").map((unit) => ({ content: unit, marks })) : [{ content, marks }];
      this.#ensureTail().splice(this.#position - this.#end, 0, ...cells);
    } else {
      this.#insertInText(content, text, marks);
      this.#end += text.length;
    }
    this.#position += text.length;
  }

  #insertInText(content: string | { readonly embed: Json }, text: string, marks: Marks): void {
    for (const { position } of this.#editor.lag.screenChanged({ position: this.#position, deleted: 0, inserted: text })) {
      if (this.#editor.formats.knowsAll || this.#doc.plain) {
        insertHere(this.#doc, position, content, marks);
      } else {
        // What this editor does not know grows or ends here as its kind does: only the others are this editor's to set.
        insertHere(this.#doc, position, content);
        this.#set(position, text.length, marks);
      }
    }
  }

  /** Gives a stretch exactly these of the marks that the editor knows. */
  #set(position: number, length: number, marks: Marks): void {
    const { formats } = this.#editor;
    for (const { at, run } of runsFrom(this.#doc, position, length)) {
      const known = Object.fromEntries(eachMark(run.marks).filter(([name]) => formats.knows(name)));
      for (const [name, value] of Object.entries(marksBetween(known, marks))) {
        this.#doc.mark(at, runLength(run), name, value);
      }
    }
  }

  #retain(count: number, attributes: Record<string, unknown> | undefined): void {
    const inText = this.#inText(count);
    const changes = Object.entries(attributes ?? {}).filter(([, value]) => value !== undefined) as [string, Json][];
    if (changes.length > 0) {
      for (const { position, length } of this.#editor.lag.stretches(this.#position, inText)) {
        this.#format(position, length, changes);
      }
      const tail = count > inText && this.#ensureTail();
      if (tail) {
        const from = this.#position + inText - this.#end;
        for (const cell of tail.slice(from, from + count - inText)) {
          cell.marks = changed(cell.marks, [...changes, ...this.#hiddenKinds(cell.marks, changes)]);
        }
      }
    }
    this.#position += count;
  }

  /** Marks where that changes anything. */
  #format(position: number, length: number, changes: readonly (readonly [string, Json])[]): void {
    const runs = [...runsFrom(this.#doc, position, length)];
    for (const [name, value] of changes) {
      let from = 0;
      let to = 0;
      for (const { at, run } of runs) {
        if (sameJson(markOf(run.marks, name), value)) {
          continue;
        }
        if (at !== to) {
          this.#mark(from, to, name, value);
          from = at;
        }
        to = at + runLength(run);
      }
      this.#mark(from, to, name, value);
    }
    for (const { at, run } of runs) {
      for (const [name] of this.#hiddenKinds(marksOf(run), changes)) {
        this.#doc.mark(at, runLength(run), name, null);
      }
    }
  }

  #mark(from: number, to: number, name: string, value: Json): void {
    if (from < to) {
      this.#doc.mark(from, to - from, name, value);
    }
  }

  /** A line shows one kind. Who changes it changes what the line is, so that what was hidden behind it must go. */
  #hiddenKinds(marks: Marks, changes: readonly (readonly [string, Json])[]): [string, null][] {
    const { formats } = this.#editor;
    return changes.some(([name]) => formats.isKind(name))
      ? Object.keys(marks)
          .filter((name) => formats.isKind(name) && !changes.some(([changing]) => changing === name))
          .map((name) => [name, null])
      : [];
  }

  /** An embed changed inside: another one in its place. */
  #replaceEmbed(): void {
    const [stretch] = this.#editor.lag.stretches(this.#position, this.#inText(1));
    const run = stretch && this.#doc.runs(stretch.position, stretch.position + 1)[0];
    if (run) {
      this.#doc.delete(stretch.position, 1);
      this.#doc.insertEmbed(stretch.position, embedFrom(this.#editor.embedAt(this.#position)), marksOf(run));
    }
  }

  #ensureTail(): Cell[] {
    return (this.#tail ??= this.#editor.lastLine ? [{ content: "\n", marks: lastLine(this.#doc) }] : []);
  }

  /**
   * Whatever now is the last "\n" is the one that the document does not hold. A change that removed it, or put
   * something behind it, has made another one that.
   */
  #settleTail(tail: Cell[]): void {
    if (!this.#editor.lastLine) {
      return;
    }
    const before = lastLine(this.#doc);
    let marks = tail.at(-1)?.marks ?? NO_MARKS;
    if (tail.length === 0 && this.#end > 0) {
      const [stretch] = this.#editor.lag.stretches(this.#end - 1, 1);
      marks = stretch ? marksOf(this.#doc.runs(stretch.position, stretch.position + 1)[0] ?? {}) : NO_MARKS;
      this.#position = this.#end - 1;
      this.#delete(1);
    }
    this.#position = this.#end;
    for (const cell of joined(tail.slice(0, -1))) {
      this.#insert(cell.content, cell.marks);
    }
    for (const [name, value] of Object.entries(marksBetween(before, marks))) {
      markLastLine(this.#doc, name, value);
    }
  }
}

function insertHere(doc: RichDoc, position: number, content: string | { readonly embed: Json }, marks?: Marks): void {
  if (typeof content === "string") {
    doc.insert(position, content, marks);
  } else {
    doc.insertEmbed(position, content.embed, marks);
  }
}

function* runsFrom(doc: RichDoc, position: number, length: number): Iterable<{ at: number; run: TextRun }> {
  let at = position;
  for (const run of doc.runs(position, position + length)) {
    yield { at, run };
    at += runLength(run);
  }
}

function changed(marks: Marks, changes: readonly (readonly [string, Json])[]): Marks {
  return Object.fromEntries(
    [...eachMark(marks).filter(([name]) => !changes.some(([other]) => other === name)), ...changes].filter(
      ([, value]) => value !== null,
    ),
  );
}

/** Neighbours with the same marks as one. */
function joined(cells: readonly Cell[]): Cell[] {
  const all: Cell[] = [];
  for (const cell of cells) {
    const last = all.at(-1);
    if (last && typeof last.content === "string" && typeof cell.content === "string" && sameJson(last.marks, cell.marks)) {
      all[all.length - 1] = { content: last.content + cell.content, marks: last.marks };
    } else {
      all.push(cell);
    }
  }
  return all;
}
