// Takes the pictures of docs/images: `npm run screenshots`.

import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { launch, open, saveState } from "./browser.js";
import { Relay } from "./relay.js";

const OUT = resolve("../../docs/images");
const NAME = "Three days in Trieste";
const TEXT = `Friday. The train follows the sea for the last twenty minutes; sit on the right.

Coffee at San Marco, then up to the castle before it gets hot. Ask for a nero, not an espresso.

Saturday: the path above the cliffs, an hour from Opicina, and back by tram if it runs again.

Sunday is still open. `;

interface Person {
  readonly name: string;
  readonly color: string;
  readonly options: BrowserContextOptions;
}

const browser = await launch();
const relay = await Relay.started();
await mkdir(OUT, { recursive: true });
try {
  const ada = await sit({ name: "Ada", color: "#0f6a8c", options: { viewport: { width: 1100, height: 720 } } });
  const grace = await sit({
    name: "Grace",
    color: "#9a3292",
    options: { viewport: { width: 1100, height: 720 }, colorScheme: "dark" },
  });
  const lin = await sit({
    name: "Lin",
    color: "#3d6b1f",
    options: { viewport: { width: 390, height: 760 }, deviceScaleFactor: 2 },
  });
  await ada.evaluate((text) => {
    window.editor.quill.insertText(0, text, "user");
  }, TEXT);
  await Promise.all([grace, lin].map((page) => page.waitForFunction((length) => window.editor.doc.length === length, TEXT.length)));
  await ada.locator(".ql-editor").focus();
  await ada.keyboard.press("Control+End");
  await ada.keyboard.type("Swim at Barcola?");
  await select(grace, "the path above the cliffs");
  await select(lin, "Ask for a nero");
  await Promise.all([ada, grace, lin].map((page) => saveState(page, "saved")));
  await ada.locator(".crdt-name", { hasText: "Lin" }).waitFor();
  await ada.screenshot({ path: `${OUT}/editor.png` });
  await grace.screenshot({ path: `${OUT}/editor-dark.png` });
  await lin.screenshot({ path: `${OUT}/editor-phone.png` });

  await relay.stop();
  await saveState(ada, "offline");
  await ada.keyboard.type(" Or the market.");
  await ada.locator("#save-text", { hasText: "15 edits" }).waitFor();
  await ada.screenshot({ path: `${OUT}/editor-offline.png` });
} finally {
  await browser.close();
  await relay.remove();
}

async function sit({ name, color, options }: Person): Promise<Page> {
  const page = await open(await browser.newContext(options), relay, NAME);
  await page.locator("#my-color").fill(color);
  await page.locator("#my-name").fill(name);
  await page.locator("#my-name").press("Enter");
  return page;
}

async function select(page: Page, words: string): Promise<void> {
  await page.evaluate((words) => {
    const { doc, quill } = window.editor;
    quill.focus();
    quill.setSelection(doc.toString().indexOf(words), words.length, "user");
  }, words);
}
