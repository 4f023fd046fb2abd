import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage } from "./harness.js";

for (const kind of ["textarea", "quill", "codemirror"] as const) {
  test(`${kind}: pasting, cutting and dragging over are minimal edits`, async () => {
    const page = await openPage();
    await page.evaluate((kind) => { window.stage.set([kind, kind], "aaaa bbbb aaaa"); }, kind);
    const edits = await page.evaluate(() => {
      const seen: unknown[] = [];
      window.stage.seat(0).doc.on("change", (event) => seen.push(...event.edits));
      Object.assign(window, { seen });
      window.stage.select(0, 5, 9);
      return seen;
    });
    assert.deepEqual(edits, []);
    await page.keyboard.press("Control+x");
    await page.keyboard.press("Control+v");
    await page.keyboard.press("Control+v");
    await page.keyboard.type("a");
    const seen = await page.evaluate(() => (window as unknown as { seen: unknown[] }).seen);
    assert.deepEqual(seen, [
      { type: "delete", position: 5, length: 4 },
      { type: "insert", position: 5, text: "bbbb" },
      { type: "insert", position: 9, text: "bbbb" },
      { type: "insert", position: 13, text: "a" },
    ]);
    assert.deepEqual(await page.evaluate(() => { window.stage.deliver(); return window.stage.wrong(true); }), []);
    await page.close();
  });

  test(`${kind}: a carriage return in the document moves no position`, async () => {
    const page = await openPage();
    await page.evaluate((kind) => { window.stage.set([kind, kind], "a\r\nb\rc"); }, kind);
    await page.evaluate(() => { window.stage.select(0, 6); });
    await page.keyboard.type("!");
    await page.evaluate(() => {
      window.stage.seat(1).doc.insert(3, "x\r\ny");
      window.stage.deliver();
      window.stage.select(0, 8);
    });
    await page.keyboard.type("?");
    assert.equal(await page.evaluate(() => window.stage.seat(0).doc.toString()), "a\r\nx\r\nyb?\rc!");
    await page.close();
  });
}

for (const kind of ["textarea", "codemirror"] as const) {
  test(`${kind}: undo takes back one's own edits and nobody else's, and brings the selection back`, async () => {
    const page = await openPage();
    const look = (): Promise<unknown> => page.evaluate(() => [window.stage.seat(0).shown, ...window.stage.selection(0)]);
    await page.evaluate((kind) => { window.stage.set([kind, kind], "start"); }, kind);
    await page.evaluate(() => { window.stage.select(0, 1, 3); });
    await page.keyboard.type("TAR");
    await page.evaluate(() => {
      window.stage.seat(1).doc.insert(0, "theirs ");
      window.stage.deliver(0);
      window.stage.select(0, 12);
    });
    await page.keyboard.press("Control+z");
    assert.deepEqual(await look(), ["theirs start", 8, 10]);
    await page.keyboard.press("Control+z");
    assert.deepEqual(await look(), ["theirs start", 8, 10]);
    await page.keyboard.press("Control+Shift+z");
    assert.deepEqual(await look(), ["theirs sTARrt", 12, 12]);
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+y");
    assert.deepEqual(await look(), ["theirs sTARrt", 12, 12]);
    assert.deepEqual(await page.evaluate(() => { window.stage.deliver(); return window.stage.wrong(true); }), []);
    await page.close();
  });
}

