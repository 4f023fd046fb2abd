import assert from "node:assert/strict";
import { test } from "node:test";
import { Node, Schema } from "prosemirror-model";
import { schema as basic } from "prosemirror-schema-basic";
import { Flat, measure } from "../../src/bindings/prosemirror/flat.js";
import { Builder, linesOf } from "../../src/bindings/prosemirror/lines.js";
import type { ProseMirrorMapping } from "../../src/bindings/prosemirror/rules.js";
import type { TextRun } from "../../src/edit.js";
import { BASIC, TIPTAP } from "../prosemirror_schemas.js";

interface NodeJson {
  readonly type: string;
  readonly attrs?: unknown;
  readonly content?: readonly NodeJson[];
  readonly text?: string;
  readonly marks?: readonly { readonly type: string; readonly attrs?: unknown }[];
}

function node(type: string, ...content: (NodeJson | string)[]): NodeJson {
  return { type, content: content.map((each) => (typeof each === "string" ? { type: "text", text: each } : each)) };
}

function withAttributes(attrs: unknown, json: NodeJson): NodeJson {
  return { ...json, attrs };
}

function marked(text: string, ...marks: (string | { type: string; attrs: unknown })[]): NodeJson {
  return { type: "text", text, marks: marks.map((mark) => (typeof mark === "string" ? { type: mark } : mark)) };
}

const p = (...content: (NodeJson | string)[]): NodeJson => node("paragraph", ...content);

/** Neighbours with the same marks as one, marks that are none left out. */
function plain(runs: readonly TextRun[]): TextRun[] {
  const joined: TextRun[] = [];
  for (const run of runs) {
    const marks = run.marks && Object.keys(run.marks).length > 0 ? { marks: run.marks } : {};
    const one: TextRun = "text" in run ? { text: run.text, ...marks } : { embed: run.embed, ...marks };
    const last = joined.at(-1);
    if (last && "text" in last && "text" in one && JSON.stringify(last.marks) === JSON.stringify(one.marks)) {
      joined[joined.length - 1] = { ...last, text: last.text + one.text };
    } else {
      joined.push(one);
    }
  }
  return joined;
}

function read(schema: Schema, blocks: readonly NodeJson[], mapping?: ProseMirrorMapping): TextRun[] {
  const doc = Node.fromJSON(schema, { type: "doc", content: blocks });
  doc.check();
  const flat = new Flat(new Builder(schema, mapping));
  const size = measure(flat, doc);
  return plain(flat.runs(doc, 0, size));
}

function build(schema: Schema, runs: readonly TextRun[], mapping?: ProseMirrorMapping): unknown {
  const doc = schema.topNodeType.create(null, new Builder(schema, mapping).nodes(linesOf(runs)));
  doc.check();
  return JSON.parse(JSON.stringify(doc)) as unknown;
}

/** What the blocks are in the document, and that they come back from that. */
function check(schema: Schema, blocks: readonly NodeJson[], runs: readonly TextRun[], mapping?: ProseMirrorMapping): void {
  assert.deepEqual(read(schema, blocks, mapping), runs);
  const expected: unknown = JSON.parse(JSON.stringify(Node.fromJSON(schema, { type: "doc", content: blocks })));
  assert.deepEqual(build(schema, runs, mapping), expected);
}

test("paragraphs are lines", () => {
  check(BASIC, [p("one"), p(), p("two")], [{ text: "one\n\ntwo\n" }]);
});

test("headings, quotes and code are marks on the ends of lines", () => {
  check(
    BASIC,
    [
      withAttributes({ level: 2 }, node("heading", "head")),
      node("blockquote", p("said"), p("more")),
      node("code_block", "a\n\nb"),
    ],
    [
      ...[{ text: "head" }, { text: "\n", marks: { header: 2 } }],
      ...[{ text: "said" }, { text: "\n", marks: { blockquote: true } }],
      ...[{ text: "more" }, { text: "\n", marks: { blockquote: true } }],
      ...[{ text: "a" }, { text: "\n\n", marks: { "code-block": "plain" } }],
      ...[{ text: "b" }, { text: "\n", marks: { "code-block": "plain" } }],
    ],
  );
});

