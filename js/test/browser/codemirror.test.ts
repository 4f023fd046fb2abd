import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "./harness.js";

test("codemirror: half surrogate pairs become U+FFFD in document and editor", async () => {
  const page = await openPage();
  const texts = await page.evaluate(async () => {
    window.stage.set(["codemirror"], "a😀b😀c");
    const { codemirror, doc } = window.stage.seat(0);
    codemirror?.dispatch({ changes: [{ from: 2, to: 3 }, { from: 4, insert: "\ud83d" }, { from: 5, to: 6, insert: "x" }] });
    const text = doc.toString();
    await new Promise((resolve) => setTimeout(resolve));
    return [text, doc.toString(), codemirror?.state.doc.toString()];
  });
  assert.deepEqual(texts, ["a\ufffdb\ufffd\ufffdxc", "a\ufffdb\ufffd\ufffdxc", "a\ufffdb\ufffd\ufffdxc"]);
  await page.close();
});

test("codemirror: several changes of one transaction are one delta of minimal edits", async () => {
  const page = await openPage();
  const [deltas, edits] = await page.evaluate(() => {
    window.stage.set(["codemirror", "codemirror"], "one two three");
    const { codemirror, doc } = window.stage.seat(0);
    const seen: unknown[] = [];
    doc.on("change", (event) => seen.push(...event.edits));
    codemirror?.dispatch({ changes: [{ from: 0, insert: "> " }, { from: 4, to: 7, insert: "2" }, { from: 13, insert: "\r\n!" }] });
    return [window.stage.seat(1).inbox.length, seen] as const;
  });
  assert.equal(deltas, 1);
  assert.deepEqual(edits, [
    { type: "insert", position: 0, text: "> " },
    { type: "delete", position: 6, length: 3 },
    { type: "insert", position: 6, text: "2" },
    { type: "insert", position: 13, text: "\n!" },
  ]);
  assert.deepEqual(await page.evaluate(() => { window.stage.deliver(); return window.stage.wrong(true); }), []);
  await page.close();
});

test("codemirror: edits that listeners make in document and editor come in the right order", async () => {
  const page = await openPage();
  const wrong = await page.evaluate(() => {
    window.stage.set(["codemirror", "codemirror"], "text");
    const { codemirror, doc } = window.stage.seat(0);
    let edited = 0;
    doc.on("change", () => {
      if (edited++ < 3) {
        doc.insert(doc.length, String(edited));
        codemirror?.dispatch({ changes: { from: 0, insert: `<${String(edited)}>` } });
      }
    });
    codemirror?.dispatch({ changes: { from: 2, insert: "-" } });
    window.stage.seat(1).doc.insert(1, "remote");
    window.stage.deliver();
    window.stage.deliver();
    return [...window.stage.wrong(true), ...(edited > 3 ? [] : ["no edits"])];
  });
  assert.deepEqual(wrong, []);
  await page.close();
});

test("codemirror: another state shows the document again", async () => {
  const page = await openPage();
  const wrong = await page.evaluate(async () => {
    window.stage.set(["codemirror", "codemirror"], "text");
    const { codemirror, doc } = window.stage.seat(0);
    const before = codemirror?.state;
    codemirror?.dispatch({ changes: { from: 4, insert: " of mine" } });
    if (before) {
      codemirror.setState(before); // with "text" in it
    }
    codemirror?.dispatch({ changes: { from: 0, insert: "lost" } });
    await Promise.resolve();
    codemirror?.dispatch({ changes: { from: 0, insert: "kept " } });
    window.stage.deliver();
    return [...window.stage.wrong(true), doc.toString()];
  });
  assert.deepEqual(wrong, ["kept text of mine"]);
  await page.close();
});

test("codemirror: a range that others replace becomes a caret", async () => {
  const page = await openPage();
  const selection = await page.evaluate(() => {
    window.stage.set(["codemirror", "codemirror"], "one two three");
    window.stage.select(0, 4, 7);
    const { doc } = window.stage.seat(1);
    doc.transact(() => {
      doc.delete(4, 3);
      doc.insert(4, "2");
    });
    window.stage.deliver(0);
    const range = window.stage.seat(0).codemirror?.state.selection.main;
    return [range?.from, range?.to];
  });
  assert.equal(selection[0], selection[1]);
  await page.close();
});
