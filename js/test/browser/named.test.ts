/** Two editors on one document, one on its main text and one on a named text, with one presence and one undo manager. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { bundle, launch, open } from "./chromium.js";
import { BINDINGS, type BindingName } from "./conformance/suite.js";
import type { Desk } from "./named_page.js";

declare global {
  interface Window {
    readonly desk: Desk;
  }
}

let browser: Browser;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser.close();
});

async function openDesk(binding: BindingName): Promise<Page> {
  const bundled = await bundle(`
    import { Desk } from "./named_page.js";
    import { adapter } from "./conformance/adapters/${binding}.js";
    Object.assign(window, { desk: new Desk(adapter) });`);
  return open(browser, bundled, (error) => {
    throw error;
  });
}

/** Editors publish and draw before the next frame, some of them in a task of its own. */
function settled(page: Page): Promise<unknown> {
  return page.evaluate(async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
}

for (const binding of BINDINGS) {
  test(`${binding}: carets of others are drawn in the text in which they are`, async () => {
    const page = await openDesk(binding);
    const carets = async (): Promise<unknown> => {
      await settled(page);
      return page.evaluate(() => window.desk.carets());
    };
    // At the ends of texts that nobody has edited.
    await page.evaluate(() => { window.desk.meet("f1", "notes", 0); });
    assert.deepEqual(await carets(), { main: 0, notes: 1 });
    await page.evaluate(() => { window.desk.meet("f2", undefined, 0); });
    assert.deepEqual(await carets(), { main: 1, notes: 1 });
    await page.evaluate(() => {
      window.desk.insert("main", 0, "the main text");
      window.desk.insert("notes", 0, "notes");
      window.desk.meet("f1", "notes", 2);
      window.desk.meet("f2", "notes", 5);
      window.desk.meet("f3", "elsewhere", 0);
    });
    assert.deepEqual(await carets(), { main: 0, notes: 2 });
    await page.evaluate(() => { window.desk.meet("f1", undefined, 13); });
    assert.deepEqual(await carets(), { main: 1, notes: 1 });
    assert.deepEqual(await page.evaluate(() => window.desk.texts()), ["the main text", "notes", true]);
    await page.close();
  });

  test(`${binding}: the selection that is published is that of the editor with the focus`, async () => {
    const page = await openDesk(binding);
    const published = async (): Promise<unknown> => {
      await settled(page);
      return page.evaluate(() => window.desk.published());
    };
    await page.evaluate(() => {
      window.desk.insert("main", 0, "the main text");
      window.desk.insert("notes", 0, "notes");
      window.desk.select("notes", 2);
    });
    assert.deepEqual(await published(), { main: undefined, notes: 2 });
    await page.evaluate(() => { window.desk.select("main", 13); });
    assert.deepEqual(await published(), { main: 13, notes: undefined });
    await page.evaluate(() => { window.desk.select("notes", 0); });
    assert.deepEqual(await published(), { main: undefined, notes: 0 });
    await page.evaluate(() => { (document.activeElement as HTMLElement).blur(); });
    assert.equal(await published(), null);
    await page.close();
  });

  test(`${binding}: what is undone brings the selection back in its own editor`, async () => {
    const page = await openDesk(binding);
    await page.evaluate(() => {
      window.desk.insert("main", 0, "the main text");
      window.desk.insert("notes", 0, "some notes");
      window.desk.undo.clear();
      window.desk.select("main", 4);
    });
    await settled(page);
    await page.keyboard.press("x");
    await page.evaluate(() => { window.desk.select("notes", 5, 10); });
    await settled(page);
    await page.keyboard.press("Backspace");
    await settled(page);
    assert.deepEqual(await page.evaluate(() => window.desk.texts()), ["the xmain text", "some ", true]);
    await page.evaluate(() => {
      window.desk.select("notes", 0);
      // As another person's.
      window.desk.doc.applyDelta(window.desk.remote("notes", "> "));
    });
    await settled(page);
    await page.keyboard.press("Control+z");
    await settled(page);
    assert.deepEqual(await page.evaluate(() => window.desk.texts()), ["the xmain text", "> some notes", true]);
    assert.deepEqual(await page.evaluate(() => window.desk.selection("notes")), { anchor: 7, head: 12 });
    await page.keyboard.press("Control+z");
    await settled(page);
    assert.deepEqual(await page.evaluate(() => window.desk.texts()), ["the main text", "> some notes", true]);
    assert.deepEqual(await page.evaluate(() => window.desk.selection("main")), { anchor: 4, head: 4 });
    await page.close();
  });
}