for (const kind of ["bare textarea", "quill"] as const) {
  test(`${kind}: undo takes back one's own typing and nobody else's`, async () => {
    const page = await openPage();
    await page.evaluate((kind) => { window.stage.set([kind, kind], "start"); }, kind);
    await page.evaluate(() => { window.stage.select(0, 5); });
    await page.keyboard.type(" mine");
    if (kind === "quill") {
      await page.evaluate(() => {
        window.stage.seat(1).doc.insert(0, "theirs ");
        window.stage.deliver(0);
      });
    }
    const expected = kind === "quill" ? "theirs start" : "start";
    const shown = (): Promise<string> => page.evaluate(() => window.stage.seat(0).shown);
    // How much is one step is the editor's own history's business.
    for (let steps = 0; steps < 5 && (await shown()) !== expected; steps++) {
      await page.keyboard.press("Control+z");
    }
    assert.equal(await shown(), expected);
    assert.deepEqual(await page.evaluate(() => { window.stage.deliver(); return window.stage.wrong(true); }), []);
    await page.close();
  });

  test(`${kind}: undo among others' edits keeps editor and document equal`, async () => {
    const page = await openPage();
    await page.evaluate((kind) => { window.stage.set([kind, kind], "start\nend"); }, kind);
    await page.evaluate(() => { window.stage.select(0, 3); });
    for (let round = 0; round < 6; round++) {
      await page.keyboard.type(`typed${String(round)}`);
      await page.keyboard.press("Enter");
      await page.evaluate((round) => {
        const { doc } = window.stage.seat(1);
        doc.insert(Math.min(doc.length, round * 3), "REMOTE");
        doc.delete(0, 1);
        window.stage.deliver();
      }, round);
      await page.keyboard.press(round % 3 === 2 ? "Control+Shift+z" : "Control+z");
      assert.deepEqual(await page.evaluate(() => window.stage.wrong(false)), []);
    }
    assert.deepEqual(await page.evaluate(() => { window.stage.deliver(); return window.stage.wrong(true); }), []);
    await page.close();
  });
}

test("textarea: what a script or a form's reset writes into it becomes an edit", async () => {
  const page = await openPage();
  const texts = await page.evaluate(() => {
    window.stage.set(["textarea", "textarea"], "one two");
    const [mine, theirs] = [window.stage.seat(0), window.stage.seat(1)];
    if (mine.textarea) {
      mine.textarea.value = "one and two";
    }
    theirs.doc.insert(7, " three");
    window.stage.deliver();
    window.stage.deliver();
    return [mine.shown, mine.doc.toString(), theirs.shown];
  });
  assert.deepEqual(texts, ["one and two three", "one and two three", "one and two three"]);
  await page.close();
});

test("quill: replacing all content keeps the document equal", async () => {
  const page = await openPage();
  for (const text of ["", "x", "a\n", "\n\n", "more\nlines\n"]) {
    const [doc, shown] = await page.evaluate((text) => {
      window.stage.set(["quill"], "before\nthat");
      const { quill, doc } = window.stage.seat(0);
      quill?.setContents([{ insert: `${text}\n` }], "user");
      return [doc.toString(), window.stage.seat(0).shown];
    }, text);
    assert.equal(doc, text);
    assert.equal(shown, text);
    assert.deepEqual(await page.evaluate(() => window.stage.wrong(true)), []);
  }
  await page.close();
});

test("quill: edits through document and editor in one transaction, or in a listener, are shown once", async () => {
  const page = await openPage();
  const wrong = await page.evaluate(() => {
    window.stage.set(["quill", "quill"], "text");
    const { doc, quill } = window.stage.seat(0);
    doc.transact(() => {
      doc.insert(0, "doc ");
      quill?.insertText(0, "editor ", "user");
      doc.insert(doc.length, "!");
    });
    if (doc.toString() !== "editor doc text!") {
      return [doc.toString()];
    }
    // The editor's listeners hear of an edit before the document's next events are delivered.
    const stop = doc.on("change", ({ local }) => {
      if (!local) {
        stop();
        doc.insert(0, ">");
        quill?.insertText(quill.getLength() - 1, "<", "api");
      }
    });
    window.stage.seat(1).doc.insert(0, "remote ");
    window.stage.deliver(0);
    return [...window.stage.wrong(false), ...(doc.toString().endsWith("!<") ? [] : [doc.toString()])];
  });
  assert.deepEqual(wrong, []);
  assert.deepEqual(await page.evaluate(() => { window.stage.deliver(); return window.stage.wrong(true); }), []);
  await page.close();
});
