import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Doc } from "crdt-js";
import type { bindMonaco, Binding } from "crdt-js/monaco";
import type { editor } from "monaco-editor";
import type { Browser, Page } from "playwright-core";
import { bundle, type Bundle, launch, open } from "./chromium.js";
import type { FakePresence } from "./presence.js";

/** What `STAGE` makes in the page. */
interface Stage {
  doc: Doc;
  monaco: editor.IStandaloneCodeEditor;
  presence: FakePresence;
  binding: Binding;
  bind: typeof bindMonaco;
}

declare global {
  interface Window {
    set(text: string): Stage;
    on: Stage;
  }
}

const STAGE = `
  import { Doc } from "crdt-js";
  import { bindMonaco } from "crdt-js/monaco";
  import { editor } from "monaco-editor/editor.js";
  import { FakePresence } from "./presence.js";
  window.set = (text) => {
    const box = document.createElement("div");
    box.className = "box";
    document.body.replaceChildren(box);
    const doc = new Doc();
    doc.insert(0, text);
    const monaco = editor.create(box, { value: "else\\r\\nwhere", lineNumbers: "off", minimap: { enabled: false } });
    const presence = new FakePresence();
    return (window.on = { doc, monaco, presence, bind: bindMonaco, binding: bindMonaco(doc, monaco, { presence }) });
  };`;

let browser: Browser;
let bundled: Bundle;

before(async () => {
  bundled = await bundle(STAGE);
  browser = await launch();
});

after(async () => {
  await browser.close();
});

async function openPage(text: string): Promise<Page> {
  const page = await open(browser, bundled, (error) => {
    throw error;
  });
  await page.evaluate((text) => { window.set(text); }, text);
  return page;
}

/** What the document and the model hold. */
function texts(page: Page): Promise<[string, string | undefined]> {
  return page.evaluate(async () => {
    await Promise.resolve();
    return [window.on.doc.toString(), window.on.monaco.getModel()?.getValue()];
  });
}

test("monaco: ends of lines are one character, whatever the editor is given", async () => {
  const page = await openPage("one\ntwo");
  assert.deepEqual(await texts(page), ["one\ntwo", "one\ntwo"]);
  await page.evaluate(() => {
    const { doc, monaco } = window.on;
    monaco.executeEdits("test", [{ range: { startLineNumber: 2, startColumn: 1, endLineNumber: 2, endColumn: 1 }, text: "1.5\r\n" }]);
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- "\r\n", of an enumeration that is in the page only
    monaco.getModel()?.setEOL(1);
    doc.insert(doc.length, "\nthree");
  });
  assert.deepEqual(await texts(page), ["one\n1.5\ntwo\nthree", "one\n1.5\ntwo\nthree"]);
  await page.evaluate(() => { window.on.monaco.setValue("a\r\nb\r\nthree"); });
  assert.deepEqual(await texts(page), ["a\nb\nthree", "a\nb\nthree"]);
  await page.close();
});

test("monaco: another text is a change of what is different", async () => {
  const page = await openPage("one two three");
  const edits = await page.evaluate(() => {
    const seen: unknown[] = [];
    window.on.doc.on("change", (event) => seen.push(...event.edits));
    window.on.monaco.setValue("one 2 three");
    return seen;
  });
  assert.deepEqual(edits, [{ type: "delete", position: 4, length: 3 }, { type: "insert", position: 4, text: "2" }]);
  await page.close();
});

test("monaco: half surrogate pairs become U+FFFD", async () => {
  const page = await openPage("ab");
  await page.evaluate(() => {
    const range = { startLineNumber: 1, startColumn: 2, endLineNumber: 1, endColumn: 2 };
    window.on.monaco.getModel()?.applyEdits([{ range, text: "\ud83d" }]);
  });
  assert.deepEqual(await texts(page), ["a\ufffdb", "a\ufffdb"]);
  await page.close();
});

test("monaco: edits of listeners on both sides come in the right order", async () => {
  const page = await openPage("text");
  await page.evaluate(() => {
    const { doc, monaco } = window.on;
    const at = { startLineNumber: 1, startColumn: 1, endLineNumber: 1, endColumn: 1 };
    let edited = 0;
    monaco.getModel()?.onDidChangeContent(() => {
      if (edited++ < 3) {
        doc.insert(doc.length, String(edited));
        monaco.getModel()?.applyEdits([{ range: at, text: `<${String(edited)}>` }]);
      }
    });
    doc.on("change", () => {
      if (edited++ < 6) {
        monaco.getModel()?.applyEdits([{ range: at, text: "!" }]);
      }
    });
    monaco.executeEdits("test", [{ range: at, text: "-" }]);
    doc.insert(1, "remote");
  });
  const [text, shown] = await texts(page);
  assert.equal(shown, text);
  for (const part of ["-text", "!", "<", "remote"]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  await page.close();
});

test("monaco: others' carets and selections are drawn with name and colour, and go with the binding", async () => {
  const page = await openPage("first line\nsecond line");
  const look = (): Promise<{ carets: string[]; selections: string[] }> =>
    page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return {
        carets: [...document.querySelectorAll(".crdt-caret")].map(({ textContent }) => textContent),
        selections: [...document.querySelectorAll(".crdt-selection")].map((element) => getComputedStyle(element).backgroundColor),
      };
    });
  await page.evaluate(() => {
    const { doc, presence } = window.on;
    const anchor = (position: number): string => btoa(String.fromCharCode(...doc.anchorAt(position, "before")));
    presence.show("00000000000000f1", { name: "Ada", color: "#ff0000", selection: { anchor: anchor(6), head: anchor(17) } });
  });
  assert.deepEqual(await look(), { carets: ["Ada"], selections: ["rgba(255, 0, 0, 0.25)", "rgba(255, 0, 0, 0.25)"] });
  if (process.env["CRDT_SCREENSHOTS"]) {
    await page.screenshot({ path: `${process.env["CRDT_SCREENSHOTS"]}/cursors-monaco.png` });
  }
  await page.evaluate(() => { window.on.binding.destroy(); });
  assert.deepEqual(await look(), { carets: [], selections: [] });
  await page.close();
});

test("monaco: a binding publishes the selection, and takes it back when the editor loses the focus", async () => {
  const page = await openPage("some text");
  const shared = await page.evaluate(() => {
    const { monaco, presence } = window.on;
    monaco.focus();
    monaco.setSelection({ startLineNumber: 1, startColumn: 2, endLineNumber: 1, endColumn: 5 });
    return presence.local["selection"];
  });
  assert.ok(typeof shared === "object" && shared !== null && "anchor" in shared);
  await page.evaluate(() => { (document.activeElement as HTMLElement).blur(); });
  await page.waitForFunction(() => window.on.presence.local["selection"] === null);
  await page.close();
});
