// What a person sees: others, their carets, and whether the own edits are safe.

import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import { indicator, launch, open, saveState, shows, shownText } from "./browser.js";
import { Relay } from "./relay.js";

let browser: Browser;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser.close();
});

/** A relay of the test's own. */
async function relayFor(test: TestContext): Promise<Relay> {
  const relay = await Relay.started();
  test.after(() => relay.remove());
  return relay;
}

/** A page of a person who has a browser of their own. */
async function person(relay: Relay, name: string): Promise<Page> {
  return await open(await browser.newContext(), relay, name);
}

/** Keys pressed with the caret at the end of the text. */
async function typeAtEnd(page: Page, keys: string): Promise<void> {
  await page.locator(".ql-editor").focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(keys);
}

test("what both tabs type while the relay is stopped arrives once when it is back", async (context) => {
  const relay = await relayFor(context);
  const one = await person(relay, "stopped");
  const other = await person(relay, "stopped");
  await typeAtEnd(one, "Begun together.");
  await shows(other, "Begun together.");
  await Promise.all([saveState(one, "saved"), saveState(other, "saved")]);

  await relay.stop();
  await Promise.all([saveState(one, "offline"), saveState(other, "offline")]);
  assert.equal(await indicator(one), "Offline – everything is saved");
  await typeAtEnd(one, " One.");
  await typeAtEnd(other, " Other!");
  assert.equal(await indicator(one), "Offline – 5 edits kept in this tab");
  assert.equal(await indicator(other), "Offline – 7 edits kept in this tab");
  assert.equal(await shownText(one), "Begun together. One.");
  assert.equal(await shownText(other), "Begun together. Other!");

  await relay.start();
  await Promise.all([saveState(one, "saved"), saveState(other, "saved")]);
  assert.equal(await indicator(one), "Saved");
  const merged = ["Begun together. One. Other!", "Begun together. Other! One."];
  await one.waitForFunction((texts) => texts.includes(window.editor.doc.toString()), merged);
  const end = await shownText(one);
  await shows(other, end);
  assert.ok(merged.includes(end), end);
  assert.equal(await relay.text("stopped"), end);
});

test("a reload keeps the text and the person", async (context) => {
  const page = await person(await relayFor(context), "reloaded");
  await page.locator("#my-name").fill("Ada");
  await page.locator("#my-name").press("Enter");
  await typeAtEnd(page, "Still here");
  await page.waitForFunction(() => !window.editor.provider.saved.unsaved);
  await page.reload();
  await shows(page, "Still here");
  assert.equal(await page.locator("#my-name").inputValue(), "Ada");
});

test("others are shown with their names, colours and carets, and go when they leave", async (context) => {
  const relay = await relayFor(context);
  const one = await person(relay, "company");
  const other = await person(relay, "company");
  await other.locator("#my-name").fill("Grace");
  await other.locator("#my-name").press("Enter");
  const color = await other.locator("#my-color").inputValue();
  await typeAtEnd(other, "Hello from the other side");

  const chip = one.locator("#people .person");
  await chip.filter({ hasText: "Grace" }).waitFor();
  assert.equal(await chip.count(), 1, "one other person, and not oneself");
  assert.equal(await chip.evaluate((element) => getComputedStyle(element).getPropertyValue("--person")), color);
  const name = one.locator(".crdt-cursors .crdt-name", { hasText: "Grace" });
  await name.waitFor();
  const atEnd = (await name.boundingBox())?.x ?? 0;

  await other.keyboard.press("Home");
  await one.waitForFunction((x) => {
    const label = document.querySelector(".crdt-cursors .crdt-name");
    return label !== null && label.getBoundingClientRect().x < x;
  }, atEnd);

  await other.close();
  await chip.waitFor({ state: "detached" });
  await name.waitFor({ state: "detached" });
});

test("two tabs of one browser are two people", async (context) => {
  const relay = await relayFor(context);
  const browserOfBoth = await browser.newContext();
  const one = await open(browserOfBoth, relay, "tabs");
  const other = await open(browserOfBoth, relay, "tabs");
  const name = await other.locator("#my-name").inputValue();
  const color = await other.locator("#my-color").inputValue();
  await one.locator("#people .person", { hasText: name }).waitFor();
  assert.notEqual(color, await one.locator("#my-color").inputValue());
  await other.reload();
  await saveState(other, "saved");
  await one.locator("#people .person", { hasText: name }).waitFor();
  assert.equal(await other.locator("#my-name").inputValue(), name, "a reload does not make somebody new");
});

test("the address names the document, and a new one is empty", async (context) => {
  const page = await person(await relayFor(context), "plans & hopes");
  assert.equal(await page.locator("#document-name").innerText(), "plans & hopes");
  await typeAtEnd(page, "x");
  await page.waitForFunction(() => !window.editor.provider.saved.unsaved);
  await page.locator("#new-document").click();
  await page.waitForURL(/\?doc=text-[a-z]{8}$/);
  await saveState(page, "saved");
  assert.equal(await shownText(page), "");
});

