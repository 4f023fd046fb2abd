/** Runs a scenario script of crdt-testkit/scripts (its README says what a line means). */
import assert from "node:assert/strict";
import { applyEdits, Doc, type NamedText, UndoManager } from "crdt-js";
import { applyListEdits } from "./list_edits.js";
import { Shown } from "./shown.js";
import { Words } from "./words.js";

interface Replica {
  readonly doc: Doc;
  /** Of single transactions. */
  readonly undo: UndoManager;
  /** The delta of its newest transaction that changed anything. */
  last: Uint8Array | undefined;
  /** What its change events alone show. */
  readonly shown: Shown;
  /** The text by its change events alone. */
  text: string;
  /** The named texts of the script by their change events alone. */
  readonly texts: Map<string, Shown>;
  /** Its lists. */
  readonly lists: Map<string, unknown[]>;
}

/** The named texts and lists of a script. */
interface Names {
  readonly texts: readonly string[];
  readonly lists: readonly string[];
}

export function runScript(text: string): void {
  new Script(text).run();
}

class Script {
  readonly #lines: readonly string[];
  readonly #replicas = new Map<string, Replica>();
  readonly #anchors = new Map<string, Uint8Array>();

  constructor(text: string) {
    this.#lines = text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
    const ids = new Map(this.#lines.flatMap((line) => {
      const named = /^([A-Z]) is ([0-9a-f]{16})$/.exec(line);
      return named ? [[named[1] ?? "", named[2] ?? ""] as const] : [];
    }));
    const names = this.#lines.flatMap((line) => /^([A-Z])(?:>([A-Z]))?/.exec(line)?.slice(1) ?? []).filter(Boolean);
    const count = Math.max(...names.map((name) => name.charCodeAt(0) - 64));
    const sequences = namesIn(this.#lines);
    for (let index = 1; index <= count; index++) {
      const name = String.fromCharCode(64 + index);
      this.#replicas.set(name, newReplica(ids.get(name) ?? index.toString(16).padStart(16, "0"), sequences));
    }
  }

  run(): void {
    for (const line of this.#lines) {
      try {
        this.#step(line);
        this.#checkEvents();
      } catch (error) {
        throw new Error(`at "${line}": ${String(error)}`, { cause: error });
      }
    }
    this.#syncAll();
    this.#checkEvents();
    const [first, ...others] = [...this.#replicas.values()].map(({ doc, texts, lists }) => [
      doc.toString(),
      doc.runs(),
      doc.registers(),
      [...texts.keys()].map((name) => doc.text(name).runs()),
      [...lists.keys()].map((name) => doc.list(name).values()),
    ]);
    for (const other of others) {
      assert.deepEqual(other, first);
    }
    this.#checkUndo();
  }

  /** Whoever undoes all of their own can redo it. */
  #checkUndo(): void {
    for (const { doc, undo, texts, lists } of this.#replicas.values()) {
      const content = (): unknown => [
        doc.toString(),
        [...texts.keys()].map((name) => doc.text(name).toString()),
        [...lists.keys()].map((name) => doc.list(name).values()),
      ];
      const before = content();
      let turns = 0;
      while (undo.undo()) {
        turns += 1;
      }
      this.#checkEvents();
      for (; turns > 0; turns--) {
        assert.ok(undo.redo());
      }
      this.#checkEvents();
      assert.deepEqual(content(), before);
    }
  }

  #step(line: string): void {
    let match;
    if (/^[A-Z] is /.test(line)) {
      return;
    } else if (line === "*: sync") {
      this.#syncAll();
    } else if ((match = /^([A-Z])>([A-Z]): (sync|last)$/.exec(line))) {
      const [from, to] = [this.#named(match[1]), this.#named(match[2])];
      const delta = match[3] === "last" ? from.last : from.doc.deltaSince(to.doc.version());
      assert.ok(delta);
      to.doc.applyDelta(delta);
    } else if ((match = /^([A-Z*]) = (".*")$/.exec(line))) {
      const expected: unknown = JSON.parse(match[2] ?? "");
      for (const { doc } of this.#those(match[1])) {
        assert.equal(doc.toString(), expected);
      }
    } else if ((match = /^([A-Z*]) runs(.*)$/.exec(line))) {
      const expected = new Words(match[2] ?? "").runs();
      for (const { doc } of this.#those(match[1])) {
        assert.deepEqual(doc.runs(), expected);
      }
    } else if ((match = /^([A-Z*]) text (\S+) (".*")$/.exec(line))) {
      const expected: unknown = JSON.parse(match[3] ?? "");
      for (const { doc } of this.#those(match[1])) {
        assert.equal(doc.text(match[2] ?? "").toString(), expected);
      }
    } else if ((match = /^([A-Z*]) list (\S+) (\[.*\])$/.exec(line))) {
      const expected: unknown = JSON.parse(match[3] ?? "");
      for (const { doc } of this.#those(match[1])) {
        assert.deepEqual(doc.list(match[2] ?? "").values(), expected);
      }
    } else if ((match = /^([A-Z*]) registers (.*)$/.exec(line))) {
      const expected = new Map(Object.entries(new Words(match[2] ?? "").marks() ?? {}));
      for (const { doc } of this.#those(match[1])) {
        assert.deepEqual(doc.registers(), expected);
      }
    } else if ((match = /^([A-Z*]): expand (\S+) (before|after|both|none)$/.exec(line))) {
      for (const { doc } of this.#those(match[1])) {
        doc.setExpand(match[2] ?? "", match[3] as "before" | "after" | "both" | "none");
      }
    } else if ((match = /^([A-Z]) pending (\d+)$/.exec(line))) {
      assert.equal(this.#named(match[1]).doc.pending().operations, Number(match[2]));
    } else if ((match = /^([A-Z])@(\w+) = (\d+)$/.exec(line))) {
      const { doc } = this.#named(match[1]);
      const anchor = this.#anchors.get(match[2] ?? "");
      assert.ok(anchor);
      assert.equal(doc.resolveAnchor(anchor), toUtf16(doc, Number(match[3])));
    } else if ((match = /^([A-Z]): anchor (\w+) (\d+) (before|after)$/.exec(line))) {
      const { doc } = this.#named(match[1]);
      const side = match[4] === "before" ? "before" : "after";
      this.#anchors.set(match[2] ?? "", doc.anchorAt(toUtf16(doc, Number(match[3])), side));
    } else if ((match = /^([A-Z]): (undo|redo)$/.exec(line))) {
      const { undo } = this.#named(match[1]);
      // There may be nothing to redo.
      if (match[2] === "undo") {
        undo.undo();
      } else {
        undo.redo();
      }
    } else if ((match = /^([A-Z]): (.*)$/.exec(line))) {
      edit(this.#named(match[1]), match[2] ?? "");
    } else {
      throw new SyntaxError("not understood");
    }
  }

  #named(name: string | undefined): Replica {
    const replica = this.#replicas.get(name ?? "");
    assert.ok(replica, `no replica ${String(name)}`);
    return replica;
  }

  /** The replica of this letter; of "*" all. */
  #those(name: string | undefined): Replica[] {
    return name === "*" ? [...this.#replicas.values()] : [this.#named(name)];
  }

  #syncAll(): void {
    for (const { doc: to } of this.#replicas.values()) {
      for (const { doc: from } of this.#replicas.values()) {
        to.applyDelta(from.deltaSince(to.version()));
      }
    }
  }

  /** Events replayed, snapshots and versions, for every script at every step. */
  #checkEvents(): void {
    for (const { doc, shown, text: replayed, texts, lists } of this.#replicas.values()) {
      const text = doc.toString();
      assert.equal(replayed, text);
      assert.equal(shown.toString(), text);
      assert.equal(doc.length, text.length);
      const runs = doc.runs();
      assert.deepEqual(runs, shown.runs());
      const [start, end] = [charStart(text, text.length / 3), charStart(text, (text.length * 3) / 4)];
      assert.deepEqual(doc.runs(start, end), shown.runs(start, end));
      assert.deepEqual(doc.registers(), shown.registers);
      const copy = Doc.fromSnapshot(doc.snapshot());
      assert.equal(copy.toString(), text);
      assert.deepEqual(copy.runs(), runs);
      assert.deepEqual(copy.registers(), doc.registers());
      assert.deepEqual(copy.version(), doc.version());
      for (const [name, shown] of texts) {
        const runs = doc.text(name).runs();
        assert.deepEqual(shown.runs(), runs);
        assert.deepEqual(copy.text(name).runs(), runs);
      }
      for (const [name, shown] of lists) {
        const values = doc.list(name).values();
        assert.deepEqual(shown, values);
        assert.deepEqual(copy.list(name).values(), values);
      }
      copy.free();
    }
  }
}

