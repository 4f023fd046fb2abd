export interface BackoffOptions {
  /** Shortest delay; default 250. */
  readonly minMs?: number;
  /** Longest delay; default 15,000. */
  readonly maxMs?: number;
}

/**
 * How long to wait before each next attempt: exponential, with decorrelated jitter, so that clients
 * which lost their server together do not come back together.
 */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #lastMs = 0;

  constructor(options: BackoffOptions = {}, random: () => number = Math.random) {
    this.#minMs = options.minMs ?? 250;
    this.#maxMs = Math.max(options.maxMs ?? 15_000, this.#minMs);
    this.#random = random;
  }

  /** The next delay; no shorter than what the server asked for. */
  next(atLeastMs = 0): number {
    const upTo = Math.min(this.#maxMs, Math.max(this.#minMs, this.#lastMs) * 3);
    this.#lastMs = this.#minMs + this.#random() * (upTo - this.#minMs);
    // Behind a delay that the server gave to all of its clients, the jitter spreads them.
    return Math.round(atLeastMs + this.#lastMs);
  }

  /** An attempt succeeded. */
  reset(): void {
    this.#lastMs = 0;
  }
}
