import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { openPage } from "./harness.js";

interface Drawn {
  readonly name: string;
  readonly color: string;
  readonly left: number;
  readonly top: number;
}

/** Waits for the next frame, in which cursors are drawn. */
async function carets(page: Page): Promise<Drawn[]> {
  return page.evaluate(
    () =>
      new Promise<Drawn[]>((resolve) => {
        requestAnimationFrame(() => {
          requestAnimationFrame(() => {
            resolve(
              [...document.querySelectorAll<HTMLElement>(".crdt-caret")].map((caret) => {
                const { left, top } = caret.getBoundingClientRect();
                return { name: caret.textContent, color: caret.style.backgroundColor, left, top };
              }),
            );
          });
        });
      }),
  );
}

/** Shows seat 1's own selection to seat 0. */
async function show(page: Page, person: Record<string, unknown>): Promise<void> {
  await page.evaluate((person) => {
    window.stage.seat(0).presence.show("0000000000000001", { ...window.stage.seat(1).presence.local, ...person });
  }, person);
}

for (const kind of ["quill", "codemirror", "textarea"] as const) {
  test(`${kind}: others' carets stand where their selection is, with name and colour`, async () => {
    const page = await openPage();
    await page.evaluate((kind) => {
      window.stage.set([kind, kind], "one two three\nsecond line");
      window.stage.select(1, 7);
    }, kind);
    await show(page, { name: "Ada", color: "#ff0000" });
    const [before] = await carets(page);
    assert.ok(before);
    assert.deepEqual([before.name, before.color], ["Ada", "rgb(255, 0, 0)"]);

    // It walks with the text, without a message of its owner's.
    await page.evaluate(() => { window.stage.seat(0).doc.insert(0, "wide "); });
    const [moved] = await carets(page);
    assert.ok(moved && moved.left > before.left && moved.top === before.top);
    await page.evaluate(() => { window.stage.seat(0).doc.insert(0, "\n"); });
    const [lower] = await carets(page);
    assert.ok(lower && lower.top > moved.top);

    await page.evaluate(() => {
      window.stage.seat(0).presence.states.clear();
      window.stage.seat(0).presence.show("0000000000000001", {});
    });
    assert.deepEqual(await carets(page), []);
    assert.deepEqual(await page.evaluate(() => window.stage.seat(0).shown), "\nwide one two three\nsecond line");
    await page.close();
  });

  test(`${kind}: a selection is drawn over all its lines`, async () => {
    const page = await openPage();
    await page.evaluate((kind) => {
      window.stage.set([kind, kind], "one two three\n\nfourth line\nlast");
      window.stage.select(1, 4, 20);
    }, kind);
    await show(page, { name: "Bo" });
    const [caret] = await carets(page);
    assert.ok(caret);
    const boxes = await page.evaluate(() => [...document.querySelectorAll(".crdt-selection")].map((box) => box.getBoundingClientRect().width));
    // CodeMirror shows selected ends of lines, too.
    assert.equal(boxes.length, { quill: 2, codemirror: 3, textarea: 2 }[kind]);
    assert.ok(boxes.every((width) => width > 5 && width < (kind === "quill" ? 200 : 300)), boxes.join());
    if (process.env["CRDT_SCREENSHOTS"]) {
      await page.screenshot({ path: `${process.env["CRDT_SCREENSHOTS"]}/cursors-${kind}.png` });
    }
    await page.close();
  });

  test(`${kind}: what a stranger says of himself is text, and no more`, async () => {
    const page = await openPage();
    await page.evaluate((kind) => {
      window.stage.set([kind, kind], "text");
      window.stage.select(1, 2);
    }, kind);
    await show(page, { name: "<img src=x onerror=alert(1)>".repeat(9), color: "red;background:url(x)" });
    const [caret] = await carets(page);
    assert.ok(caret);
    assert.ok(caret.name.startsWith("<img src=x"));
    assert.equal(caret.name.length, 40);
    assert.match(caret.color, /^rgb\(\d+, \d+, \d+\)$/);
    for (const selection of [null, 5, {}, { anchor: "!", head: "?" }, { anchor: "AAAA", head: "AAAA" }]) {
      await show(page, { selection });
      assert.deepEqual(await carets(page), []);
    }
    await page.close();
  });

}

test("a binding publishes the selection, and takes it back when the editor loses the focus", async () => {
  const page = await openPage();
  for (const kind of ["quill", "textarea", "codemirror"] as const) {
    const [focused, blurred] = await page.evaluate(async (kind) => {
      window.stage.set([kind], "some text");
      const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      window.stage.select(0, 2, 6);
      await frame();
      const seat = window.stage.seat(0);
      const focused = seat.presence.local["selection"];
      (document.activeElement as HTMLElement).blur();
      await frame();
      return [focused, seat.presence.local["selection"]];
    }, kind);
    assert.ok(focused !== null && typeof focused === "object" && "anchor" in focused && "head" in focused);
    assert.equal(blurred, null);
  }
  await page.close();
});

test("an editor without the focus does not take back what another one published", async () => {
  const page = await openPage();
  const selection = await page.evaluate(async () => {
    window.stage.set(["textarea", "quill"], "some text");
    const shared = window.stage.seat(0).presence;
    window.stage.bindAnother(1, shared);
    window.stage.select(0, 2, 6);
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return shared.local["selection"];
  });
  assert.ok(selection !== null && typeof selection === "object");
  await page.close();
});
