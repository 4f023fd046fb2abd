import { CrdtError } from "../error.js";
import { Events } from "../events.js";
import type { PresenceChange } from "../sync.js";

/** What a session shows the others: name, colour, selection, whatever is JSON. */
export type PresenceState = Readonly<Record<string, unknown>>;

export interface PresenceEvents {
  /** The sessions of which `states` holds another state now, or none any more. */
  change: { readonly sessions: readonly string[] };
}

/** The largest state, as JSON in bytes. */
const MAX_BYTES = 4096;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * What everybody in a document shows the others, as long as they are there. Names and colours come
 * from others: treat them as text that a stranger wrote.
 */
export class Presence {
  /** What the others show, by session id. This session is not among them. */
  readonly states: ReadonlyMap<string, PresenceState>;

  readonly #states = new Map<string, PresenceState>();
  readonly #events = new Events<PresenceEvents>();
  readonly #publish: (state: Uint8Array | undefined) => void;
  readonly #intervalMs: number;
  #local: PresenceState | null = null;
  #encoded: Uint8Array | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting = false;

  /** @internal */
  constructor(publish: (state: Uint8Array | undefined) => void, intervalMs: number) {
    this.states = this.#states;
    this.#publish = publish;
    this.#intervalMs = intervalMs;
  }

  /** What this session shows; `null` shows nothing. */
  get local(): PresenceState | null {
    return this.#local;
  }

  /** Shows `state` from now on. Several calls in a short time are sent as one, the last. */
  set(state: PresenceState | null): void {
    const encoded = state ? encoder.encode(JSON.stringify(state)) : undefined;
    if (encoded && encoded.length > MAX_BYTES) {
      throw new CrdtError("invalid-presence", `a presence state takes up to ${String(MAX_BYTES)} bytes of JSON`);
    }
    this.#local = state;
    this.#encoded = encoded;
    if (this.#timer === undefined) {
      this.#send();
    } else {
      this.#waiting = true;
    }
  }

  /** Changes some of what this session shows. */
  update(part: PresenceState): void {
    this.set({ ...this.#local, ...part });
  }

  on<Type extends keyof PresenceEvents>(type: Type, listener: (event: PresenceEvents[Type]) => void): () => void {
    return this.#events.on(type, listener);
  }

  /** @internal */
  received(changes: readonly PresenceChange[]): void {
    for (const { session, state } of changes) {
      const parsed = state && parse(state);
      if (parsed) {
        this.#states.set(session, parsed);
      } else {
        this.#states.delete(session);
      }
    }
    this.#events.emit("change", { sessions: changes.map(({ session }) => session) });
  }

  /** @internal */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = false;
    this.#states.clear();
    this.#events.clear();
  }

  #send(): void {
    this.#waiting = false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#waiting) {
        this.#send();
      }
    }, this.#intervalMs);
    this.#publish(this.#encoded);
  }
}

function parse(state: Uint8Array): PresenceState | undefined {
  try {
    const parsed: unknown = JSON.parse(decoder.decode(state));
    return typeof parsed === "object" && parsed !== null ? (parsed as PresenceState) : undefined;
  } catch {
    return undefined; // somebody else's bytes
  }
}
