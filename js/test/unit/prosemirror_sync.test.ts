import assert from "node:assert/strict";
import { test } from "node:test";
import { Doc, type TextEdit } from "crdt-js";
import { setBlockType, splitBlock, toggleMark } from "prosemirror-commands";
import type { Node, NodeType, Schema } from "prosemirror-model";
import { sinkListItem, splitListItem, wrapInList } from "prosemirror-schema-list";
import { type Command, EditorState, TextSelection, type Transaction } from "prosemirror-state";
import { Lag } from "../../src/bindings/lag.js";
import { isOfLastLine, lastLine, markLastLine } from "../../src/bindings/last-line.js";
import { Changes, supported } from "../../src/bindings/prosemirror/changes.js";
import { Flat } from "../../src/bindings/prosemirror/flat.js";
import { Builder } from "../../src/bindings/prosemirror/lines.js";
import { showNodes } from "../../src/bindings/prosemirror/show.js";
import { placeOf, showStales, stalesOf } from "../../src/bindings/prosemirror/stale.js";
import { Writer } from "../../src/bindings/prosemirror/write.js";
import { randomTransaction, rebased } from "../prosemirror_edits.js";
import { BASIC, TIPTAP } from "../prosemirror_schemas.js";
import { givenSeed, Random } from "../random.js";

/** A document and a state that shows it, without a view. */
class Session {
  readonly doc = new Doc();
  readonly lag = new Lag();
  readonly builder: Builder;
  readonly flat: Flat;
  readonly writer: Writer;
  /** What was edited last. */
  edits: TextEdit[] = [];
  state: EditorState;
  /** How often the editor had to be corrected. */
  patches = 0;
  #lastLineWaits = false;
  #unsure = false;

  constructor(schema: Schema) {
    this.builder = new Builder(schema);
    this.flat = new Flat(this.builder);
    this.writer = new Writer(this.doc, this.lag, this.builder, this.flat);
    this.state = EditorState.create({ schema });
    this.doc.track((edits, origin) => {
      this.edits.push(...edits);
      if (origin !== this) {
        this.lag.documentChanged(edits);
        this.#lastLineWaits ||= edits.some(isOfLastLine);
      }
    });
  }

  /** What the editor is to show. */
  get expected(): Node {
    return this.state.schema.topNodeType.create(null, this.writer.nodes(0, this.doc.length + 1));
  }

  write(transaction: Transaction): void {
    this.edits = [];
    const changes = new Changes(this.writer, this.flat, this.lag);
    this.doc.transact(() => {
      changes.write(transaction, false);
      const { doc } = transaction;
      const patch = changes.writeBlocks(doc);
      this.state = this.state.apply(transaction);
      if (patch) {
        this.patches++;
        const correction = this.state.tr;
        showNodes(correction, placeOf(doc, patch.blocks.first), placeOf(doc, patch.blocks.end), patch.nodes);
        this.state = this.state.apply(correction);
      }
    }, this);
    this.#unsure ||= changes.unsure;
  }

  editAtRandom(random: Random): string {
    const transaction = randomTransaction(random, this.state);
    if (!transaction || !supported(this.flat, transaction.doc)) {
      return "nothing";
    }
    const own = rebased(this.state, transaction);
    this.write(own);
    return own.steps.map((step) => JSON.stringify(step)).join(" ");
  }

  release(): void {
    const { tr } = this.state;
    const steps = this.lag.release();
    if (this.#unsure) {
      showNodes(tr, 0, tr.doc.content.size, [...this.expected.children]);
    } else {
      showStales(tr, stalesOf(steps, this.flat.size(tr.doc), this.#lastLineWaits), {
        flat: this.flat,
        builder: this.builder,
        content: (from, to) => this.writer.content(from, to),
      });
    }
    this.#unsure = this.#lastLineWaits = false;
    this.state = this.state.apply(tr);
  }

