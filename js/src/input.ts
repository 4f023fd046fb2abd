/** Refuses what WebAssembly would silently turn into something else. */
import { CrdtError } from "./error.js";
import type { Json, Marks } from "./json.js";

/** A position or length. */
export function whole(number: number): number {
  if (!Number.isInteger(number) || number < 0 || number > 0xffff_ffff) {
    throw new CrdtError("out-of-bounds", `${String(number)} is no position or length`);
  }
  return number;
}

/** The same as JSON; JavaScript knows values that are none. */
export function jsonText(value: Json): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) {
    throw new CrdtError("malformed", "the value is not JSON");
  }
  return text;
}

export function checkText(text: string): void {
  if (!isWellFormed(text)) {
    throw new CrdtError("ill-formed-text", "the text has half a surrogate pair in it");
  }
}

export function checkMarks(marks: Marks | undefined): void {
  if (marks) {
    Object.keys(marks).forEach(checkName);
  }
}

export function checkName(name: string): void {
  if (!isWellFormed(name) || name.includes("\0")) {
    throw new CrdtError("ill-formed-text", "the name has a NUL or half a surrogate pair in it");
  }
}

export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
