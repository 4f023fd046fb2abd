/** What a person may do next, drawn at random. */
import type { Random } from "../../random.js";

export type Action =
  /** By the editor's own interface. */
  | { readonly do: "edit"; readonly seed: number }
  /** From and to as fractions of the length. */
  | { readonly do: "select"; readonly anchor: number; readonly head: number }
  | { readonly do: "press"; readonly keys: readonly string[] }
  | { readonly do: "insert"; readonly text: string }
  | { readonly do: "drag"; readonly anchor: number; readonly head: number; readonly to: number }
  /** What an input method shows, one after the other, and what it leaves behind. Deliveries come in between. */
  | { readonly do: "compose"; readonly steps: readonly string[]; readonly result: string }
  /** So many of the deltas that wait arrive. */
  | { readonly do: "receive"; readonly count: number };

const TYPED = ["a", "b", "c", "d", " ", "x", "y", "."];
const MOVES = [
  ...["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"],
  ...["Shift+ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown", "Shift+Home", "Control+ArrowLeft"],
];
const CHANGES = ["Enter", "Enter", "Backspace", "Backspace", "Delete", "Control+Backspace", "Control+Delete"];
const COMPOSITIONS: readonly (readonly [steps: readonly string[], result: string])[] = [
  [["k", "か", "かん", "漢"], "漢"],
  [["n", "ni", "nih", "nihao"], "你好"],
  [["ㅎ", "하", "한"], "한"],
  [["´"], "é"],
];

/** What each of the two begins to compose and gives up. Nobody writes them otherwise. */
const GIVEN_UP = ["ж", "щ"] as const;

/** Whether `text` has something of a composition in it that this person gave up. */
export function leftBehind(text: string, person: 0 | 1): boolean {
  return text.includes(GIVEN_UP[person]);
}

/** Whether it reads or writes the clipboard, which all pages share. */
export function usesClipboard(action: Action): boolean {
  return action.do === "press" && action.keys.some((key) => /^Control\+[xcv]$/.test(key));
}

export function draw(random: Random, person: 0 | 1): Action {
  const roll = random.fraction();
  if (roll < 0.16) {
    return { do: "edit", seed: random.below(2 ** 32) };
  }
  if (roll < 0.24) {
    const anchor = random.fraction();
    return { do: "select", anchor, head: random.fraction() < 0.5 ? anchor : random.fraction() };
  }
  if (roll < 0.6) {
    return { do: "press", keys: typing(random) };
  }
  if (roll < 0.64) {
    return { do: "insert", text: random.pick(["😀", "👩‍👩‍👧", "é", "two words", "漢字"]) };
  }
  if (roll < 0.7) {
    return { do: "press", keys: [random.pick(["Control+x", "Control+c", "Control+v", "Control+v"])] };
  }
  if (roll < 0.76) {
    return { do: "press", keys: [random.pick(["Control+z", "Control+z", "Control+Shift+z", "Control+y"])] };
  }
  if (roll < 0.8) {
    const anchor = random.fraction();
    return { do: "drag", anchor, head: Math.min(1 - 1e-9, anchor + random.fraction() / 2), to: random.fraction() };
  }
  if (roll < 0.87) {
    const [steps, result] = random.pick(COMPOSITIONS);
    const letter = GIVEN_UP[person];
    return random.fraction() < 0.2
      ? { do: "compose", steps: [letter, letter + letter], result: "" }
      : { do: "compose", steps, result };
  }
  return { do: "receive", count: 1 + random.below(4) };
}

function typing(random: Random): string[] {
  const keys = [];
  for (let left = 1 + random.below(6); left > 0; left--) {
    const roll = random.fraction();
    keys.push(random.pick(roll < 0.55 ? TYPED : roll < 0.75 ? MOVES : CHANGES));
  }
  return keys;
}
