/** Quill with formats and embeds: two people, real keys. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { Json, TextRun } from "../../src/core.js";
import { openPage } from "./harness.js";

async function setting(text: string): Promise<Page> {
  const page = await openPage();
  await page.evaluate((text) => { window.stage.set(["quill", "quill"], text, null); }, text);
  await page.evaluate(() => { window.stage.select(0, window.stage.seat(0).doc.length); });
  return page;
}

interface Held {
  readonly runs: TextRun[];
  readonly registers: [string, Json][];
  /** What each of the two editors holds. */
  readonly shown: unknown[];
}

/** Delivers everything; what is held then, the same by both documents and, for Quill, by both editors. */
async function held(page: Page): Promise<Held> {
  const [one, other] = await page.evaluate(() => {
    window.stage.deliver();
    return [0, 1].map((index) => {
      const { doc, quill } = window.stage.seat(index);
      return { runs: doc.runs(), registers: [...doc.registers()], shown: quill?.getContents().ops ?? [] };
    });
  });
  assert.ok(one && other);
  assert.deepEqual(other, one);
  return one;
}

test("Enter at the end of a heading leaves it, in the middle it makes two", async () => {
  const page = await setting("Title");
  await page.evaluate(() => { window.stage.seat(0).quill?.formatLine(0, 1, "header", 1, "user"); });
  assert.deepEqual((await held(page)).registers, [["last-line:header", 1]]);
  await page.keyboard.press("Enter");
  await page.keyboard.type("text");
  const { shown, registers } = await held(page);
  assert.deepEqual(shown, [{ insert: "Title" }, { attributes: { header: 1 }, insert: "\n" }, { insert: "text\n" }]);
  assert.deepEqual(registers, []);
  await page.evaluate(() => { window.stage.select(0, 2); });
  await page.keyboard.press("Enter");
  assert.deepEqual((await held(page)).shown, [
    { insert: "Ti" },
    { attributes: { header: 1 }, insert: "\n" },
    { insert: "tle" },
    { attributes: { header: 1 }, insert: "\n" },
    { insert: "text\n" },
  ]);
  await page.close();
});

test("a heading in the last line keeps what somebody else types there meanwhile", async () => {
  const page = await setting("Title");
  await page.evaluate(() => {
    window.stage.seat(0).quill?.formatLine(0, 1, "header", 2, "user");
    window.stage.seat(1).quill?.insertText(5, "!", "user");
    window.stage.seat(1).quill?.formatLine(0, 1, "align", "center", "user");
  });
  const { shown } = await held(page);
  assert.deepEqual(shown, [{ insert: "Title!" }, { attributes: { align: "center", header: 2 }, insert: "\n" }]);
  await page.close();
});

test("bold by key, a list by its sign, Tab in it, and formatting cleared again", async () => {
  const page = await setting("");
  await page.keyboard.type("- one");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Control+b");
  await page.keyboard.type("two");
  await page.keyboard.press("Control+b");
  await page.keyboard.type(" three");
  assert.deepEqual((await held(page)).shown, [
    { insert: "one" },
    { attributes: { list: "bullet" }, insert: "\n" },
    { attributes: { bold: true }, insert: "two" },
    { insert: " three" },
    { attributes: { indent: 1, list: "bullet" }, insert: "\n" },
  ]);
  await page.evaluate(() => { window.stage.seat(0).quill?.removeFormat(0, 99, "user"); });
  const { shown, runs, registers } = await held(page);
  assert.deepEqual(shown, [{ insert: "one\ntwo three\n" }]);
  assert.deepEqual(runs, [{ text: "one\ntwo three" }]);
  assert.deepEqual(registers, []);
  await page.close();
});

