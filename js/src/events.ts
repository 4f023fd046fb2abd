interface Subscription {
  readonly listener: (event: never) => void;
  active: boolean;
}

/**
 * Typed events whose listeners may do anything.
 *
 * An operation queues its events and then delivers. Events that a listener causes are delivered after
 * those under way have reached everybody, so all listeners see one order. A listener that throws harms
 * nobody: its error is reported as uncaught, outside this call.
 */
export class Events<Types extends object> {
  /** Replaced, never changed, so that delivery needs no copy. */
  readonly #subscriptions = new Map<keyof Types, readonly Subscription[]>();
  readonly #queue: { readonly type: keyof Types; readonly event: unknown }[] = [];
  #delivering = false;

  on<Type extends keyof Types>(type: Type, listener: (event: Types[Type]) => void): () => void {
    const subscription: Subscription = { listener, active: true };
    this.#subscriptions.set(type, [...(this.#subscriptions.get(type) ?? []), subscription]);
    return () => {
      subscription.active = false;
      const left = this.#subscriptions.get(type)?.filter((each) => each !== subscription);
      this.#subscriptions.set(type, left ?? []);
    };
  }

  /** Whether an event of this type would reach anybody. */
  heard(type: keyof Types): boolean {
    const subscriptions = this.#subscriptions.get(type);
    return subscriptions !== undefined && subscriptions.length > 0;
  }

  /** Adds an event to what `deliver` delivers. */
  queue<Type extends keyof Types>(type: Type, event: Types[Type]): void {
    if (this.heard(type)) {
      this.#queue.push({ type, event });
    }
  }

  /** Delivers what is queued, unless that is under way: then it is delivered there. */
  deliver(): void {
    if (this.#delivering || this.#queue.length === 0) {
      return;
    }
    this.#delivering = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      for (const subscription of this.#subscriptions.get(next.type) ?? []) {
        if (subscription.active) {
          call(subscription, next.event);
        }
      }
    }
    this.#delivering = false;
  }

  /** Queues one event and delivers. */
  emit<Type extends keyof Types>(type: Type, event: Types[Type]): void {
    this.queue(type, event);
    this.deliver();
  }

  /** Forgets all listeners and what was not delivered yet. */
  clear(): void {
    for (const subscriptions of this.#subscriptions.values()) {
      for (const subscription of subscriptions) {
        subscription.active = false;
      }
    }
    this.#subscriptions.clear();
    this.#queue.length = 0;
  }
}

function call(subscription: Subscription, event: unknown): void {
  try {
    (subscription.listener as (event: unknown) => void)(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
