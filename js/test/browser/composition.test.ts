import assert from "node:assert/strict";
import { test } from "node:test";
import type { CDPSession, Page } from "playwright-core";
import { openPage } from "./harness.js";

async function setting(kind: "textarea" | "quill" | "codemirror", text: string, caret: number): Promise<[Page, CDPSession]> {
  const page = await openPage();
  await page.evaluate(([kind, text]) => { window.stage.set([kind, kind], text); }, [kind, text] as const);
  await page.evaluate((caret) => { window.stage.select(0, caret); }, caret);
  return [page, await page.context().newCDPSession(page)];
}

function compose(input: CDPSession, text: string): Promise<unknown> {
  return input.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
}

/** What is on the screen (Quill itself does not know during a composition), and what the document holds. */
function look(page: Page): Promise<{ shown: string; text: string; selection: [number, number] }> {
  return page.evaluate(() => {
    const seat = window.stage.seat(0);
    return { shown: seat.quill ? seat.element.innerText.replace(/^\n$/, "") : seat.shown, text: seat.doc.toString(), selection: window.stage.selection(0) };
  });
}

for (const kind of ["textarea", "quill", "codemirror"] as const) {
  test(`${kind}: remote edits wait while an input method composes, and arrive when it ends`, async () => {
    const [page, input] = await setting(kind, "one two three", 7);
    await compose(input, "k");
    await compose(input, "か");
    await page.evaluate(() => {
      const other = window.stage.seat(1).doc;
      other.insert(0, ">> ");
      other.delete(7, 3); // "two"
      other.insert(other.length, "!");
      window.stage.deliver(0);
    });
    assert.equal((await look(page)).shown, "one twoか three");
    await compose(input, "かん");
    assert.equal((await look(page)).shown, "one twoかん three");
    await input.send("Input.insertText", { text: "漢" });
    const done = await look(page);
    assert.equal(done.text, ">> one 漢 three!");
    assert.equal(done.shown, done.text);
    assert.deepEqual(done.selection, [8, 8]);
    await page.keyboard.type("字");
    assert.equal((await look(page)).text, ">> one 漢字 three!");
    assert.deepEqual(await page.evaluate(() => { window.stage.deliver(); return window.stage.wrong(true); }), []);
    await page.close();
  });

  test(`${kind}: what others insert at the place of the composition is kept`, async () => {
    const [page, input] = await setting(kind, "", 0);
    await compose(input, "ni");
    await page.evaluate(() => {
      window.stage.seat(1).doc.insert(0, "hello");
      window.stage.deliver(0);
    });
    await compose(input, "nihao");
    await input.send("Input.insertText", { text: "你好" });
    const done = await look(page);
    assert.ok(["hello你好", "你好hello"].includes(done.text), done.text);
    assert.equal(done.shown, done.text);
    assert.deepEqual(await page.evaluate(() => { window.stage.deliver(); return window.stage.wrong(true); }), []);
    await page.close();
  });

  test(`${kind}: a composition that is given up leaves nothing behind`, async () => {
    const [page, input] = await setting(kind, "ab", 1);
    await compose(input, "k");
    await page.evaluate(() => {
      window.stage.seat(1).doc.insert(0, "x");
      window.stage.deliver(0);
    });
    await compose(input, "");
    await page.keyboard.press("ArrowRight");
    const done = await look(page);
    assert.equal(done.text, "xab");
    assert.equal(done.shown, "xab");
    await page.close();
  });

  test(`${kind}: emoji arrive whole`, async () => {
    const [page, input] = await setting(kind, "ab", 1);
    await input.send("Input.insertText", { text: "👩‍👩‍👧" });
    await page.keyboard.press("Backspace");
    await input.send("Input.insertText", { text: "😀😁" });
    await page.keyboard.press("Backspace");
    const done = await look(page);
    assert.equal(done.shown, done.text);
    assert.ok(done.text.endsWith("😀b"), done.text);
    assert.deepEqual(await page.evaluate(() => { window.stage.deliver(); return window.stage.wrong(true); }), []);
    await page.close();
  });
}
