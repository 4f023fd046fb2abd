import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { givenSeed, Random } from "../random.js";
import { bundle, type Bundle, launch, open } from "./chromium.js";
import type { Office } from "./prosemirror_page.js";

let browser: Browser;
let bundled: Bundle;

before(async () => {
  bundled = await bundle(`
    import { Office } from "./prosemirror_page.js";
    const office = new Office();
    Object.assign(window, { office: () => office });`);
  browser = await launch();
});

after(async () => {
  await browser.close();
});

async function openOffice(kinds: readonly ("prosemirror" | "quill")[], text = ""): Promise<Page> {
  const page = await open(browser, bundled, (error) => {
    throw error;
  });
  await page.evaluate(([kinds, text]) => { office().open(kinds, text); }, [kinds, text] as const);
  return page;
}

/** In the page. */
declare function office(): Office;

/** What the first editor shows, and what its document holds. */
function look(page: Page): Promise<{ shown: string; runs: unknown[] }> {
  return page.evaluate(() => {
    const { doc, editor } = office().desk(0);
    return { shown: String(editor.state.doc), runs: doc.runs() };
  });
}

test("what has no form in the document is refused, and changes neither side", async () => {
  const page = await openOffice(["prosemirror", "prosemirror"], "one\ntwo");
  const before = await look(page);
  const refused = await page.evaluate(() => {
    const { editor, refused } = office().desk(0);
    const { blockquote, heading } = editor.state.schema.nodes;
    const title = heading?.create({ level: 1 }, editor.state.schema.text("t"));
    editor.dispatch(editor.state.tr.replaceWith(0, 5, blockquote?.create(null, title) ?? []));
    return refused;
  });
  assert.deepEqual(refused, ["unsupported-content"]);
  assert.deepEqual(await look(page), before);
  assert.equal(await page.evaluate(() => office().desk(1).inbox.length), 0);
  await page.close();
});

test("keys undo what was done here, with marks and the selection, and nothing of others", async () => {
  const page = await openOffice(["prosemirror", "prosemirror"], "one two");
  await page.evaluate(() => { office().select(0, 1, 4); });
  await page.evaluate(() => {
    const { editor } = office().desk(0);
    editor.dispatch(editor.state.tr.addMark(1, 4, editor.state.schema.marks["strong"]?.create() ?? editor.state.schema.mark("em")));
  });
  await page.keyboard.press("Delete");
  await page.evaluate(() => {
    office().desk(1).doc.insert(7, "!");
    office().deliver();
  });
  assert.equal((await look(page)).shown, 'doc(paragraph(" two!"))');
  await page.keyboard.press("Control+z");
  assert.equal((await look(page)).shown, 'doc(paragraph(strong("one"), " two!"))');
  assert.deepEqual(await page.evaluate(() => { const { anchor, head } = office().desk(0).editor.state.selection; return [anchor, head]; }), [1, 4]);
  await page.keyboard.press("Control+z");
  assert.equal((await look(page)).shown, 'doc(paragraph("one two!"))');
  await page.keyboard.press("Control+Shift+z");
  await page.keyboard.press("Control+y");
  assert.equal((await look(page)).shown, 'doc(paragraph(" two!"))');
  await page.close();
});

test("a caret whose place the editor cannot show is there again when it can", async () => {
  const page = await openOffice(["prosemirror", "prosemirror"], "\nb\nx");
  const paragraphs = await page.evaluate(() => {
    const { doc } = office().desk(1);
    const paragraph = (): number => office().desk(0).editor.state.selection.$head.index(0);
    const edit = (make: () => void): number => {
      make();
      office().deliver();
      return paragraph();
    };
    edit(() => { doc.insertEmbed(0, { horizontal_rule: true }); });
    office().select(0, 2);
    return [
      paragraph(),
      edit(() => { doc.delete(2, 1); }),
      // Nothing but the rule is left of that line, and no caret can stand in it.
      edit(() => { doc.delete(1, 1); }),
      edit(() => { doc.insert(doc.length, "y"); }),
      edit(() => { doc.delete(0, 1); }),
      edit(() => { doc.insert(0, "new"); }),
    ];
  });
  assert.deepEqual(paragraphs, [1, 1, 1, 1, 0, 0]);
  await page.keyboard.press("!");
  assert.equal((await look(page)).shown, 'doc(paragraph("!new"), paragraph("xy"))');
  await page.close();
});

test("others' carets and selections are shown with their names and colours", async () => {
  const page = await openOffice(["prosemirror", "prosemirror"], "one two");
  const drawn = await page.evaluate(() => {
    office().select(1, 1, 4);
    const [here, there] = [office().desk(0), office().desk(1)];
    here.presence.show("0000000000000002", { name: "Ada", color: "#1f6feb", ...there.presence.local });
    const caret = here.editor.dom.querySelector<HTMLElement>(".crdt-caret");
    const selection = here.editor.dom.querySelector<HTMLElement>(".crdt-selection");
    return {
      name: caret?.shadowRoot?.textContent,
      color: caret?.style.borderLeftColor,
      before: caret?.previousSibling?.textContent,
      selected: selection?.textContent,
      shown: here.editor.dom.textContent,
    };
  });
  assert.deepEqual(drawn, { name: "Ada", color: "rgb(31, 111, 235)", before: "one", selected: "one", shown: "one two" });
  await page.evaluate(() => {
    const { doc, presence } = office().desk(0);
    doc.insert(0, ">> ");
    presence.show("0000000000000002", {});
  });
  assert.equal(await page.evaluate(() => office().desk(0).editor.dom.querySelector(".crdt-caret")), null);
  await page.close();
});

test("an editor that is given an older state writes the difference, one with a new state shows the document", async () => {
  const page = await openOffice(["prosemirror", "prosemirror"], "one two");
  await page.evaluate(() => {
    const { editor } = office().desk(0);
    const { state } = editor;
    editor.dispatch(state.tr.insertText("x", 3));
    editor.dispatch(editor.state.tr.insertText("y", 4));
    editor.updateState(state);
  });
  assert.deepEqual(await look(page), { shown: 'doc(paragraph("one two"))', runs: [{ text: "one two" }] });
  await page.evaluate(() => {
    const { editor } = office().desk(0);
    editor.updateState(office().stateWith(editor, editor.state.tr.insertText("x", 3).doc));
  });
  assert.deepEqual(await look(page), { shown: 'doc(paragraph("one two"))', runs: [{ text: "one two" }] });
  await page.evaluate(() => {
    const { editor } = office().desk(0);
    editor.dispatch(editor.state.tr.insertText("z", 3));
  });
  assert.deepEqual(await look(page), { shown: 'doc(paragraph("onze two"))', runs: [{ text: "onze two" }] });
  await page.close();
});

for (const kinds of [["prosemirror", "quill"], ["prosemirror", "prosemirror", "quill"]] as const) {
  test(`${kinds.join(" and ")} edit one document`, async () => {
    const page = await openOffice(kinds);
    const random = new Random(givenSeed());
    for (let round = 0; round < 5; round++) {
      const seed = random.below(2 ** 32);
      await page.evaluate((kinds) => { office().open(kinds, "The quick\nbrown fox\n"); }, kinds);
      assert.deepEqual(await page.evaluate((seed) => office().mix(seed, 80), seed), [], `seed ${String(seed)}`);
    }
    await page.close();
  });
}