test("nested lists are indented lines", () => {
  check(
    BASIC,
    [
      node(
        "bullet_list",
        node("list_item", p("a"), node("ordered_list", node("list_item", p("b")), node("list_item", p("c")))),
        node("list_item", p("d")),
      ),
      withAttributes({ order: 4 }, node("ordered_list", node("list_item", p("e")))),
    ],
    [
      ...[{ text: "a" }, { text: "\n", marks: { list: "bullet" } }],
      ...[{ text: "b" }, { text: "\n", marks: { list: "ordered", indent: 1 } }],
      ...[{ text: "c" }, { text: "\n", marks: { list: "ordered", indent: 1 } }],
      ...[{ text: "d" }, { text: "\n", marks: { list: "bullet" } }],
      ...[{ text: "e" }, { text: "\n", marks: { list: "ordered", "list-start": 4 } }],
    ],
  );
});

test("further paragraphs of an item are lines that continue it", () => {
  check(
    BASIC,
    [
      node(
        "bullet_list",
        node("list_item", p("a"), p("b"), node("bullet_list", node("list_item", p("c"), p("d"))), p("e")),
        node("list_item", p("f")),
      ),
      p("g"),
    ],
    [
      ...[{ text: "a" }, { text: "\n", marks: { list: "bullet" } }],
      ...[{ text: "b" }, { text: "\n", marks: { list: "continued" } }],
      ...[{ text: "c" }, { text: "\n", marks: { list: "bullet", indent: 1 } }],
      ...[{ text: "d" }, { text: "\n", marks: { list: "continued", indent: 1 } }],
      ...[{ text: "e" }, { text: "\n", marks: { list: "continued" } }],
      ...[{ text: "f" }, { text: "\n", marks: { list: "bullet" } }],
      { text: "g\n" },
    ],
  );
});

test("marks have the names of the document", () => {
  check(
    BASIC,
    [p("a", marked("b", "strong"), marked("c", { type: "link", attrs: { href: "x", title: "t" } }, "em", "strong"), marked("d", "code"))],
    [
      { text: "a" },
      { text: "b", marks: { bold: true } },
      { text: "c", marks: { link: "x", "link:title": "t", italic: true, bold: true } },
      { text: "d", marks: { code: true } },
      { text: "\n" },
    ],
  );
});

test("nodes without content are embeds", () => {
  check(
    BASIC,
    [
      p("a", { type: "image", attrs: { src: "i.png", alt: "I", title: "t" } }, { type: "hard_break" }, "b"),
      { type: "horizontal_rule" },
    ],
    [
      { text: "a" },
      { embed: { image: "i.png" }, marks: { alt: "I", "image:title": "t" } },
      { embed: { hard_break: true } },
      { text: "b\n" },
      { embed: { horizontal_rule: true } },
      { text: "\n" },
    ],
  );
});

test("TipTap's names are known", () => {
  check(
    TIPTAP,
    [
      withAttributes({ level: 1, textAlign: "center" }, node("heading", "h")),
      withAttributes({ language: "rust" }, node("codeBlock", "x")),
      node("bulletList", node("listItem", p("a"))),
      node("taskList", withAttributes({ checked: true }, node("taskItem", p("done"))), node("taskItem", p("open"))),
      { type: "image", attrs: { src: "i.png" } },
      p({ type: "mention", attrs: { id: "ada", label: "Ada" } }, marked("2", "superscript"), marked("c", { type: "textStyle", attrs: { color: "red", fontFamily: "serif" } })),
    ],
    [
      ...[{ text: "h" }, { text: "\n", marks: { header: 1, align: "center" } }],
      ...[{ text: "x" }, { text: "\n", marks: { "code-block": "rust" } }],
      ...[{ text: "a" }, { text: "\n", marks: { list: "bullet" } }],
      ...[{ text: "done" }, { text: "\n", marks: { list: "checked" } }],
      ...[{ text: "open" }, { text: "\n", marks: { list: "unchecked" } }],
      ...[{ embed: { image: "i.png" } }, { text: "\n" }],
      { embed: { mention: { id: "ada", label: "Ada" } } },
      { text: "2", marks: { script: "super" } },
      { text: "c", marks: { color: "red", font: "serif" } },
      { text: "\n" },
    ],
  );
});

