/** Pages that have the package, editors, and what `page.ts` makes of them; the browser lives as long as the tests of a file. */
import { after, before } from "node:test";
import type { Browser, Page } from "playwright-core";
import { bundle, type Bundle, launch, open } from "./chromium.js";
import type { Stage } from "./page.js";

declare global {
  interface Window {
    readonly stage: Stage;
  }
}

let browser: Browser;
let bundled: Bundle;

before(async () => {
  bundled = await bundle(`import { Stage } from "./page.js"; Object.assign(window, { stage: new Stage() });`);
  browser = await launch();
});

after(async () => {
  await browser.close();
});

/** Opens the page; errors in it fail the test that runs. */
export function openPage(): Promise<Page> {
  return open(browser, bundled, (error) => {
    throw error;
  });
}
