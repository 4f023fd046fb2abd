// Takes the pictures of docs/images: `npm run screenshots`.

import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { launch, open, saveState } from "./browser.js";
import { Relay } from "./relay.js";

const OUT = resolve("../../docs/images");
const NAME = "Three days in Trieste";
/** As Quill has it; the last line end is the editor's own. */
const CONTENT = [
  { insert: "Three days in Trieste" },
  { insert: "\n", attributes: { header: 1 } },
  { insert: "The train follows the sea for the last twenty minutes: " },
  { insert: "sit on the right", attributes: { bold: true } },
  { insert: ".\n" },
  { insert: { image: "PICTURE" } },
  { insert: "\nFriday" },
  { insert: "\n", attributes: { header: 2 } },
  { insert: "Coffee at San Marco; ask for a " },
  { insert: "nero", attributes: { italic: true } },
  { insert: ", not an espresso" },
  { insert: "\n", attributes: { list: "checked" } },
  { insert: "Up to the castle before it gets hot" },
  { insert: "\n", attributes: { list: "unchecked" } },
  { insert: "The path above the cliffs, back " },
  { insert: "by tram", attributes: { link: "https://www.triestetrasporti.it" } },
  { insert: "\n", attributes: { list: "unchecked" } },
  { insert: "Sunday is still open. " },
];
const LENGTH = CONTENT.reduce((sum, { insert }) => sum + (typeof insert === "string" ? insert.length : 1), 0);

interface Person {
  readonly name: string;
  readonly color: string;
  readonly options: BrowserContextOptions;
}

const browser = await launch();
const relay = await Relay.started();
await mkdir(OUT, { recursive: true });
try {
  const ada = await sit({ name: "Ada", color: "#0f6a8c", options: { viewport: { width: 1100, height: 840 } } });
  const grace = await sit({
    name: "Grace",
    color: "#9a3292",
    options: { viewport: { width: 1100, height: 840 }, colorScheme: "dark" },
  });
  const lin = await sit({
    name: "Lin",
    color: "#3d6b1f",
    options: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
  });
  await ada.evaluate(fill, CONTENT);
  await Promise.all([grace, lin].map((page) => page.waitForFunction((length) => window.editor.doc.length === length, LENGTH)));
  await ada.locator(".ql-editor").focus();
  await ada.keyboard.press("Control+End");
  await ada.keyboard.type("Swim at Barcola?");
  await select(grace, "before it gets hot");
  await select(lin, "twenty minutes");
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

  await relay.start();
  await saveState(ada, "saved");
  await ada.evaluate(() => {
    window.editor.doc.nameVersion("Before Sunday");
  });
  await grace.locator(".ql-editor").focus();
  await grace.keyboard.press("Control+End");
  await grace.keyboard.type(" The market, then an ice cream.");
  await ada.waitForFunction(() => window.editor.doc.toString().endsWith("ice cream."));
  await ada.locator("#history-open").click();
  for (let presses = 0; presses < 11; presses++) {
    await ada.locator("#history-slider").press("ArrowLeft");
  }
  await ada.locator("#history-versions .version").waitFor();
  await ada.screenshot({ path: `${OUT}/editor-history.png` });
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

/** Puts the content in, with a picture of an evening by the sea. Runs in the page. */
function fill(content: readonly { readonly insert: unknown }[]): void {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 200];
  const paint = canvas.getContext("2d");
  if (!paint) {
    throw new Error("no canvas");
  }
  const sky = paint.createLinearGradient(0, 0, 0, 130);
  [["#35507a", 0], ["#c98a7a", 0.62], ["#f6c98c", 1]].forEach(([color, at]) => {
    sky.addColorStop(Number(at), String(color));
  });
  paint.fillStyle = sky;
  paint.fillRect(0, 0, 640, 130);
  paint.fillStyle = "#fff1cf";
  paint.beginPath();
  paint.arc(430, 118, 26, 0, Math.PI * 2);
  paint.fill();
  const sea = paint.createLinearGradient(0, 130, 0, 200);
  sea.addColorStop(0, "#b98478");
  sea.addColorStop(1, "#2d4366");
  paint.fillStyle = sea;
  paint.fillRect(0, 130, 640, 70);
  paint.fillStyle = "#2a3550";
  paint.beginPath();
  paint.moveTo(0, 130);
  for (const [x, y] of [[0, 84], [60, 74], [130, 96], [200, 104], [290, 122], [340, 130]] as const) {
    paint.lineTo(x, y);
  }
  paint.fill();
  paint.fillStyle = "rgb(255 236 200 / 55%)";
  for (let line = 0; line < 9; line++) {
    const width = 46 - line * 2 + (line % 3) * 18;
    paint.fillRect(430 - width / 2 + (line % 2) * 6, 134 + line * 7, width, 2);
  }
  paint.fillStyle = "#1d2740";
  paint.beginPath();
  paint.moveTo(520, 140);
  paint.lineTo(572, 140);
  paint.lineTo(562, 150);
  paint.lineTo(530, 150);
  paint.fill();
  paint.beginPath();
  paint.moveTo(546, 138);
  paint.lineTo(546, 96);
  paint.lineTo(570, 136);
  paint.fill();
  const url = canvas.toDataURL("image/webp", 0.9);
  const { quill } = window.editor;
  const ops = content.map((op) => (typeof op.insert === "string" ? op : { insert: { image: url } }));
  quill.updateContents(ops as never, "user");
}

async function select(page: Page, words: string): Promise<void> {
  await page.evaluate((words) => {
    const { doc, quill } = window.editor;
    quill.focus();
    quill.setSelection(doc.toString().indexOf(words), words.length, "user");
  }, words);
}
