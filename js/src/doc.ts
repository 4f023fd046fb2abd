import { Doc as WasmDoc, UndoManager as WasmUndoManager } from "../wasm/crdt_wasm.js";
import { type AnyEdit, replaced, type TextEdit, type TextRun } from "./edit.js";
import { needEngine } from "./engine.js";
import { CrdtError, fromWasm } from "./error.js";
import { Events } from "./events.js";
import { checkMarks, checkName, checkText, isWellFormed, jsonText, whole } from "./input.js";
import { type Json, type Marks, NO_MARKS } from "./json.js";
import { marksToText, PacketReader, type PendingReport, textToMarks, writeRuns } from "./packet.js";
import { randomReplica, replicaBits } from "./replica.js";
import type { List } from "./list.js";
import type { NamedText } from "./named-text.js";
import { Sequences } from "./sequences.js";
import { DocSync, type SyncHandlers } from "./sync.js";
import { Versions } from "./versions.js";

export interface DocOptions {
  /**
   * 16 hexadecimal digits. By default drawn at random, which is right: two copies that issue operations
   * under one id corrupt the document. For tests.
   */
  readonly replica?: string;
}

/** The text changed. */
export interface ChangeEvent {
  readonly edits: readonly TextEdit[];
  /** What the caller of `transact` or `applyDelta` named; otherwise `"local"` or `"remote"`. */
  readonly origin: unknown;
  /** Whether it was edited here. */
  readonly local: boolean;
}

/** The document holds operations that it did not hold before, which may not show in the text yet. */
export interface VersionEvent {
  readonly origin: unknown;
  readonly local: boolean;
}

/** A selection whose ends are encoded anchors. @internal */
export interface AnchoredSelection {
  readonly anchor: Uint8Array;
  readonly head: Uint8Array;
}

/** @internal */
export interface UndoPort {
  readonly undo: WasmUndoManager;
  /** Nothing once the document is freed. */
  doc(): WasmDoc | undefined;
  /** `undefined` if there was nothing to undo or redo. */
  step(which: "undo" | "redo", origin: unknown): { selection: AnchoredSelection | undefined } | undefined;
}

/** @internal */
export type Tracker = (edits: readonly TextEdit[], origin: unknown) => void;

interface OpenTransaction {
  /** The number of its first operation. */
  readonly from: number;
  readonly edits: AnyEdit[];
  readonly origin: unknown;
  /** Whether the engine was told of it. */
  stamped?: true;
}

export interface DocEvents {
  change: ChangeEvent;
  /** One transaction of this replica, encoded: what others have to apply. */
  delta: Uint8Array;
  version: VersionEvent;
}

/** Which ends of a mark take up what is typed there. */
export type Expand = "before" | "after" | "both" | "none";

/**
 * One copy of a replicated text, with formatting and embeds.
 *
 * Positions and lengths are UTF-16 code units, as in JavaScript strings; an embed counts one, and stands in plain
 * text as U+FFFC. Copies that have applied the
 * same deltas, in whatever order and however often, hold the same text. Events are delivered when the
 * operation that caused them has finished, so listeners may edit the document.
 */
export class Doc extends Versions {
  /** The name under which this copy issues operations: 16 hexadecimal digits. */
  readonly replica: string;

  readonly #events = new Events<DocEvents>();
  #wasm: WasmDoc | undefined;
  /** The open transaction. */
  #open: OpenTransaction | undefined;
  /** Of the innermost `transact`. */
  #origin: unknown = "local";
  readonly #trackers = new Set<Tracker>();
  #sequences: Sequences | undefined;
  /** As `plain` says, negated; asked once, until it is true. */
  #rich = false;

  constructor(options: DocOptions = {}, /** @internal */ open = (bits: bigint): WasmDoc => new WasmDoc(bits)) {
    super();
    this.replica = options.replica ?? randomReplica();
    const bits = replicaBits(this.replica);
    needEngine();
    try {
      this.#wasm = open(bits);
      this.#rich = this.#wasm.rich;
    } catch (error) {
      throw fromWasm(error);
    }
  }