  check(story: string[]): void {
    const { expected } = this;
    if (!this.state.doc.eq(expected)) {
      assert.fail([...story.slice(-8), `shows    ${String(this.state.doc)}`, `expected ${String(expected)}`, JSON.stringify(this.doc.runs())].join("\n"));
    }
    this.state.doc.check();
  }
}

/** Somebody with another editor, who may do anything. */
function editAsAnother(random: Random, doc: Doc): void {
  const [position, length] = [random.below(doc.length + 1), random.below(6)];
  const rest = Math.min(length, doc.length - position);
  const text = random.pick(["a", "b", "word", "\n", "x\ny", "\n\n"]);
  const [kind, value] = random.pick([
    ["header", 2],
    ["list", random.pick(["bullet", "ordered", "checked", "continued"])],
    ["blockquote", true],
    ["code-block", "plain"],
    ["indent", 1 + random.below(3)],
    ["align", "center"],
  ] as const);
  const lines: (() => void)[] = [
    () => { markLastLine(doc, kind, random.fraction() < 0.7 ? value : null); },
    () => {
      const ends = Array.from(String(doc).matchAll(/\n/g), ({ index }) => index);
      if (ends.length > 0) {
        doc.mark(random.pick(ends), 1, kind, random.fraction() < 0.7 ? value : null);
      }
    },
  ];
  const embed = random.pick([{ image: "i.png" }, { hard_break: true }, { horizontal_rule: true }, { formula: "x" }]);
  const choices: (() => void)[] = [
    () => { doc.insert(position, text); },
    () => { doc.insert(position, text, random.pick([{}, { bold: true }, { comment: 1 }])); },
    () => { doc.delete(position, rest); },
    () => { doc.insertEmbed(position, embed); },
    () => { doc.mark(position, rest, random.pick(["bold", "italic", "comment:1", "script"]), random.pick([true, null])); },
    random.pick(lines),
    random.pick(lines),
  ];
  random.pick(choices)();
}

for (const [name, schema] of [["the basic schema", BASIC], ["TipTap's schema", TIPTAP]] as const) {
  test(`what users of ${name} do is in the document, and what others do is shown`, () => {
    const random = new Random(givenSeed());
    for (let round = 0; round < 15; round++) {
      const session = new Session(schema);
      const other = new Doc();
      const [inbox, outbox]: [Uint8Array[], Uint8Array[]] = [[], []];
      session.doc.on("delta", (delta) => outbox.push(delta));
      other.on("delta", (delta) => inbox.push(delta));
      const story: string[] = [];
      for (let step = 0; step < 60; step++) {
        const roll = random.fraction();
        if (roll < 0.6) {
          story.push(`edit ${session.editAtRandom(random)}`, JSON.stringify(session.edits));
        } else {
          for (let some = random.below(4); some >= 0; some--) {
            try {
              editAsAnother(random, other);
            } catch {
              // in the middle of a surrogate pair
            }
          }
          session.edits = [];
          inbox.splice(0).forEach((delta) => session.doc.applyDelta(delta));
          outbox.splice(0).forEach((delta) => other.applyDelta(delta));
          story.push(`received ${JSON.stringify(session.edits)}`);
          if (roll < 0.7) {
            // An input method composes meanwhile.
            for (let some = random.below(3); some > 0; some--) {
              story.push(`meanwhile ${session.editAtRandom(random)}`, JSON.stringify(session.edits));
            }
          }
          session.release();
        }
        session.check(story);
      }
      outbox.splice(0).forEach((delta) => other.applyDelta(delta));
      inbox.splice(0).forEach((delta) => session.doc.applyDelta(delta));
      session.release();
      session.check(story);
      assert.deepEqual(session.doc.runs(), other.runs());
      assert.deepEqual(lastLine(session.doc), lastLine(other));
    }
  });
}

/** The edits that a command is, on a document that says `content`. */
function editsOf(content: (doc: Doc) => void, from: number, to: number, command: Command): readonly TextEdit[] {
  const session = new Session(BASIC);
  content(session.doc);
  session.release();
  const { doc } = session.state;
  const at = (position: number): number => session.flat.place(doc, position);
  const selected = session.state.apply(session.state.tr.setSelection(TextSelection.create(doc, at(from), at(to))));
  session.state = selected;
  assert.ok(command(selected, (transaction) => { session.write(transaction); }));
  session.check([]);
  assert.equal(session.patches, 0);
  return session.edits;
}

