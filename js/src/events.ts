/**
 * Typed events whose listeners may do anything.
 *
 * Events wait in a queue: one that a listener causes is delivered after the running one has reached
 * everybody, so that all listeners see the same order. A listener that throws harms nobody: its error
 * is reported as uncaught, outside this call.
 */
export class Events<Types extends object> {
  readonly #listeners = new Map<keyof Types, Set<(event: never) => void>>();
  readonly #queue: (() => void)[] = [];
  #delivering = false;

  on<Type extends keyof Types>(type: Type, listener: (event: Types[Type]) => void): () => void {
    let listeners = this.#listeners.get(type);
    if (!listeners) {
      this.#listeners.set(type, (listeners = new Set()));
    }
    // Each subscription is its own, even of one function twice.
    const own = (event: Types[Type]): void => {
      listener(event);
    };
    listeners.add(own);
    return () => {
      listeners.delete(own);
    };
  }

  /** Whether an event of this type would reach anybody. */
  heard(type: keyof Types): boolean {
    return (this.#listeners.get(type)?.size ?? 0) > 0;
  }

  /** Sends the events of one operation, in this order; none of a later operation comes between. */
  emit(events: Partial<Types>): void {
    for (const type of Object.keys(events) as (keyof Types)[]) {
      const event = events[type] as Types[keyof Types];
      if (this.heard(type)) {
        this.#queue.push(() => {
          this.#deliver(type, event);
        });
      }
    }
    if (this.#delivering) {
      return;
    }
    this.#delivering = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        next();
      }
    } finally {
      this.#delivering = false;
    }
  }

  /** Forgets all listeners and what was not delivered yet. */
  clear(): void {
    this.#listeners.clear();
    this.#queue.length = 0;
  }

  #deliver<Type extends keyof Types>(type: Type, event: Types[Type]): void {
    const listeners = this.#listeners.get(type);
    for (const listener of [...(listeners ?? [])]) {
      if (!listeners?.has(listener)) {
        continue;
      }
      try {
        (listener as (event: Types[Type]) => void)(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
