/** A real Chromium, and pages in it that run a bundle of this folder. Needs no network. */
import { execFileSync } from "node:child_process";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";

/** What a page loads. */
export interface Bundle {
  readonly script: string;
  readonly style: string;
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
const PAGE = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="page.css">
  <style>body { font: 16px/1.4 sans-serif } .box { margin: 8px; width: 300px; height: 200px; float: left }</style>
  <body><script src="page.js"></script>`;
/** As strict as a page can be that runs WebAssembly; editors need no more for styles that scripts set. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:";

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: program(), args: FLAGS });
}

/** Bundles what `source`, written in `test/browser`, imports. Packages are the built ones. */
export async function bundle(source: string): Promise<Bundle> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: `${process.cwd()}/test/browser`, loader: "ts" },
    outdir: "out",
    bundle: true,
    format: "iife",
    write: false,
    loader: { ".ttf": "dataurl" },
    logLevel: "error",
    tsconfigRaw: {},
  });
  const text = (extension: string): string => outputFiles.find(({ path }) => path.endsWith(extension))?.text ?? "";
  return { script: text(".js"), style: text(".css") };
}

/** Opens a page with `bundled`; `failed` hears of errors that nobody caught in it. */
export async function open(browser: Browser, bundled: Bundle, failed: (error: Error) => void): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 700, height: 500 } });
  page.on("pageerror", failed);
  const files: Record<string, [type: string, body: string]> = {
    "/": ["text/html", PAGE],
    "/page.js": ["text/javascript", bundled.script],
    "/page.css": ["text/css", bundled.style],
  };
  await page.route("**/*", async (route) => {
    const file = files[new URL(route.request().url()).pathname];
    await (file
      ? route.fulfill({ contentType: file[0], body: file[1], headers: { "content-security-policy": POLICY } })
      : route.fulfill({ status: 404 }));
  });
  await page.goto(ADDRESS);
  return page;
}

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