function nodeType(name: string): NodeType {
  const type = BASIC.nodes[name];
  assert.ok(type);
  return type;
}

const bold = toggleMark(BASIC.marks.strong);
const header = { header: 2 };

function text(content: string): (doc: Doc) => void {
  return (doc) => { doc.insert(0, content); };
}

test("a letter that is typed is one edit", () => {
  const type: Command = (state, dispatch) => { dispatch?.(state.tr.insertText("a")); return true; };
  assert.deepEqual(editsOf(text("aaaa\naaaa"), 7, 7, type), [{ type: "insert", position: 7, text: "a" }]);
});

test("a mark over several paragraphs leaves the ends of lines alone", () => {
  assert.deepEqual(editsOf(text("one\ntwo"), 1, 5, bold), [
    { type: "mark", position: 1, length: 2, name: "bold", value: true },
    { type: "mark", position: 4, length: 1, name: "bold", value: true },
  ]);
});

test("Enter at the end of a heading makes a plain line behind it", () => {
  const heading = (doc: Doc): void => { doc.insert(0, "one"); doc.insert(3, "\n", header); doc.insert(4, "two"); };
  assert.deepEqual(editsOf(heading, 3, 3, splitBlock), [
    { type: "insert", position: 3, text: "\n", marks: header },
    { type: "mark", position: 4, length: 1, name: "header", value: null },
  ]);
});

test("Enter at the end of the last line makes its formats those of an end of line", () => {
  const heading = (doc: Doc): void => { doc.insert(0, "one"); markLastLine(doc, "header", 2); };
  assert.deepEqual(editsOf(heading, 3, 3, splitBlock), [
    { type: "insert", position: 3, text: "\n", marks: header },
    { type: "register", name: "last-line:header", value: null },
  ]);
});

test("a paragraph that becomes a heading is one mark", () => {
  assert.deepEqual(editsOf(text("one\ntwo"), 1, 1, setBlockType(nodeType("heading"), { level: 2 })), [
    { type: "mark", position: 3, length: 1, name: "header", value: 2 },
  ]);
});

test("paragraphs that become a list are marked each", () => {
  assert.deepEqual(editsOf(text("a\nb\nc"), 1, 2, wrapInList(nodeType("bullet_list"))), [
    { type: "mark", position: 1, length: 1, name: "list", value: "bullet" },
    { type: "mark", position: 3, length: 1, name: "list", value: "bullet" },
  ]);
});

test("items are split and nested by marks", () => {
  const list = (doc: Doc): void => { doc.insert(0, "ab"); doc.insert(2, "\n", { list: "bullet" }); doc.insert(3, "cd"); markLastLine(doc, "list", "bullet"); };
  const item = nodeType("list_item");
  assert.deepEqual(editsOf(list, 1, 1, splitListItem(item)), [
    { type: "insert", position: 1, text: "\n", marks: { list: "bullet" } },
  ]);
  assert.deepEqual(editsOf(list, 4, 4, sinkListItem(item)), [
    { type: "register", name: "last-line:indent", value: 1 },
  ]);
});

test("marks that the schema does not know stay, and grow as the document says", () => {
  const commented = (doc: Doc): void => { doc.insert(0, "abc"); doc.mark(0, 3, "sparkle", 1); };
  const type: Command = (state, dispatch) => { dispatch?.(state.tr.insertText("x")); return true; };
  assert.deepEqual(editsOf(commented, 1, 2, type), [
    { type: "delete", position: 1, length: 1 },
    { type: "insert", position: 1, text: "x", marks: { sparkle: 1 } },
  ]);
  assert.deepEqual(editsOf(commented, 0, 2, bold), [{ type: "mark", position: 0, length: 2, name: "bold", value: true }]);
});
