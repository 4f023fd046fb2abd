/** A few seeds of the suite; `npm run conformance` runs many. */
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { givenSeed } from "../random.js";
import { launch } from "./chromium.js";
import { BINDINGS, Pair } from "./conformance/suite.js";

const first = process.env["CRDT_SEED"] === undefined ? 1 : givenSeed();
const seeds = Array.from({ length: Number(process.env["CRDT_SEEDS"] ?? 4) }, (_, index) => first + index);
let browser: Browser;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser.close();
});

for (const binding of BINDINGS) {
  test(`${binding}: two people who edit at once, seeds ${seeds.join(", ")}`, async () => {
    const pair = await Pair.of(browser, binding);
    try {
      for (const seed of seeds) {
        await pair.run(seed);
      }
    } finally {
      await pair.close();
    }
  });
}
