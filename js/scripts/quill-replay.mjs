// Replays Quill deltas on a Doc and compares it with quill-delta's own composition:
//   npm --prefix js run -s quill-replay -- FILE…
//
// A file holds [{ name, transactions, contents: { ops } }]; a transaction is a delta: its operations, or { ops }. After each
// transaction the Doc's Quill contents, and those of a second Doc that got nothing but the deltas, must be what quill-delta
// makes of the transactions so far; in the end, and in a Doc loaded from a snapshot, they must be `contents`.
//
// The Doc is the content, character by character. A case starts empty; or with the "\n" of an empty Quill where only
// that composes to `contents`.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// npm changes the folder; names of files are meant from where the command was called.
const here = process.env.INIT_CWD ?? process.cwd();

async function load() {
  if (!existsSync(join(root, "dist/quill.js"))) {
    throw new Error("crdt-js is not built: cargo xtask wasm, then npm ci && npm run build in js/");
  }
  const { Doc } = await import("crdt-js");
  const { applyQuillDelta, quillContents } = await import("crdt-js/quill");
  const require = createRequire(import.meta.url);
  const Delta = require("quill-delta");
  return { Doc, applyQuillDelta, quillContents, Delta: Delta.default ?? Delta };
}

/** Attributes that are `null` say that there is none; quill-delta leaves them in what is inserted. */
function withoutNulls(Delta, { ops }) {
  return ops.reduce((clean, op) => {
    const attributes = Object.fromEntries(Object.entries(op.attributes ?? {}).filter(([, value]) => value !== null));
    const { attributes: _, ...rest } = op;
    return clean.push(Object.keys(attributes).length > 0 ? { ...rest, attributes } : rest);
  }, new Delta());
}

function composed(Delta, start, transactions) {
  return transactions.reduce((content, transaction) => content.compose(transaction), start);
}

/** What is wrong with a case, if anything. */
function replay({ Doc, applyQuillDelta, quillContents, Delta }, { transactions, contents }) {
  const literal = { lastLine: false };
  const changes = transactions.map((transaction) => new Delta(transaction));
  const expected = withoutNulls(Delta, new Delta(contents)).ops;
  const starts = [new Delta(), new Delta().insert("\n")];
  const start = starts.find((one) => isDeepStrictEqual(withoutNulls(Delta, composed(Delta, one, changes)).ops, expected));
  if (!start) {
    return "quill-delta composes the transactions to something else than contents";
  }
  const doc = new Doc();
  const second = new Doc();
  doc.on("delta", (delta) => second.applyDelta(delta));
  applyQuillDelta(doc, start, literal);
  let composition = start;
  const compare = (step, content) => {
    for (const [name, replica] of [["the Doc", doc], ["the second replica", second]]) {
      const ops = quillContents(replica, literal);
      if (!isDeepStrictEqual(ops, content)) {
        return `${step}: ${name} has ${JSON.stringify(ops)} instead of ${JSON.stringify(content)}`;
      }
    }
    return undefined;
  };
  for (const [index, change] of changes.entries()) {
    composition = composition.compose(change);
    applyQuillDelta(doc, change, literal);
    const wrong = compare(`transaction ${String(index + 1)}`, withoutNulls(Delta, composition).ops);
    if (wrong) {
      return wrong;
    }
  }
  const loaded = Doc.fromSnapshot(doc.snapshot());
  const ops = quillContents(loaded, literal);
  const wrong =
    compare("end", expected) ??
    (isDeepStrictEqual(ops, expected) ? undefined : `loaded from a snapshot: ${JSON.stringify(ops)}`);
  for (const each of [doc, second, loaded]) {
    each.free();
  }
  return wrong;
}

async function main(files) {
  if (files.length === 0) {
    throw new Error("which file? npm --prefix js run -s quill-replay -- FILE…");
  }
  const library = await load();
  let [passed, failed] = [0, 0];
  for (const file of files) {
    for (const [index, one] of JSON.parse(readFileSync(resolve(here, file), "utf8")).entries()) {
      let wrong;
      try {
        wrong = replay(library, one);
      } catch (error) {
        wrong = String(error);
      }
      if (wrong === undefined) {
        passed += 1;
      } else {
        failed += 1;
        console.log(`${one.name ?? `case ${String(index + 1)}`}: ${wrong}`);
      }
    }
  }
  console.log(`${String(passed)} passed, ${String(failed)} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`quill-replay: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
