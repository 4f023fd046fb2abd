// Two people type a recorded session at the same time, and the relay dies in the middle.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { holds, launch, open, saveState, shownText, text } from "./browser.js";
import { loadHistory } from "./history.js";
import { Relay } from "./relay.js";
import { type Log, locate, type } from "./typist.js";

const TRANSACTIONS = 2_000;
/** Well below what a session may send. */
const PACE_MS = 10;
/** How many keys each person presses, unless they wait for each other, while the relay is gone. */
const OFFLINE_KEYS = 40;
const NAME = "friends forever";

let browser: Browser;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser.close();
});

test("two people type 2,000 transactions at once, lose the relay in the middle, and end with one text", async (context) => {
  const relay = await Relay.started();
  context.after(() => relay.remove());
  const history = loadHistory(TRANSACTIONS);
  // Two tabs of one browser: they tell each other by name what they typed, and its text goes through the relay only.
  const tabs = await browser.newContext();
  const pages = [await open(tabs, relay, NAME), await open(tabs, relay, NAME)] as const;

  const logs = Promise.all(
    pages.map((page, agent) => page.evaluate(type, { steps: history.scripts[agent] ?? [], channel: NAME, paceMs: PACE_MS })),
  );
  const middle = history.scripts.map((script) => Math.floor(script.length / 2));
  const reaches = async (keys: readonly number[], orWaits: boolean): Promise<void> => {
    await Promise.all(
      pages.map((page, agent) =>
        page.waitForFunction(
          ([done, orWaits]) =>
            window.progress !== undefined && (window.progress.done >= done || (orWaits && window.progress.waiting)),
          [keys[agent] ?? 0, orWaits] as const,
        ),
      ),
    );
  };
  await reaches(middle, false);
  await relay.kill();
  await Promise.all(pages.map((page) => saveState(page, "offline")));
  const lost = await Promise.all(pages.map((page) => page.evaluate(() => window.progress?.done ?? 0)));
  await reaches(lost.map((done) => done + OFFLINE_KEYS), true);
  const kept = await Promise.all(pages.map((page) => page.evaluate(() => window.progress?.done ?? 0)));
  await relay.start();

  const finished = await logs;
  await Promise.all(pages.map((page) => saveState(page, "saved")));
  const expected = survivors(finished);
  await Promise.all(pages.map((page) => holds(page, expected.size)));

  const [one, other] = await Promise.all(pages.map(text));
  assert.ok(one !== undefined && one === other, "both pages hold one text");
  assert.equal(await shownText(pages[0]), one);
  assert.equal(await shownText(pages[1]), one);
  assert.equal(await relay.text(NAME), one, "the relay has stored that text");

  const late = await open(tabs, relay, NAME);
  await holds(late, expected.size);
  assert.equal(await shownText(late), one, "a page opened afterwards shows that text");

  const typed = finished.flatMap((log) => log.typed);
  assert.equal(
    typed.length,
    history.scripts.flat().reduce((sum, step) => sum + step.inserted.length, 0),
    "everything was typed",
  );
  for (const page of [...pages, late]) {
    const found = (await page.evaluate(locate, typed)).filter(({ element }) => expected.has(element));
    for (const { element, character } of found) {
      assert.equal(character, expected.get(element), `element ${String(element)} is there`);
    }
    const places = new Set(found.map(({ position }) => position));
    assert.equal(places.size, expected.size, "every character that was typed and not deleted has a place of its own");
    assert.equal(one.length, expected.size, "and there is nothing else");
  }

  await relay.stop();
  await relay.start();
  const later = await open(tabs, relay, NAME);
  await holds(later, expected.size);
  assert.equal(await shownText(later), one, "the text is there after a restart");
  console.log(
    `${history.source}: ${String(history.transactions)} transactions, ${String(expected.size)} characters left, ` +
      `keys pressed while the relay was gone: ${kept.map((done, agent) => done - (lost[agent] ?? 0)).join(" and ")}`,
  );
  await tabs.close();
});

/** The characters that were typed and that nobody deleted, by element. */
function survivors(logs: readonly Log[]): Map<number, string> {
  const left = new Map(logs.flatMap(({ typed }) => typed.map(({ element, character }) => [element, character] as const)));
  for (const element of logs.flatMap(({ deleted }) => deleted)) {
    left.delete(element);
  }
  return left;
}
