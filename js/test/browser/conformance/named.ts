/** Which seeds edit a named text, and what the main text holds beside it. */

/** Stays as it is where a named text is edited, but for what a program writes. */
export const MAIN_TEXT = "the main text";

/** The text that a seed edits: of five seeds, one edits a named text. */
export function textOf(seed: number): string | undefined {
  return seed % 5 === 2 ? "notes" : undefined;
}