test("pasted rich content arrives with its formats", async () => {
  const page = await setting("before");
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData("text/html", '<h2>Head</h2><ul><li>one <strong>two</strong></ul><p><a href="https://a.example">link</a></p>');
    document.activeElement?.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  const { shown } = await held(page);
  assert.deepEqual(shown, [
    { insert: "beforeHead" },
    { attributes: { header: 2 }, insert: "\n" },
    { insert: "one " },
    { attributes: { bold: true }, insert: "two" },
    { attributes: { list: "bullet" }, insert: "\n" },
    { attributes: { link: "https://a.example" }, insert: "link" },
    { insert: "\n" },
  ]);
  await page.close();
});

test("what Quill does not know stays, shows as a placeholder, and survives cutting and pasting", async () => {
  const page = await setting("ab");
  await page.evaluate(() => {
    const { doc } = window.stage.seat(1);
    doc.insertEmbed(1, { poll: { question: "?", votes: [1, 2] } });
    doc.insertEmbed(0, { formula: "e=mc^2" }); // no KaTeX here
    doc.insertEmbed(0, 7);
    doc.mark(0, doc.length, "comment:1", { by: "ada" });
    window.stage.deliver();
    window.stage.select(0, 0, 4);
  });
  await page.keyboard.press("Control+x");
  await page.keyboard.press("End");
  await page.keyboard.press("Control+v");
  const { runs } = await held(page);
  assert.deepEqual(
    runs.map((run) => ("text" in run ? run.text : run.embed)),
    ["b", 7, { formula: "e=mc^2" }, "a", { poll: { question: "?", votes: [1, 2] } }],
  );
  assert.deepEqual(runs[0]?.marks, { "comment:1": { by: "ada" } });
  await page.close();
});

test("text typed within a comment that Quill does not know is in it", async () => {
  const page = await setting("ab");
  await page.evaluate(() => {
    const { doc } = window.stage.seat(1);
    doc.mark(0, 2, "comment:1", "!");
    window.stage.deliver();
    window.stage.select(0, 1);
  });
  await page.keyboard.type("x");
  await page.evaluate(() => { window.stage.select(0, 3); });
  await page.keyboard.type("y");
  assert.deepEqual((await held(page)).runs, [{ text: "axb", marks: { "comment:1": "!" } }, { text: "y" }]);
  await page.close();
});

test("formats and embeds from elsewhere wait while an input method composes", async () => {
  const page = await setting("one two");
  const input = await page.context().newCDPSession(page);
  await input.send("Input.imeSetComposition", { text: "か", selectionStart: 1, selectionEnd: 1 });
  const html = await page.evaluate(() => {
    const { doc } = window.stage.seat(1);
    doc.mark(0, 3, "bold", true);
    doc.insertEmbed(3, { image: "data:," });
    doc.set("last-line:header", 1);
    window.stage.deliver(0);
    return window.stage.seat(0).element.innerHTML;
  });
  assert.equal(html, "<p>one twoか</p>");
  await input.send("Input.insertText", { text: "漢" });
  assert.deepEqual((await held(page)).shown, [
    { attributes: { bold: true }, insert: "one" },
    { attributes: { bold: true }, insert: { image: "data:," } },
    { insert: " two漢" },
    { attributes: { header: 1 }, insert: "\n" },
  ]);
  await page.close();
});

test("what is composed where a deletion left the caret in front of a video is there once, or not at all", async () => {
  const page = await setting("one\n\nline\n");
  const input = await page.context().newCDPSession(page);
  const compose = (text: string): Promise<unknown> =>
    input.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  await page.evaluate(() => {
    window.stage.seat(0).quill?.insertEmbed(10, "video", "https://video.example/1", "user");
  });
  for (const result of ["", "字"]) {
    await page.evaluate(() => {
      const text = window.stage.seat(0).doc.toString();
      window.stage.seat(0).quill?.updateContents([{ retain: 5 }, { insert: "line\n" }, { delete: text.indexOf("\ufffc") - 5 }], "user");
      window.stage.select(0, 5);
    });
    await page.keyboard.press("Shift+ArrowDown");
    await page.keyboard.press("Backspace");
    await compose("z");
    await compose("zi");
    await (result === "" ? compose("") : input.send("Input.insertText", { text: result }));
    const { runs } = await held(page);
    assert.deepEqual(runs.at(0), { text: `one\n\n${result}\n` });
  }
  await page.close();
});

