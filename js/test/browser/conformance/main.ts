/**
 * `npm run -s conformance -- [--seeds N] [--text NAME] [BINDING…]` puts bindings under the suite and prints, for each,
 * `N passed, M failed`. With `CRDT_SEED=n` it runs that seed alone; with `--text`, all seeds edit that named text.
 */
import { launch } from "../chromium.js";
import { BINDINGS, type BindingName, Pair } from "./suite.js";

const { seeds, text, names } = readArguments(process.argv.slice(2));
const browser = await launch();
let anyFailed = false;
for (const name of names) {
  const pair = await Pair.of(browser, name);
  let failed = 0;
  for (const seed of seeds) {
    try {
      await pair.run(seed, text);
    } catch (error) {
      failed++;
      console.log(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  await pair.close();
  console.log(`${name}: ${String(seeds.length - failed)} passed, ${String(failed)} failed`);
  anyFailed ||= failed > 0;
}
await browser.close();
process.exitCode = anyFailed ? 1 : 0;

function readArguments(given: string[]): { seeds: number[]; text: string | undefined; names: readonly BindingName[] } {
  let count = Number(process.env["CRDT_SEEDS"] ?? 200);
  let text: string | undefined;
  const names: BindingName[] = [];
  for (let word = given.shift(); word !== undefined; word = given.shift()) {
    const name = BINDINGS.find((known) => known === word);
    if (word === "--seeds") {
      count = Number(given.shift());
    } else if (word === "--text") {
      text = given.shift();
    } else if (name) {
      names.push(name);
    } else {
      throw new Error(`no binding ${word}; there are ${BINDINGS.join(", ")}`);
    }
  }
  const only = process.env["CRDT_SEED"];
  const seeds = only === undefined ? Array.from({ length: count }, (_, index) => index + 1) : [Number(only)];
  return { seeds, text, names: names.length > 0 ? names : BINDINGS };
}
