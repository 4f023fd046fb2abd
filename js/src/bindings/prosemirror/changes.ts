/** What an editor's transactions change, step by step, for the document. */
import type { Node } from "prosemirror-model";
import type { Transaction } from "prosemirror-state";
import type { Mappable } from "prosemirror-transform";
import type { Lag } from "../lag.js";
import type { Flat } from "./flat.js";
import { changedBetween, changedBy } from "./splice.js";
import { type Blocks, sameNodes, stretchOf, withNeighbours, type Writer } from "./write.js";

/** Nodes that the editor should show instead of some of its blocks. */
export interface Patch {
  readonly blocks: Blocks;
  readonly nodes: readonly Node[];
}

/** For the transactions of one update; within one transaction of the document. */
export class Changes {
  /** Whether the kinds of lines could not be compared, because the editor lags behind. */
  unsure = false;
  readonly #writer: Writer;
  readonly #flat: Flat;
  readonly #lag: Lag;
  /** Where what blocks there are may have changed; places. */
  #stretch: { readonly from: number; readonly to: number } | undefined;

  constructor(writer: Writer, flat: Flat, lag: Lag) {
    this.#writer = writer;
    this.#flat = flat;
    this.#lag = lag;
  }

  /** `shows`: the document has it already. */
  write(transaction: Transaction, shows: boolean): void {
    const versions = [...transaction.docs, transaction.doc];
    if (shows) {
      this.#map(transaction.mapping);
    } else if (versions.every((version) => supported(this.#flat, version))) {
      transaction.steps.forEach((step, index) => {
        const before = transaction.docs[index] ?? transaction.before;
        const after = transaction.docs[index + 1] ?? transaction.doc;
        this.#map(step.getMap());
        const changed = changedBy(step, before, after);
        if (changed && this.#writer.write(before, after, changed)) {
          this.#add(changed.from, changed.newTo);
        }
      });
    } else {
      // A version in between has no form in the document.
      this.#map(transaction.mapping);
      this.writeBetween(transaction.before, transaction.doc);
    }
  }

  writeBetween(before: Node, after: Node): void {
    // Nobody may have looked through a state that came past the plugin's filter.
    this.#flat.size(after);
    const changed = changedBetween(before, after);
    if (changed) {
      this.#writer.write(before, after, changed);
      this.#add(changed.from, changed.newTo);
    }
  }

  /** Writes the kinds of lines of the last version. Returns what to show if the document has no form for what that holds. */
  writeBlocks(content: Node): Patch | undefined {
    if (!this.#stretch) {
      return undefined;
    }
    const indexOf = (place: number): number => Math.min(content.resolve(place).index(0), content.childCount - 1);
    const blocks = withNeighbours(content, indexOf(this.#stretch.from), indexOf(this.#stretch.to));
    this.#writer.writeFormats(content, blocks);
    if (!this.#lag.none) {
      this.unsure = true;
      return undefined;
    }
    const nodes = this.#writer.nodes(...stretchOf(this.#flat, content, blocks));
    return sameNodes(nodes, content, blocks) ? undefined : { blocks, nodes };
  }

  #map(change: Mappable): void {
    if (this.#stretch) {
      this.#stretch = { from: change.map(this.#stretch.from, -1), to: change.map(this.#stretch.to, 1) };
    }
  }

  #add(from: number, to: number): void {
    const stretch = this.#stretch;
    this.#stretch = stretch ? { from: Math.min(stretch.from, from), to: Math.max(stretch.to, to) } : { from, to };
  }
}

/** Whether everything in it has a form in the document. */
export function supported(flat: Flat, content: Node): boolean {
  try {
    flat.size(content);
    return true;
  } catch {
    return false;
  }
}