  /** The document that `snapshot()` gave, as a new replica. */
  static fromSnapshot(snapshot: Uint8Array, options: DocOptions = {}): Doc {
    return new Doc(options, (bits) => WasmDoc.fromSnapshot(bits, snapshot));
  }

  /**
   * A document that starts with `content`, which never doubles: everybody who seeds the document called `document` with the
   * same content makes the same operations. Seed with what is fixed, such as a template.
   */
  static seeded(content: string | readonly TextRun[], document: string, options: DocOptions = {}): Doc {
    const runs = typeof content === "string" ? [{ text: content }] : content;
    if (!runs.every((run) => !("text" in run) || isWellFormed(run.text)) || !isWellFormed(document)) {
      throw new CrdtError("ill-formed-text", "the text has half a surrogate pair in it");
    }
    return new Doc(options, (bits) => WasmDoc.seeded(bits, writeRuns(runs), document));
  }

  get length(): number {
    return this.#live().length;
  }

  override toString(): string {
    return this.#live().text();
  }

  /** The text from `start` to before `end`. Unlike a string's `slice`, refuses what is outside. */
  slice(start: number, end: number = this.length): string {
    return this.ask((wasm) => wasm.slice(whole(start), whole(end)));
  }

  /** Whether it never held anything but text: no mark, no embed, no register. */
  get plain(): boolean {
    this.#live();
    return !this.#rich;
  }

  /**
   * The content from `start` to before `end`, in runs of text that have the same marks. An embed is a run of its own.
   * What is outside is refused.
   */
  runs(start = 0, end: number = this.length): TextRun[] {
    return this.ask((wasm) => new PacketReader(wasm.runs(whole(start), whole(end))).runs());
  }

