/** What JSON can say: the values of marks, embeds and registers. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The formatting of a stretch of text, by name. */
export type Marks = Readonly<Record<string, Json>>;

export const NO_MARKS: Marks = {};

/** Whether two values say the same; the order of an object's keys says nothing. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (one === other) {
    return true;
  }
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return false;
  }
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((value, index) => sameJson(value, other[index]))
    );
  }
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every(
      (key) =>
        Object.hasOwn(other, key) &&
        sameJson((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]),
    )
  );
}

/** The value of a mark; `null` if there is none. */
export function markOf(marks: Marks | undefined, name: string): Json {
  // A mark may be called "constructor".
  return (marks && Object.hasOwn(marks, name) ? marks[name] : undefined) ?? null;
}

/** Names and values of marks. */
export function eachMark(marks: Marks | undefined): [string, Json][] {
  return marks ? Object.entries(marks) : [];
}