test("the caret stays where it is when Quill deletes something else than it was told", async () => {
  const page = await setting("\ntwo\nend");
  const selection = await page.evaluate(() => {
    const { doc } = window.stage.seat(1);
    doc.insertEmbed(1, { video: "https://video.example/1" });
    window.stage.deliver();
    window.stage.select(0, 5);
    doc.transact(() => {
      doc.insert(1, "a"); // Quill puts a "\n" behind it, which it then cannot take away
      doc.delete(6, 1);
    });
    window.stage.deliver();
    const quill = window.stage.seat(0).quill;
    const index = quill?.getSelection()?.index ?? -1;
    return quill?.getText(index - 3, 6);
  });
  assert.equal(selection, "twoend");
  await held(page);
  await page.close();
});

test("undo takes back formats and headings and brings the selection back; Quill's history does the same", async () => {
  const page = await setting("one two");
  await page.evaluate(() => { window.stage.select(0, 4, 7); });
  await page.keyboard.press("Control+b");
  await page.evaluate(() => {
    window.stage.seat(0).quill?.formatLine(0, 1, "header", 1, "user");
    window.stage.seat(1).doc.insert(0, "> ");
    window.stage.deliver();
  });
  await page.keyboard.press("Backspace");
  await page.keyboard.press("Control+z");
  assert.deepEqual(await page.evaluate(() => window.stage.selection(0)), [6, 9]);
  await page.keyboard.press("Control+z");
  await page.evaluate(() => {
    (window.stage.seat(0).quill?.getModule("history") as { undo(): void }).undo();
  });
  assert.deepEqual((await held(page)).shown, [{ insert: "> one two\n" }]);
  await page.keyboard.press("Control+y");
  assert.deepEqual((await held(page)).runs, [{ text: "> one " }, { text: "two", marks: { bold: true } }]);
  await page.close();
});

test("an editor that takes the focus back has its selection again", async () => {
  const page = await setting("one two");
  await page.evaluate(() => { window.stage.select(0, 4, 7); });
  const selection = await page.evaluate(() => {
    (document.activeElement as HTMLElement).blur();
    document.getSelection()?.removeAllRanges();
    window.stage.seat(0).quill?.focus();
    return window.stage.selection(0);
  });
  assert.deepEqual(selection, [4, 7]);
  await page.close();
});

test("a line that two people made a heading and a list shows the same to both, and what either chooses next", async () => {
  const page = await setting("line\nend");
  await page.evaluate(() => {
    window.stage.seat(0).quill?.formatLine(0, 1, "header", 1, "user");
    window.stage.seat(1).quill?.formatLine(0, 1, "list", "bullet", "user");
  });
  const both = await held(page);
  assert.deepEqual(both.shown, [{ insert: "line" }, { attributes: { list: "bullet" }, insert: "\n" }, { insert: "end\n" }]);
  await page.evaluate(() => { window.stage.seat(0).quill?.formatLine(0, 1, "list", false, "user"); });
  assert.deepEqual((await held(page)).runs, [{ text: "line\nend" }]);
  await page.close();
});