test("the toolbar formats, and its undo takes that back; others see both", async (context) => {
  const relay = await relayFor(context);
  const one = await person(relay, "formats");
  const other = await person(relay, "formats");
  await typeAtEnd(one, "A title");
  assert.ok(await one.locator("#redo").isDisabled());
  await one.locator(".ql-picker.ql-header .ql-picker-label").click();
  await one.locator(".ql-picker.ql-header .ql-picker-item[data-value='1']").click();
  await one.keyboard.press("Enter");
  await one.locator("#toolbar .ql-bold").click();
  await one.keyboard.type("bold");
  await other.locator(".ql-editor h1", { hasText: "A title" }).waitFor();
  await other.locator(".ql-editor p strong", { hasText: "bold" }).waitFor();
  while (await one.locator("#undo").isEnabled()) {
    await one.locator("#undo").click();
  }
  await shows(other, "");
  await one.locator("#redo").click();
  await other.waitForFunction(() => window.editor.doc.length > 0);
});

test("an image that is picked is in everybody's text; one that is too large is made smaller", async (context) => {
  const relay = await relayFor(context);
  const one = await person(relay, "images");
  const other = await person(relay, "images");
  const picked = one.waitForEvent("filechooser");
  await one.locator("#toolbar .ql-image").click();
  const picture = await one.evaluate(() => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [900, 700];
    const paint = canvas.getContext("2d");
    const noise = paint?.createImageData(900, 700);
    if (paint && noise) {
      // Noise, which no format compresses well; so much at a time, the browser gives.
      for (let at = 0; at < noise.data.length; at += 65_536) {
        crypto.getRandomValues(noise.data.subarray(at, at + 65_536));
      }
      paint.putImageData(noise, 0, 0);
    }
    return canvas.toDataURL("image/png").split(",")[1] ?? "";
  });
  await (await picked).setFiles({ name: "noise.png", mimeType: "image/png", buffer: Buffer.from(picture, "base64") });
  await other.locator(".ql-editor img").waitFor();
  const source = await other.locator(".ql-editor img").getAttribute("src");
  assert.equal(source?.slice(0, 23), "data:image/webp;base64,");
  assert.ok(source.length <= 400_000);
  assert.equal(await one.evaluate(() => window.editor.doc.length), 1);
});

test("the history shows each version with who wrote it, keeps names and brings a version back", async (context) => {
  const relay = await relayFor(context);
  const one = await person(relay, "history");
  const other = await person(relay, "history");
  for (const [page, name] of [[one, "Ada"], [other, "Grace"]] as const) {
    await page.locator("#my-name").fill(name);
    await page.locator("#my-name").press("Enter");
  }
  await one.locator("#people .person", { hasText: "Grace" }).waitFor();
  await typeAtEnd(one, "Begun by Ada.");
  await shows(other, "Begun by Ada.");
  await typeAtEnd(other, " Ended by Grace.");
  await shows(one, "Begun by Ada. Ended by Grace.");

  await one.locator("#history-open").click();
  const text = one.locator("#history-text");
  const step = one.locator("#history-step");
  const slider = one.locator("#history-slider");
  assert.equal(await text.innerText(), "Begun by Ada. Ended by Grace.");
  assert.equal(await step.innerText(), "Step 29 of 29, by Grace");
  assert.deepEqual(await one.locator("#history-authors li").allInnerTexts(), ["Ada", "Grace"]);
  const color = await other.locator("#my-color").inputValue();
  const written = text.locator("span", { hasText: "Ended by Grace." });
  assert.equal(await written.evaluate((element) => getComputedStyle(element).getPropertyValue("--person")), color);
  assert.ok(await one.locator("#history-restore").isDisabled(), "that is what is there");
  assert.ok(await one.locator("#editor").isHidden());

  await slider.press("Home");
  await step.filter({ hasText: "The beginning" }).waitFor();
  assert.equal(await text.innerText(), "");
  for (let presses = 0; presses < 13; presses++) {
    await slider.press("ArrowRight");
  }
  await step.filter({ hasText: "Step 13 of 29, by Ada" }).waitFor();
  assert.equal(await text.innerText(), "Begun by Ada.");
  assert.equal(await text.locator("mark").innerText(), ".");
  await one.locator("#history-name").fill("Ada's part");
  await one.locator("#history-name").press("Enter");

  // The name is in the document, for everybody.
  await other.locator("#history-open").click();
  await other.locator("#history-versions .version", { hasText: "Ada's part" }).click();
  await other.locator("#history-step").filter({ hasText: "Ada's part" }).waitFor();
  assert.equal(await other.locator("#history-text").innerText(), "Begun by Ada.");
  await other.locator("#history-restore").click();
  await shows(other, "Begun by Ada.");
  await shows(one, "Begun by Ada.");
  assert.ok(await other.locator("#history").isHidden());
  await other.locator("#undo").click();
  await shows(one, "Begun by Ada. Ended by Grace.");

  await one.locator("#history-versions .forget").click();
  await other.waitForFunction(() => window.editor.doc.namedVersions().size === 0);
  await one.locator("#history-slider").press("Escape");
  assert.ok(await one.locator("#history").isHidden());
  assert.ok(await one.locator("#editor").isVisible());
});
