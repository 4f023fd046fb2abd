/** Random numbers that a seed gives again (mulberry32). */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to before 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** From 0 to before `end`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)];
    if (chosen === undefined) {
      throw new RangeError("nothing to pick from");
    }
    return chosen;
  }
}

/** `CRDT_SEED`, which may be `random`, else 0: every run of the tests is the same. It is printed. */
export function givenSeed(): number {
  const given = process.env["CRDT_SEED"] ?? "0";
  const seed = given === "random" ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  console.log(`CRDT_SEED=${String(seed)}`);
  return seed;
}
