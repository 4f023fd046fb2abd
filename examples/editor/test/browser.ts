// A real Chromium, and what the tests say about the demo page in it.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Doc, UndoManager, WebSocketProvider } from "crdt-js";
import type Quill from "quill";

declare global {
  interface Window {
    /** Put there by the page. */
    editor: { doc: Doc; quill: Quill; provider: WebSocketProvider; undo: UndoManager };
  }
}

/** How long a page may take for anything; a limit and not a measurement. */
const LIMIT_MS = 120_000;

/** Names under which a Chromium is installed. */
const PROGRAMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** `$CHROMIUM`, else one from the `PATH`, else Playwright's own. */
export async function launch(): Promise<Browser> {
  const folders = process.env["PATH"]?.split(delimiter) ?? [];
  const installed = PROGRAMS.flatMap((name) => folders.map((folder) => join(folder, name)));
  const program = process.env["CHROMIUM"] ?? installed.find(existsSync);
  return await chromium.launch({
    ...(program === undefined ? {} : { executablePath: program }),
    // Root, as in containers, has no sandbox; the pages are our own.
    chromiumSandbox: false,
  });
}

/** Opens a document and waits until it is there. */
export async function open(context: BrowserContext, relay: { address: string }, name: string): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  page.on("pageerror", (error) => {
    console.error(`error in the page: ${error.stack ?? error.message}`);
    process.exitCode = 1;
  });
  await page.goto(`${relay.address}/?doc=${encodeURIComponent(name)}`);
  await saveState(page, "saved");
  return page;
}

/** Waits until the page's indicator says so. */
export async function saveState(page: Page, state: "saved" | "saving" | "offline"): Promise<void> {
  await page.waitForSelector(`#save[data-state="${state}"]`);
}

export async function indicator(page: Page): Promise<string> {
  return await page.locator("#save-text").innerText();
}

/** The text as the document has it. */
export async function text(page: Page): Promise<string> {
  return await page.evaluate(() => window.editor.doc.toString());
}

/** The text as a person sees it (Quill's last line end is not part of it). */
export async function shownText(page: Page): Promise<string> {
  return await page.evaluate(() => window.editor.quill.getText().replace(/\n$/, ""));
}

/** Waits until the page shows exactly this. */
export async function shows(page: Page, expected: string): Promise<void> {
  await page.waitForFunction((wanted) => window.editor.quill.getText().replace(/\n$/, "") === wanted, expected);
}

/** Waits until the page's document has this many characters. */
export async function holds(page: Page, characters: number): Promise<void> {
  try {
    await page.waitForFunction((length) => window.editor.doc.length === length, characters);
  } catch (error) {
    const { length } = await text(page);
    throw new Error(`the page holds ${String(length)} characters and not ${String(characters)}`, { cause: error });
  }
}
