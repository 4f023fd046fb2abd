import type { BoundDoc, BoundPresence } from "./port.js";

/** A selection as positions: `anchor` stays where it began, `head` is where the caret blinks. */
export interface Selection {
  readonly anchor: number;
  readonly head: number;
}

/**
 * A selection as others get it in presence states: anchors, so that it holds in their text too. They are of one text of the
 * document, and resolve in no other.
 */
export interface SharedSelection {
  readonly anchor: string;
  readonly head: string;
}

/** Publishes one editor's selection; another editor's with the same presence is left alone. */
export class SelectionSharing {
  readonly #doc: BoundDoc;
  readonly #presence: BoundPresence | undefined;
  /** What we published last, if anything. */
  #shared: SharedSelection | undefined;

  constructor(doc: BoundDoc, presence: BoundPresence | undefined) {
    this.#doc = doc;
    this.#presence = presence;
  }

  /** Publishes where the selection is; `null` if the editor has none. */
  share(selection: Selection | null): void {
    const shared = this.#presence && selection ? this.#anchored(selection) : undefined;
    if (shared?.anchor === this.#shared?.anchor && shared?.head === this.#shared?.head) {
      return;
    }
    const isOurs = !this.#presence?.local || this.#presence.local["selection"] === this.#shared;
    this.#shared = shared;
    // The editor that has the focus now may have published before this one notices that it lost it.
    if (shared || isOurs) {
      this.#presence?.update({ selection: shared ?? null });
    }
  }

  #anchored({ anchor, head }: Selection): SharedSelection | undefined {
    // "before" what follows: so that a caret walks along with what its owner types, without a message.
    const share = (position: number): string => toBase64(this.#doc.anchorAt(position, "before"));
    try {
      const shared = share(head);
      return { anchor: anchor === head ? shared : share(anchor), head: shared };
    } catch {
      return undefined; // it ends inside a surrogate pair, or the document was freed
    }
  }
}

/** Where a selection that somebody sent stands here; `undefined` if it is none, or not known yet. */
export function resolveSelection(doc: BoundDoc, shared: unknown): Selection | undefined {
  if (typeof shared !== "object" || shared === null) {
    return undefined;
  }
  const { anchor, head } = shared as Partial<Record<keyof SharedSelection, unknown>>;
  if (typeof anchor !== "string" || typeof head !== "string") {
    return undefined;
  }
  try {
    const headAt = doc.resolveAnchor(fromBase64(head));
    const anchorAt = anchor === head ? headAt : doc.resolveAnchor(fromBase64(anchor));
    return headAt === undefined || anchorAt === undefined ? undefined : { anchor: anchorAt, head: headAt };
  } catch {
    return undefined; // somebody else's bytes
  }
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