function newReplica(id: string, names: Names): Replica {
  const doc = new Doc({ replica: id });
  const undo = new UndoManager(doc, { interval: 0 });
  const texts = new Map(names.texts.map((name) => [name, new Shown()]));
  const lists = new Map(names.lists.map((name): [string, unknown[]] => [name, []]));
  const replica: Replica = { doc, undo, last: undefined, shown: new Shown(), text: "", texts, lists };
  replica.doc.on("change", ({ edits, local }) => {
    replica.shown.replay(edits, local);
    replica.text = applyEdits(replica.text, edits);
  });
  replica.doc.on("delta", (delta) => {
    replica.last = delta;
  });
  for (const [name, shown] of texts) {
    doc.text(name).on("change", ({ edits, local }) => {
      shown.replay(edits, local);
    });
  }
  for (const name of names.lists) {
    doc.list(name).on("change", ({ edits }) => {
      lists.set(name, applyListEdits(lists.get(name) ?? [], edits));
    });
  }
  return replica;
}

function namesIn(lines: readonly string[]): Names {
  const all = (kind: string): string[] => [
    ...new Set(lines.flatMap((line) => [...line.matchAll(new RegExp(`(?:^[A-Z*]:?|;) ${kind} (\\S+) `, "g"))].map((match) => match[1] ?? ""))),
  ];
  return { texts: all("text"), lists: all("list") };
}

