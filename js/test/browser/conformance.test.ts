/** A few seeds of the suite; `npm run conformance` runs many. */
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch } from "./chromium.js";
import { BINDINGS, Pair } from "./conformance/suite.js";

const only = process.env["CRDT_SEED"];
const count = only === undefined ? Number(process.env["CRDT_SEEDS"] ?? 4) : 1;
let browser: Browser;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser.close();
});

for (const binding of BINDINGS) {
  const seeds = Array.from({ length: count }, () => (only === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(only)));
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