  /**
   * Inserts `text` in front of the character at `position`, with exactly these marks; without `marks`, with those
   * that grow at this place (see `setExpand`).
   */
  insert(position: number, text: string, marks?: Marks): void {
    const wasm = this.#live();
    whole(position);
    checkMarks(marks);
    checkText(text);
    this.#edit(() => {
      if (this.#isPlain(marks)) {
        wasm.insert(position, text);
        return text === "" ? undefined : { type: "insert", position, text };
      }
      this.#stamp();
      const got = textToMarks(wasm.insertMarked(position, text, marks && marksToText(marks)));
      this.#rich = true;
      return text === "" ? undefined : { type: "insert", position, text, ...got };
    });
  }

  /**
   * Inserts something that is no text (an image, a formula, a mention) as one element with a value, with marks as
   * `insert` does.
   */
  insertEmbed(position: number, value: Json, marks?: Marks): void {
    const wasm = this.#live();
    whole(position);
    checkMarks(marks);
    this.#edit(() => {
      this.#stamp();
      const got = textToMarks(wasm.insertEmbed(position, jsonText(value), marks && marksToText(marks)));
      this.#rich = true;
      return { type: "embed", position, value, ...got };
    });
  }

  /**
   * Gives the embed at `position` another value; it stays the same embed, with its marks, wherever others write and move. Of
   * values that several people give one at once, the same stays for everybody. Listeners learn of a deletion and an insertion.
   *
   * @throws CrdtError `"no-embed"` if there is text at `position`
   */
  replaceEmbed(position: number, value: Json): void {
    const wasm = this.#live();
    whole(position);
    this.#edit(() => {
      this.#stamp();
      return replaced(position, value, textToMarks(wasm.replaceEmbed(position, jsonText(value))));
    });
  }

  /**
   * Gives `length` code units from `position` on a mark; `null` removes it. Of what several people say of one
   * character's mark at once, the same holds for everybody.
   */
  mark(position: number, length: number, name: string, value: Json): void {
    const wasm = this.#live();
    const end = whole(whole(position) + whole(length));
    checkName(name);
    this.#edit(() => {
      this.#stamp();
      if (value === null) {
        wasm.unmark(position, end, name);
      } else {
        wasm.mark(position, end, name, jsonText(value));
      }
      this.#rich = true;
      return length === 0 ? undefined : { type: "mark", position, length, name, value };
    });
  }

  /**
   * Gives a register a value; `null` empties it. Registers are for what there is one of in a document, such as its title. Of
   * values that several people give one at once, the same stays for everybody.
   */
  set(name: string, value: Json): void {
    const wasm = this.#live();
    checkName(name);
    this.#edit(() => {
      this.#stamp();
      wasm.set(name, value === null ? "" : jsonText(value));
      this.#rich = true;
      return { type: "register", name, value };
    });
  }

  /** What a register holds; `null` if nothing. */
  get(name: string): Json {
    return this.registers().get(name) ?? null;
  }

  /** All registers that hold something. */
  registers(): Map<string, Json> {
    const wasm = this.#live();
    return this.#rich ? new PacketReader(wasm.registers()).registers() : new Map<string, Json>();
  }

  /**
   * Says whether text that is typed at an end of a mark here gets it, too. By default marks grow at their end
   * (`"after"`), but for links, comments and what formats lines (`header`, `list`, `code-block` …), which do not grow.
   * Of a name like `comment:7` the part in front of `:` counts. Concerns marks that are made here from now on.
   */
  setExpand(name: string, expand: Expand): void {
    this.#live().setExpand(name, ["before", "after", "both", "none"].indexOf(expand));
  }

  /**
   * The text of this name beside the main text. Whoever edits a name edits the same text, which is in the same version, delta
   * and snapshot as everything in the document. Empty until somebody edits it.
   */
  text(name: string): NamedText {
    checkName(name);
    return this.#named().text(name);
  }

  /** The list of this name, as `text`. A text and a list of one name are two. */
  list(name: string): List {
    checkName(name);
    return this.#named().list(name);
  }

  /** All named texts and lists that anybody has edited. */
  sequences(): { readonly kind: "text" | "list"; readonly name: string }[] {
    return new PacketReader(this.#live().sequences()).sequences();
  }

  /** Deletes `length` code units from `position` on. */
  delete(position: number, length: number): void {
    const wasm = this.#live();
    const end = whole(whole(position) + whole(length));
    this.#edit(() => {
      wasm.delete(position, end);
      return length === 0 ? undefined : { type: "delete", position, length };
    });
  }

  /**
   * Runs `edit`, whose edits leave as one delta and one `change` event. Returns that delta, or
   * `undefined` if nothing was edited.
   *
   * Inside another transaction it is part of that one (whose origin the event names) and returns `undefined`. If `edit` throws, the
   * edits it made stay, their events are sent, and the error is thrown on.
   *
   * @param origin what `change` events name as their origin
   */
  transact(edit: () => void, origin: unknown = "local"): Uint8Array | undefined {
    const wasm = this.#live();
    const outer = this.#origin;
    this.#origin = origin;
    if (this.#open) {
      try {
        edit();
      } finally {
        this.#origin = outer;
      }
      return undefined;
    }
    const open: OpenTransaction = { from: wasm.issued(), edits: [], origin };
    this.#open = open;
    let delta: Uint8Array | undefined;
    let failed = true;
    try {
      edit();
      failed = false;
    } finally {
      this.#origin = outer;
      this.#open = undefined;
      if (open.stamped) {
        this.#wasm?.endTransaction();
      }
      if (open.edits.length > 0 && this.#wasm) {
        // Encoding is the cost of an edit: not for an error's sake if nobody listens.
        if (!failed || this.#events.heard("delta")) {
          delta = wasm.issuedSince(open.from);
        }
        this.#tell(open, delta);
      }
    }
    return delta;
  }

  /** What this document has seen, for `deltaSince` of another one. */
  version(): Uint8Array {
    return this.#live().version();
  }

  /** Everything that a document with this `version()` lacks; without one, everything. */
  deltaSince(version?: Uint8Array): Uint8Array {
    return this.ask((wasm) => wasm.deltaSince(version));
  }

  /**
   * Applies a delta of another document: all of it or, when it is refused, nothing. May come twice
   * and in any order; operations whose cause is missing wait (`pending()`).
   *
   * @returns what changed in the text
   */
  applyDelta(delta: Uint8Array, origin: unknown = "remote"): TextEdit[] {
    const wasm = this.#live();
    this.#refuseInTransaction();
    let edits: AnyEdit[];
    try {
      edits = new PacketReader(wasm.apply(delta)).edits();
      this.#rich ||= wasm.rich;
    } catch (error) {
      throw fromWasm(error);
    }
    this.#applied(edits, origin);
    return edits.filter(isOfMainText);
  }

  /** What waits for operations that have not arrived. */
  pending(): PendingReport {
    return new PacketReader(this.#live().pending()).pending();
  }

  /**
   * The whole state, for `Doc.fromSnapshot`, which reads both profiles.
   *
   * @param options `profile`: `"fast"` (the default) opens fastest; `"compact"` is smallest, takes some ten times as long to write, and
   * longer to open
   */
  snapshot(options: { readonly profile?: "fast" | "compact" } = {}): Uint8Array {
    return this.#live().snapshot(options.profile === "compact");
  }

  /**
   * The document as it was at a version, as a document of its own, with the operations of that version and no other; it can go on, and
   * be merged. O(*n* log *n*).
   *
   * @throws CrdtError `"not-reached"`, `"not-a-state"`, `"trimmed"`; `"replica-in-use"` if operations of `options.replica` are in it
   */
  at(version: Uint8Array, options: DocOptions = {}): Doc {
    const wasm = this.#live();
    return new Doc(options, (bits) => wasm.at(bits, version));
  }

  /**
   * Brings the content back to what it was at a version, by new operations: nothing is lost, and what others say at the same time merges as
   * ever. What showed then and shows now stays, with the carets in it. Marks, registers, named texts and lists are as they were, too; names
   * of versions stay. One transaction, undone in one step; {@link UndoManager.stop} before and after keeps typing out of that. O(*n* log *n*).
   *
   * @returns what changed in the text
   * @throws CrdtError `"not-reached"`, `"not-a-state"`, `"trimmed"`; `"full"` if there is no room for it; `"in-transaction"`
   */
  restore(version: Uint8Array, origin: unknown = "local"): TextEdit[] {
    return this.#say(origin, (wasm) => new PacketReader(wasm.restore(version)).edits()).filter(isOfMainText);
  }

  /**
   * Gives the present version a name, or an earlier one; everybody gets it with the next delta. A name that is given again names the new
   * version; of two who give one name at once, the same one holds for everybody. Undo leaves names.
   *
   * @param name at most 1,011 bytes of UTF-8
   * @throws CrdtError `"name-too-long"`, `"not-reached"`, `"in-transaction"`
   */
  nameVersion(name: string, version?: Uint8Array): void {
    checkName(name);
    this.#say("local", (wasm) => {
      wasm.nameVersion(name, version);
      return [];
    });
  }

  /** Takes the name from a version, if it has one; as `nameVersion`. */
  forgetVersion(name: string): void {
    checkName(name);
    this.#say("local", (wasm) => {
      wasm.forgetVersion(name);
      return [];
    });
  }

  /**
   * Forgets deleted text and history before a version, which every replica that is still to be heard of must have passed. What shows stays.
   *
   * No operation: other copies keep what they have. What arrives later and builds on what is gone is refused with `"trimmed"`, never
   * merged wrongly: that copy has to load the document anew, from a snapshot. To trim beyond what a relay has stored makes its provider stop,
   * with the same code. O(*n* log *n*).
   *
   * @throws CrdtError `"not-reached"`, `"not-a-state"`, `"in-transaction"`
   */
  trim(version: Uint8Array): void {
    this.#refuseInTransaction();
    this.ask((wasm) => {
      wasm.trim(version);
    });
  }

  /**
   * A name for a place that survives edits: it stays before the character behind `position` (or, with
   * `"after"`, after the one in front of it), also when that is deleted.
   */
  anchorAt(position: number, side: "before" | "after"): Uint8Array {
    return this.ask((wasm) => wasm.anchorAt(whole(position), side === "before"));
  }

  /** Where an anchor stands now; `undefined` while its character has not arrived here. */
  resolveAnchor(anchor: Uint8Array): number | undefined {
    return this.ask((wasm) => wasm.resolveAnchor(anchor));
  }

  /** Calls `listener` for every event of this type, until the returned function is called. */
  on<Type extends keyof DocEvents>(type: Type, listener: (event: DocEvents[Type]) => void): () => void {
    return this.#events.on(type, listener);
  }

  /**
   * Tells `tracker` of every edit the moment it is made, before any event: for bindings, which must know
   * how the text differs from what they show. It must not use the document.
   * @internal
   */
  track(tracker: Tracker): () => void {
    this.#trackers.add(tracker);
    return () => {
      this.#trackers.delete(tracker);
    };
  }

  /**
   * Starts syncing as the document `name` of a server. For providers.
   * @internal
   */
  openSync(name: string, handlers: SyncHandlers): DocSync {
    this.#live();
    const doc = {
      wasm: () => this.#wasm,
      beforeRemote: () => {
        this.#refuseInTransaction();
      },
      afterRemote: (edits: AnyEdit[], origin: unknown) => {
        this.#rich ||= this.#live().rich;
        this.#applied(edits, origin);
      },
    };
    return new DocSync(name, doc, handlers);
  }

  /**
   * Starts watching for undo. For `UndoManager`.
   * @internal
   */
  openUndo(interval: number, replicas: readonly string[]): UndoPort {
    const undo = new WasmUndoManager(this.#live(), interval, BigUint64Array.from(replicas, replicaBits));
    return {
      undo,
      doc: () => this.#wasm,
      step: (which, origin) => {
        let done: { selection: AnchoredSelection | undefined } | undefined;
        this.#say(origin, (wasm) => {
          const packet = which === "undo" ? undo.undo(wasm) : undo.redo(wasm);
          if (!packet) {
            return [];
          }
          const reader = new PacketReader(packet);
          done = { selection: reader.byte() === 1 ? { anchor: reader.bytes(), head: reader.bytes() } : undefined };
          return reader.edits();
        });
        return done;
      },
    };
  }

  /** Releases the memory at once, instead of when the garbage collector gets to it. */
  free(): void {
    this.#events.clear();
    this.#trackers.clear();
    this.#sequences?.clear();
    this.#wasm?.free();
    this.#wasm = undefined;
  }

  [Symbol.dispose](): void {
    this.free();
  }

  /** @internal */
  protected override ask<Value>(call: (wasm: WasmDoc) => Value): Value {
    const wasm = this.#live();
    try {
      return call(wasm);
    } catch (error) {
      throw fromWasm(error);
    }
  }

  /** For what works on documents. @internal */
  handle(): WasmDoc {
    return this.#live();
  }

  #live(): WasmDoc {
    if (!this.#wasm) {
      throw new CrdtError("freed", "the document was freed");
    }
    return this.#wasm;
  }

  /** All that is said in one transaction is said at one time; one of plain text says nothing. */
  #stamp(): void {
    if (this.#open && !this.#open.stamped) {
      this.#open.stamped = true;
      this.#wasm?.beginTransaction();
    }
  }

  /** Whether an insertion with these marks is one of text alone. */
  #isPlain(marks: Marks | undefined): boolean {
    return !this.#rich && (marks === undefined || marks === NO_MARKS || Object.keys(marks).length === 0);
  }

  #refuseInTransaction(): void {
    if (this.#open) {
      throw new CrdtError("in-transaction", "a transaction holds local edits only");
    }
  }

  #named(): Sequences {
    this.#live();
    this.#sequences ??= new Sequences(
      {
        wasm: () => this.#live(),
        edit: (make) => {
          const wasm = this.#live();
          this.#edit(() => {
            this.#stamp();
            const made = make(wasm);
            this.#rich = true;
            return made;
          });
        },
        transact: (edit, origin) => this.transact(edit, origin),
        set: (name, value) => {
          this.set(name, value);
        },
        registers: () => this.registers(),
      },
      (name, expand) => {
        this.setExpand(name, expand);
      },
    );
    return this.#sequences;
  }

  /** One local edit, or several: in the open transaction, or one of its own. */
  #edit(edit: () => TextEdit | readonly AnyEdit[] | undefined): void {
    const wasm = this.#live();
    const open: OpenTransaction = this.#open ?? {
      from: this.#events.heard("delta") ? wasm.issued() : 0,
      edits: [],
      origin: "local",
    };
    let edited: TextEdit | readonly AnyEdit[] | undefined;
    try {
      edited = edit();
    } catch (error) {
      throw fromWasm(error);
    }
    const made: readonly AnyEdit[] = edited === undefined ? [] : "type" in edited ? [edited] : edited;
    if (made.length === 0) {
      return;
    }
    open.edits.push(...made);
    this.#track(made, this.#origin);
    if (!this.#open) {
      this.#tell(open, this.#events.heard("delta") ? wasm.issuedSince(open.from) : undefined);
    }
  }

  /** What the engine says by itself, as a transaction of its own. */
  #say(origin: unknown, say: (wasm: WasmDoc) => AnyEdit[]): AnyEdit[] {
    this.#refuseInTransaction();
    return this.ask((wasm) => {
      const from = wasm.issued();
      const edits = say(wasm);
      this.#rich ||= wasm.rich;
      if (wasm.issued() > from) {
        this.#track(edits, origin);
        this.#tell({ edits, origin }, this.#events.heard("delta") ? wasm.issuedSince(from) : undefined);
      }
      return edits;
    });
  }

  #tell(made: { edits: AnyEdit[]; origin: unknown }, delta: Uint8Array | undefined): void {
    const { edits, origin } = made;
    this.#queueChanges(edits, origin, true);
    if (delta) {
      this.#events.queue("delta", delta);
    }
    this.#events.queue("version", { origin, local: true });
    this.#deliver();
  }

  #track(edits: readonly AnyEdit[], origin: unknown): void {
    const main = edits.filter(isOfMainText);
    if (main.length > 0 || edits.length === 0) {
      for (const tracker of this.#trackers) {
        tracker(main, origin);
      }
    }
    this.#sequences?.track(edits, origin);
  }

  #applied(edits: AnyEdit[], origin: unknown): void {
    this.#track(edits, origin);
    this.#queueChanges(edits, origin, false);
    this.#events.queue("version", { origin, local: false });
    this.#deliver();
  }

  #queueChanges(all: readonly AnyEdit[], origin: unknown, local: boolean): void {
    const edits = all.filter(isOfMainText);
    if (edits.length > 0) {
      this.#events.queue("change", { edits, origin, local });
    }
    this.#sequences?.queue(all, origin, local);
  }

  #deliver(): void {
    this.#events.deliver();
    this.#sequences?.deliver();
  }
}

/** Edits of the main text and registers; those of named sequences are told there. */
function isOfMainText(edit: AnyEdit): edit is TextEdit {
  return edit.type !== "in";
}