test("a mapping gives other names", () => {
  const schema = new Schema({
    nodes: {
      doc: { content: "(para | title)+" },
      para: { content: "(text | sticker)*", attrs: { id: { default: null } } },
      title: { content: "text*", attrs: { level: { default: 1 } } },
      sticker: { inline: true, attrs: { code: {}, size: { default: 1 } } },
      text: {},
    },
    marks: { loud: {}, hue: { attrs: { value: {} } } },
  });
  check(
    schema,
    [withAttributes({ level: 3 }, node("title", "t")), withAttributes({ id: "x1" }, node("para", marked("a", "loud", { type: "hue", attrs: { value: 7 } }), { type: "sticker", attrs: { code: "s", size: 2 } }))],
    [
      ...[{ text: "t" }, { text: "\n", marks: { header: 3 } }],
      { text: "a", marks: { bold: true, hue: 7 } },
      { embed: { emoji: "s" }, marks: { "emoji:size": 2 } },
      { text: "\n", marks: { "block-id": "x1" } },
    ],
    {
      blocks: { para: "paragraph", title: "heading" },
      marks: { loud: "bold", hue: { name: "hue", attribute: "value" } },
      embeds: { sticker: { name: "emoji", attribute: "code" } },
      attributes: { id: "block-id" },
    },
  );
});

test("a line that continues an item where there is none is one", () => {
  const runs: TextRun[] = [{ text: "a" }, { text: "\n", marks: { list: "continued" } }];
  assert.deepEqual(build(BASIC, runs), { type: "doc", content: [node("bullet_list", node("list_item", p("a")))] });
});

test("of several kinds a line is shown as the first", () => {
  const runs: TextRun[] = [{ text: "a" }, { text: "\n", marks: { header: 1, list: "bullet", blockquote: true } }];
  assert.deepEqual(build(BASIC, runs), { type: "doc", content: [node("bullet_list", node("list_item", p("a")))] });
});

test("lists that begin deep, or skip a depth, are shown as deep as they can be", () => {
  const line = (text: string, indent: number): TextRun[] => [{ text }, { text: "\n", marks: { list: "bullet", indent } }];
  assert.deepEqual(build(BASIC, [...line("a", 3), ...line("b", 5), ...line("c", 4), ...line("d", 0)]), {
    type: "doc",
    content: [
      node(
        "bullet_list",
        node("list_item", p("a"), node("bullet_list", node("list_item", p("b")), node("list_item", p("c")))),
        node("list_item", p("d")),
      ),
    ],
  });
});

test("what the schema does not know does not show, or shows as a placeholder", () => {
  const runs: TextRun[] = [
    { text: "a", marks: { sparkle: 1, bold: true, header: 2 } },
    { embed: { formula: "e" } },
    { embed: 7 },
    { text: "\n", marks: { table: "r1", align: "right", header: 9, list: "strange" } },
  ];
  assert.deepEqual(build(BASIC, runs), { type: "doc", content: [p(marked("a", "strong"), "\ufffc\ufffc")] });
});

test("attributes that the schema does not take do not show", () => {
  const schema = new Schema({
    nodes: basic.spec.nodes.update("paragraph", { ...basic.spec.nodes.get("paragraph"), attrs: { align: { default: null, validate: "string|null" } } }),
    marks: basic.spec.marks,
  });
  const runs: TextRun[] = [
    { text: "a", marks: { link: { evil: true } } },
    { embed: { image: ["x"] } },
    { text: "\n", marks: { align: 7 } },
  ];
  assert.deepEqual(build(schema, runs), { type: "doc", content: [withAttributes({ align: null }, p("a\ufffc"))] });
});

test("what has no form in the document is refused by name", () => {
  const refused: [Schema, NodeJson[], RegExp][] = [
    [BASIC, [node("blockquote", node("heading", "a"))], /heading in blockquote/],
    [BASIC, [node("blockquote", node("bullet_list", node("list_item", p("a"))))], /bullet_list in blockquote/],
    [BASIC, [node("bullet_list", node("list_item", p("a"), node("code_block", "b")))], /code_block in list_item/],
    [TIPTAP, [withAttributes({ type: "a" }, node("orderedList", node("listItem", p("a"))))], /attribute type of orderedList/],
  ];
  for (const [schema, blocks, message] of refused) {
    assert.throws(() => read(schema, blocks), { code: "unsupported-content", message });
  }
});