test("what Quill refuses to show in code, or in front of a video, is not lost and moves nothing", async () => {
  const page = await setting("code\nend");
  await page.evaluate(() => {
    window.stage.seat(0).quill?.formatLine(0, 1, "code-block", true, "user");
    window.stage.seat(1).quill?.insertEmbed(2, "image", "data:,", "user");
    window.stage.seat(1).doc.insertEmbed(7, { video: "https://video.example/1" });
    window.stage.deliver();
    window.stage.seat(0).quill?.insertText(5, "X", "user");
    window.stage.seat(0).quill?.formatLine(0, 1, "code-block", false, "user");
  });
  const { runs, shown } = await held(page);
  assert.deepEqual(runs, [
    { text: "co" },
    { embed: { image: "data:," } },
    { text: "de\nXe" },
    { embed: { video: "https://video.example/1" } },
    { text: "nd" },
  ]);
  assert.deepEqual(shown, [
    { insert: "co" },
    { insert: { image: "data:," } },
    { insert: "de\nXe\n" },
    { insert: { video: "https://video.example/1" } },
    { insert: "nd\n" },
  ]);
  await page.close();
});

test("a letter between two images that code hides, and a video beside one, are what they are", async () => {
  const page = await setting("l\n");
  await page.evaluate(() => {
    const [one, other] = [window.stage.seat(0), window.stage.seat(1)];
    one.quill?.formatLine(0, 1, "code-block", true, "user");
    window.stage.deliver();
    other.doc.insertEmbed(1, { image: "data:,2" });
    other.doc.insertEmbed(0, { image: "data:,1" });
    window.stage.deliver();
    one.quill?.updateContents([{ insert: "\n" }], "user");
    window.stage.deliver();
    other.doc.insertEmbed(1, { video: "https://video.example/1" });
  });
  const { runs, shown } = await held(page);
  assert.deepEqual(runs.map((run) => ("text" in run ? run.text : Object.keys(run.embed as object)[0])), ["\n", "video", "image", "l", "image", "\n"]);
  assert.deepEqual(shown, [
    { insert: "\n" },
    { insert: { video: "https://video.example/1" } },
    { insert: "l" },
    { attributes: { "code-block": "plain" }, insert: "\n" },
    { insert: "\n" },
  ]);
  await page.close();
});

test("a video behind a line of Quill's own has its formats", async () => {
  const page = await setting("one");
  await page.evaluate(() => {
    const { doc } = window.stage.seat(1);
    doc.transact(() => {
      doc.insertEmbed(3, { video: "https://video.example/1" });
      doc.mark(3, 1, "align", "center");
    });
  });
  assert.deepEqual((await held(page)).shown, [
    { insert: "one\n" },
    { attributes: { align: "center" }, insert: { video: "https://video.example/1" } },
    { insert: "\n" },
  ]);
  await page.close();
});

test("whatever values somebody sends, the editor goes on and positions stay right", async () => {
  const page = await setting("one\ntwo\nthree");
  const wrong = await page.evaluate(() => {
    const { doc } = window.stage.seat(1);
    const values: Json[] = [true, false, 0, 99, -1, "", "x", "javascript:alert(1)", [], ["a"], {}, { a: { b: 1 } }];
    const names = ["bold", "link", "color", "font", "size", "script", "header", "list", "code-block", "blockquote", "align", "indent", "direction", "table", "code", "block", "text", "break", "cursor", "image", "inline", "scroll", "container", "list-container", "table-cell", "code-block-container", "ui"];
    for (const name of names) {
      for (const value of values) {
        doc.mark(0, doc.length, name, value);
        doc.set(`last-line:${name}`, value);
        doc.insertEmbed(doc.length, { [name]: value });
        window.stage.deliver();
        const shown = window.stage.seat(0);
        const [alive] = [shown.doc.length];
        shown.quill?.insertText(1, "!", "user");
        window.stage.deliver();
        if (shown.doc.slice(1, 2) !== "!" || shown.doc.length !== alive + 1) {
          return [name, value, shown.doc.toString()];
        }
        doc.set(`last-line:${name}`, null);
        doc.mark(0, doc.length, name, null);
        doc.delete(13, doc.length - 13);
        window.stage.deliver();
      }
    }
    return [];
  });
  assert.deepEqual(wrong, []);
  await page.close();
});
