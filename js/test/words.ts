/** What is left of a line of a scenario script, taken word by word. */
import type { Json, Marks, TextRun } from "crdt-js";

export class Words {
  #rest: string;

  constructor(line: string) {
    this.#rest = line.trim();
  }

  get atEnd(): boolean {
    return this.#rest === "";
  }

  end(): void {
    if (!this.atEnd) {
      throw new SyntaxError(`left over: ${this.#rest}`);
    }
  }

  word(): string {
    return this.#take(/^[^\s;]+/, "a word");
  }

  number(): number {
    return Number(this.#take(/^\d+/, "a number"));
  }

  /** Takes the sign or word, if it is what follows. */
  takes(text: string): boolean {
    const follows = this.#rest.startsWith(text);
    if (follows) {
      this.#advance(text.length);
    }
    return follows;
  }

  string(): string {
    return JSON.parse(this.#take(/^"(?:[^"\\]|\\.)*"/, "a string")) as string;
  }

  json(): Json {
    if (/^["[{]/.test(this.#rest)) {
      return JSON.parse(this.#take(this.#bracketed(), "a JSON value")) as Json;
    }
    return JSON.parse(this.#take(/^[^\s;{]+/, "a JSON value")) as Json;
  }

  /** A JSON object of marks by name, if one follows. */
  marks(): Marks | undefined {
    return this.#rest.startsWith("{") ? (this.json() as Marks) : undefined;
  }

  /** `with` and marks, if that follows. */
  withMarks(): Marks | undefined {
    if (!this.takes("with ")) {
      return undefined;
    }
    const marks = this.marks();
    if (!marks) {
      throw new SyntaxError("expected marks after `with`");
    }
    return marks;
  }

  /** Runs up to the end of the line. */
  runs(): TextRun[] {
    const runs: TextRun[] = [];
    while (!this.atEnd) {
      const content = this.takes("embed ") ? { embed: this.json() } : { text: this.string() };
      const marks = this.marks();
      runs.push(marks && Object.keys(marks).length > 0 ? { ...content, marks } : content);
    }
    return runs;
  }

  /** A string, an array or an object up to its end; brackets inside strings do not count. */
  #bracketed(): number {
    let depth = 0;
    for (const { 0: token, index } of this.#rest.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
      depth += token === "[" || token === "{" ? 1 : token === "]" || token === "}" ? -1 : 0;
      if (depth === 0) {
        return index + token.length;
      }
    }
    throw new SyntaxError(`no end of ${this.#rest}`);
  }

  #take(what: RegExp | number, name: string): string {
    const found = typeof what === "number" ? this.#rest.slice(0, what) : what.exec(this.#rest)?.[0];
    if (found === undefined) {
      throw new SyntaxError(`expected ${name} at ${this.#rest}`);
    }
    this.#advance(found.length);
    return found;
  }

  #advance(length: number): void {
    this.#rest = this.#rest.slice(length).trimStart();
  }
}