function edit({ doc }: Replica, statement: string): void {
  const keys = /^(type|type-backwards) (\d+) (".*")$/.exec(statement);
  const backspace = /^backspace (\d+) (\d+)$/.exec(statement);
  if (keys) {
    const characters = Array.from(JSON.parse(keys[3] ?? "") as string);
    const start = Number(keys[2]);
    if (keys[1] === "type") {
      characters.forEach((character, index) => {
        doc.insert(toUtf16(doc, start + index), character);
      });
    } else {
      for (const character of characters.reverse()) {
        doc.insert(toUtf16(doc, start), character);
      }
    }
  } else if (backspace) {
    for (let key = 0; key < Number(backspace[2]); key++) {
      deleteScalars(doc, Number(backspace[1]) - key - 1, 1);
    }
  } else {
    doc.transact(() => {
      const words = new Words(statement);
      do {
        editOnce(doc, words);
      } while (words.takes(";"));
      words.end();
    });
  }
}

function editOnce(doc: Doc, words: Words): void {
  if (words.takes("list ")) {
    editList(doc.list(words.word()), words);
  } else if (words.takes("text ")) {
    editText(doc.text(words.word()), words);
  } else {
    editText(doc, words);
  }
}

function editList(list: ReturnType<Doc["list"]>, words: Words): void {
  const [kind, index] = [words.word(), words.number()];
  if (kind === "insert" || kind === "replace") {
    list[kind](index, words.json());
  } else if (kind === "delete" || kind === "move") {
    list[kind](index, words.number());
  } else {
    throw new SyntaxError(`not understood: ${kind}`);
  }
}

function editText(doc: Doc | NamedText, words: Words): void {
  const kind = words.word();
  if (kind === "set" || kind === "unset") {
    doc.set(words.word(), kind === "set" ? words.json() : null);
    return;
  }
  const position = words.number();
  const start = toUtf16(doc, position);
  if (kind === "insert") {
    const text = words.string();
    doc.insert(start, text, words.withMarks());
  } else if (kind === "embed") {
    const value = words.json();
    doc.insertEmbed(start, value, words.withMarks());
  } else if (kind === "delete") {
    deleteScalars(doc, position, words.number());
  } else if (kind === "mark" || kind === "unmark") {
    const length = toUtf16(doc, position + words.number()) - start;
    const name = words.word();
    doc.mark(start, length, name, kind === "mark" ? words.json() : null);
  } else {
    throw new SyntaxError(`not understood: ${kind}`);
  }
}

function deleteScalars(doc: Doc | NamedText, position: number, length: number): void {
  const start = toUtf16(doc, position);
  doc.delete(start, toUtf16(doc, position + length) - start);
}

/** The nearest place at or in front of this one that is not inside a surrogate pair. */
function charStart(text: string, position: number): number {
  const whole = Math.floor(position);
  return /[\uDC00-\uDFFF]/.test(text.charAt(whole)) ? whole - 1 : whole;
}

function toUtf16(doc: Doc | NamedText, position: number): number {
  return Array.from(doc.toString()).slice(0, position).join("").length;
}
