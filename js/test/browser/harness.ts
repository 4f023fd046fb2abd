/** A real Chromium with a page that has the package, Quill, and what `page.ts` makes of them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Stage } from "./page.js";

declare global {
  interface Window {
    readonly stage: Stage;
  }
}

const ADDRESS = "http://crdt.test/";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let browser: Browser;
let script: string;

before(async () => {
  const bundled = await build({
    entryPoints: [join(process.cwd(), "test/browser/page.ts")],
    bundle: true,
    format: "iife",
    write: false,
    tsconfigRaw: {},
  });
  script = bundled.outputFiles[0]?.text ?? "";
  browser = await chromium.launch({ executablePath: program(), args: FLAGS });
});

after(async () => {
  await browser.close();
});

function program(): string {
  const given = process.env["CHROMIUM"];
  if (given !== undefined && given !== "") {
    return given;
  }
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("which", [name], { encoding: "utf8" }).trim();
    } catch {
      // the next one
    }
  }
  throw new Error("no Chromium found: set CHROMIUM to the program, or install it (apt-get install chromium)");
}

/** Opens the page; errors in it fail the test that runs. */
export async function openPage(): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 700, height: 500 } });
  page.on("pageerror", (error) => {
    throw error;
  });
  const style = readFileSync(join(process.cwd(), "node_modules/quill/dist/quill.snow.css"), "utf8");
  const files: Record<string, [type: string, body: string]> = {
    "/": [
      "text/html",
      `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="quill.css">
       <style>body { font: 16px/1.4 sans-serif } .box { margin: 8px; width: 300px; height: 200px; float: left }</style>
       <body><script src="page.js"></script>`,
    ],
    "/page.js": ["text/javascript", script],
    "/quill.css": ["text/css", style],
  };
  await page.route("**/*", async (route) => {
    const file = files[new URL(route.request().url()).pathname];
    await (file
      ? route.fulfill({
          contentType: file[0],
          body: file[1],
          // As strict as a page can be that runs WebAssembly; Quill needs no more for styles that scripts set.
          headers: { "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'" },
        })
      : route.fulfill({ status: 404 }));
  });
  await page.goto(ADDRESS);
  return page;
}
