// What the two people of the browser test type: a recorded trace, or a made-up history of the same form, told in terms
// of *elements* (characters with names) instead of positions, so that it can be typed while positions are moving.

import { Doc } from "crdt-js";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";

/** One change of a recorded text: at `position`, `deleted` characters go and `inserted` comes. */
type Patch = readonly [position: number, deleted: number, inserted: string];

interface Transaction {
  /** Indices of the transactions that its author had seen. */
  readonly parents: readonly number[];
  readonly agent: number;
  readonly patches: readonly Patch[];
}

/** What one person does in one transaction. Element names count from 0 over the whole history. */
export interface Step {
  /** Elements to delete. */
  readonly deleted: readonly number[];
  /** What to type, the name of its first element, and the element it stands behind (`null`: the start). */
  readonly inserted: string;
  readonly first: number;
  readonly after: number | null;
}

export interface History {
  readonly source: string;
  /** The transactions of each agent, in its own order. */
  readonly scripts: readonly [readonly Step[], readonly Step[]];
  readonly transactions: number;
}

const TRACE = "friendsforever.json.gz";
/** The root of the repository, seen from `examples/editor`, where the tests run. */
const ROOT = resolve(process.cwd(), "../..");

/** The first `count` transactions of friendsforever or, where the traces are missing, of a made-up history. */
export function loadHistory(count: number): History {
  const file = resolve(process.env["CRDT_TRACES"] ?? resolve(ROOT, "../shared/traces"), TRACE);
  if (existsSync(file)) {
    const trace = JSON.parse(gunzipSync(readFileSync(file)).toString()) as { txns: Transaction[] };
    return { source: TRACE, scripts: scripts(trace.txns.slice(0, count)), transactions: count };
  }
  console.warn(`\n*** SKIPPED: ${file} is missing. Typing a made-up history instead; set CRDT_TRACES. ***\n`);
  return { source: "made up", scripts: scripts(madeUp(count)), transactions: count };
}

/** Replays transactions with one document per agent, to learn which elements each of them touched. */
function scripts(transactions: readonly Transaction[]): [Step[], Step[]] {
  // The lower agent wins where both typed at one place: here the larger replica ID does.
  const agents = ["0000000000000002", "0000000000000001"].map((replica) => ({
    doc: new Doc({ replica }),
    seen: new Set<number>(),
    script: [] as Step[],
  }));
  const deltas: Uint8Array[] = [];
  const names = new Map<string, number>();
  let next = 0;
  for (const [index, { parents, agent, patches }] of transactions.entries()) {
    const author = agents[agent];
    const [patch] = patches;
    if (!author || !patch || patches.length !== 1) {
      throw new Error(`transaction ${String(index)}: two agents and one patch each were expected`);
    }
    const { doc, seen, script } = author;
    for (const missing of unseen(parents, seen, transactions)) {
      doc.applyDelta(deltas[missing] ?? new Uint8Array());
    }
    const [position, deleted, inserted] = patch;
    if (inserted.length !== Array.from(inserted).length) {
      throw new Error(`transaction ${String(index)}: characters outside the BMP would need other positions`);
    }
    /** The element in front of a position. */
    const elementBefore = (at: number): number => {
      const name = names.get(anchorKey(doc, at));
      if (name === undefined) {
        throw new Error(`transaction ${String(index)}: nobody typed what stands before ${String(at)}`);
      }
      return name;
    };
    const step: Step = {
      deleted: Array.from({ length: deleted }, (_, offset) => elementBefore(position + offset + 1)),
      inserted,
      first: next,
      after: position === 0 ? null : elementBefore(position),
    };
    const delta = doc.transact(() => {
      doc.delete(position, deleted);
      doc.insert(position, inserted);
    });
    for (let offset = 1; offset <= inserted.length; offset += 1) {
      names.set(anchorKey(doc, position + offset), next);
      next += 1;
    }
    deltas.push(delta ?? new Uint8Array());
    seen.add(index);
    script.push(step);
  }
  for (const { doc } of agents) {
    doc.free();
  }
  return [agents[0]?.script ?? [], agents[1]?.script ?? []];
}

/** What a transaction's author had seen by then and this document has not, causes first; marks it seen. */
function unseen(parents: readonly number[], seen: Set<number>, transactions: readonly Transaction[]): number[] {
  const missing: number[] = [];
  const open = [...parents];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    if (!seen.has(parent)) {
      seen.add(parent);
      missing.push(parent);
      open.push(...(transactions[parent]?.parents ?? []));
    }
  }
  return missing.sort((one, other) => one - other);
}

/** A name for the element in front of `position` that is the same in every copy. */
function anchorKey(doc: Doc, position: number): string {
  return Buffer.from(doc.anchorAt(position, "after")).toString("hex");
}

/** Two people who type words and correct themselves, both for a while from one text, then from the merged one. */
function madeUp(count: number): Transaction[] {
  const PHASE = 50;
  let random = 20_261;
  const below = (limit: number): number => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((random / 2 ** 32) * limit);
  };
  const transactions: Transaction[] = [];
  const last: (number | undefined)[] = [undefined, undefined];
  let common = 0;
  while (transactions.length < count) {
    const tips = last.filter((tip) => tip !== undefined);
    const lengths = [common, common];
    for (const agent of [0, 1]) {
      let position = below(common + 1);
      let typed = 0;
      for (let number = 0; number < PHASE && transactions.length < count; number += 1) {
        const correct = typed > 1 && below(8) === 0;
        const patch: Patch = correct
          ? [position - 1, 1, ""]
          : [position, 0, below(6) === 0 ? " " : String.fromCharCode(97 + below(26))];
        const step = correct ? -1 : 1;
        position += step;
        typed += step;
        lengths[agent] = (lengths[agent] ?? 0) + step;
        transactions.push({ parents: number === 0 ? tips : [transactions.length - 1], agent, patches: [patch] });
      }
      last[agent] = transactions.length - 1;
    }
    common = (lengths[0] ?? 0) + (lengths[1] ?? 0) - common;
  }
  return transactions;
}
