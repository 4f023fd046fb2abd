import type { AnyEdit, NamedEdit, TextEdit } from "./edit.js";
import type { Expand } from "./doc.js";
import { Events } from "./events.js";
import { List, type ListEdit, listEdit } from "./list.js";
import { NamedText, registersOf } from "./named-text.js";
import type { Channel, SequenceEvent, SequencePort } from "./sequence.js";

interface Told<Sequence, Edit> {
  readonly sequence: Sequence;
  readonly channel: Channel<Edit>;
}

/** The named texts and lists of one document that somebody has asked for, and who is told of their edits. */
export class Sequences {
  readonly #port: SequencePort;
  readonly #setExpand: (name: string, expand: Expand) => void;
  readonly #texts = new Map<string, Told<NamedText, TextEdit>>();
  readonly #lists = new Map<string, Told<List, ListEdit>>();

  constructor(port: SequencePort, setExpand: (name: string, expand: Expand) => void) {
    this.#port = port;
    this.#setExpand = setExpand;
  }

  text(name: string): NamedText {
    let told = this.#texts.get(name);
    if (!told) {
      const channel = newChannel<TextEdit>();
      told = { channel, sequence: new NamedText(name, this.#port, channel, this.#setExpand) };
      this.#texts.set(name, told);
    }
    return told.sequence;
  }

  list(name: string): List {
    let told = this.#lists.get(name);
    if (!told) {
      const channel = newChannel<ListEdit>();
      told = { channel, sequence: new List(name, this.#port, channel) };
      this.#lists.set(name, told);
    }
    return told.sequence;
  }

  /** Tells trackers at once, and listeners with the next `deliver`. */
  track(edits: readonly AnyEdit[], origin: unknown): void {
    this.#each(edits, (channel, own) => {
      for (const tracker of channel.trackers) {
        tracker(own, origin);
      }
    });
  }

  queue(edits: readonly AnyEdit[], origin: unknown, local: boolean): void {
    this.#each(edits, (channel, own) => {
      channel.events.queue("change", { edits: own, origin, local });
    });
  }

  deliver(): void {
    for (const { channel } of [...this.#texts.values(), ...this.#lists.values()]) {
      channel.events.deliver();
    }
  }

  clear(): void {
    for (const { channel } of [...this.#texts.values(), ...this.#lists.values()]) {
      channel.trackers.clear();
      channel.events.clear();
    }
  }

  #each(edits: readonly AnyEdit[], tell: <Edit>(channel: Channel<Edit>, own: readonly Edit[]) => void): void {
    for (const [name, { channel }] of this.#texts) {
      const own = edits.flatMap((edit) => editsOfText(name, edit));
      if (own.length > 0) {
        tell(channel, own);
      }
    }
    for (const [name, { channel }] of this.#lists) {
      const named = edits.filter((edit): edit is NamedEdit => isIn(edit, "list", name));
      if (named.length > 0) {
        tell(channel, named.flatMap(({ edit }) => listEdit(edit)));
      }
    }
  }
}

function newChannel<Edit>(): Channel<Edit> {
  return { trackers: new Set(), events: new Events<{ change: SequenceEvent<Edit> }>() };
}

function isIn(edit: AnyEdit, kind: NamedEdit["kind"], name: string): boolean {
  return edit.type === "in" && edit.kind === kind && edit.name === name;
}

/** What an edit of the document is in a named text. */
function editsOfText(name: string, edit: AnyEdit): TextEdit[] {
  if (edit.type === "register" && edit.name.startsWith(registersOf(name))) {
    return [{ ...edit, name: edit.name.slice(registersOf(name).length) }];
  }
  return edit.type === "in" && isIn(edit, "text", name) && edit.edit.type !== "replace" ? [edit.edit] : [];
}
