/** A provider's presence without a provider; runs in the page. */
export class FakePresence {
  readonly states = new Map<string, unknown>();
  readonly listeners = new Set<() => void>();
  local: Record<string, unknown> = {};

  update(part: Record<string, unknown>): void {
    this.local = { ...this.local, ...part };
  }

  on(_type: "change", listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  show(session: string, state: unknown): void {
    this.states.set(session, state);
    for (const listener of this.listeners) {
      listener();
    }
  }
}
