import assert from "node:assert/strict";
import { test } from "node:test";
import { spliceBetween } from "../../src/bindings/splice.js";

function check(
  before: string,
  after: string,
  selection: [number, number] | undefined,
  caret: number,
  expected: [position: number, deleted: number, inserted: string] | undefined,
): void {
  const splice = spliceBetween(before, after, selection && { start: selection[0], end: selection[1] }, caret);
  assert.deepEqual(splice && [splice.position, splice.deleted, splice.inserted], expected);
}

test("a letter among equal ones is inserted where it was typed", () => {
  check("aaaa", "aaaaa", [2, 2], 3, [2, 0, "a"]);
  check("aaaa", "aaaaa", [4, 4], 5, [4, 0, "a"]);
});

test("a letter among equal ones is deleted where the caret was", () => {
  check("aaaa", "aaa", [2, 2], 1, [1, 1, ""]); // Backspace
  check("aaaa", "aaa", [2, 2], 2, [2, 1, ""]); // Delete
});

test("pasting over a selection replaces exactly that", () => {
  check("abcabc", "abcabcabc", [0, 3], 6, [0, 3, "abcabc"]);
  check("xyz", "xyz!", [3, 3], 4, [3, 0, "!"]);
});

test("deleting a word or a line goes back to the caret", () => {
  check("one two three", "one three", [8, 8], 4, [4, 4, ""]);
});

test("what the browser changed elsewhere is found between the first and the last difference", () => {
  check("teh cat sat", "the cat sat", [11, 11], 11, [1, 2, "he"]);
  check("hello world", "hello brave world", undefined, 0, [6, 0, "brave "]);
  check("abc", "abc", [0, 0], 2, undefined);
});

test("surrogate pairs are not taken apart", () => {
  check("😀", "😁", undefined, 0, [0, 2, "😁"]);
  check("a😀b", "a😀😀b", [3, 3], 5, [3, 0, "😀"]);
  // 😀 is d83d de00, 𞸀 is d83b de00: the same second half.
  check("😀", "𞸀", undefined, 0, [0, 2, "𞸀"]);
});
