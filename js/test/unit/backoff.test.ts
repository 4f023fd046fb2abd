import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../src/providers/backoff.js";

test("delays grow up to the limit, are never below the least, and start over", () => {
  const worst = new Backoff({ minMs: 100, maxMs: 2000 }, () => 1);
  assert.deepEqual([1, 2, 3, 4, 5].map(() => worst.next()), [300, 900, 2000, 2000, 2000]);
  worst.reset();
  assert.equal(worst.next(), 300);
  const best = new Backoff({ minMs: 100, maxMs: 2000 }, () => 0);
  assert.deepEqual([1, 2, 3].map(() => best.next()), [100, 100, 100]);
});

test("a delay that the server asked for is kept, and spread", () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 2000 }, () => 0.5);
  assert.equal(backoff.next(5000), 5200);
});
