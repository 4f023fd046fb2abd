/** Editors turn "\r" into "\n" or, with a "\n" behind it, into nothing; positions would no longer fit. */
export function showable(text: string): string {
  return text.includes("\r") ? text.replaceAll("\r", "\u200b") : text;
}

/** Half surrogate pairs become U+FFFD: no document takes them. */
export function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, "\ufffd");
}

/** Whether `position` is between the halves of a surrogate pair. */
export function insidePair(text: string, position: number): boolean {
  return (
    (text.charCodeAt(position - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(position) & 0xfc00) === 0xdc00
  );
}
