import assert from "node:assert/strict";
import { test } from "node:test";
import { givenSeed, Random } from "../random.js";
import { openPage } from "./harness.js";

const START = "The quick brown fox\njumps over\n\nthe lazy dog.";

for (const kinds of [["textarea", "textarea"], ["quill", "quill"], ["textarea", "quill", "quill"]] as const) {
  test(`random edits in ${kinds.join(" and ")} end in one text, which the editors show`, async () => {
    const page = await openPage();
    const random = new Random(givenSeed());
    for (let round = 0; round < 10; round++) {
      const seed = random.below(2 ** 32);
      await page.evaluate(([kinds, text]) => { window.stage.set(kinds, text); }, [kinds, round % 2 === 0 ? START : ""] as const);
      assert.deepEqual(await page.evaluate((seed) => window.stage.mix(seed, 150), seed), [], `seed ${String(seed)}`);
    }
    await page.close();
  });

  test(`keys pressed in ${kinds[0]} while edits arrive from ${kinds[1]} land where they were typed`, async () => {
    const page = await openPage();
    const random = new Random(givenSeed());
    await page.evaluate(([kinds, text]) => { window.stage.set(kinds, text); }, [kinds, START] as const);
    await page.evaluate(() => { window.stage.select(0, 9); });
    const keys = ["a", "b", " ", "Enter", "Backspace", "Delete", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "Shift+ArrowLeft", "Shift+ArrowRight", "Control+Backspace", "Shift+ArrowDown"];
    for (let press = 0; press < 150; press++) {
      await page.keyboard.press(random.pick(keys));
      const seed = random.below(2 ** 32);
      const wrong = await page.evaluate(
        ([seed, arrives]) => {
          const { stage } = window;
          const focus = document.activeElement;
          const [start, end] = stage.selection(0);
          stage.seat(1).doc.insert(0, String(seed % 10));
          if (arrives) {
            const before = stage.seat(0).doc.length;
            stage.deliver(0);
            const grown = stage.seat(0).doc.length - before;
            const [movedStart, movedEnd] = stage.selection(0);
            if (start > 0 && (movedStart !== start + grown || movedEnd !== end + grown)) {
              return [`selection ${String(start)}..${String(end)} became ${String(movedStart)}..${String(movedEnd)} after ${String(grown)}`];
            }
          }
          return focus === document.activeElement ? stage.wrong(false) : ["the focus moved"];
        },
        [seed, random.fraction() < 0.5] as const,
      );
      assert.deepEqual(wrong, []);
    }
    assert.deepEqual(await page.evaluate(() => { window.stage.deliver(); return window.stage.wrong(true); }), []);
    await page.close();
  });
}
