/** Runs in the page: documents with editors on them, and a network between that holds messages back. */
import { applyEdits, Doc, UndoManager } from "crdt-js";
import { bindQuill } from "crdt-js/quill";
import { bindTextarea } from "crdt-js/textarea";
import { EditorView } from "@codemirror/view";
import Quill from "quill";
import "quill/dist/quill.snow.css";
import { Random } from "../random.js";
import type { Editor } from "./conformance/adapter.js";
import { adapter as codemirror } from "./conformance/adapters/codemirror.js";
import { FakePresence } from "./presence.js";

/** `"bare textarea"`: without an undo manager. */
type Kind = "textarea" | "bare textarea" | "quill" | "codemirror";

/** One person: a document, an editor on it, and what has not arrived yet. */
class Seat {
  readonly doc: Doc;
  readonly inbox: Uint8Array[] = [];
  readonly element: HTMLElement;
  readonly quill: Quill | undefined;
  readonly undo: UndoManager | undefined;
  readonly textarea: HTMLTextAreaElement | undefined;
  /** Any other editor, by its adapter of the conformance suite. */
  readonly editor: Editor | undefined;
  readonly presence = new FakePresence();
  /** The text by the document's events alone. */
  replayed: string;

  constructor(
    readonly kind: Kind,
    text: Uint8Array | undefined,
    replica: number,
    formats: string[] | null,
  ) {
    const options = { replica: replica.toString(16).padStart(16, "0") };
    this.doc = text ? Doc.fromSnapshot(text, options) : new Doc(options);
    this.replayed = this.doc.toString();
    this.doc.on("change", ({ edits }) => {
      this.replayed = applyEdits(this.replayed, edits);
    });
    if (kind === "textarea" || kind === "bare textarea") {
      this.textarea = document.createElement("textarea");
      this.element = this.textarea;
      this.element.className = "box";
      document.body.append(this.element);
      const undo = kind === "textarea" && { undo: new UndoManager(this.doc) };
      bindTextarea(this.doc, this.textarea, { presence: this.presence, ...undo });
    } else if (kind === "codemirror") {
      this.element = document.createElement("div");
      this.element.className = "box";
      document.body.append(this.element);
      this.editor = codemirror.open(this.doc, this.element, this.presence, new UndoManager(this.doc));
    } else {
      const box = document.createElement("div");
      box.className = "box";
      const host = document.createElement("div");
      host.style.height = "100%";
      box.append(host);
      document.body.append(box);
      this.quill = new Quill(host, { theme: "snow", formats, modules: { toolbar: false } });
      this.element = this.quill.root;
      this.undo = new UndoManager(this.doc, { interval: 0 });
      bindQuill(this.doc, this.quill, { presence: this.presence, undo: this.undo });
    }
  }

  get codemirror(): EditorView | null {
    return EditorView.findFromDOM(this.element);
  }

  /** What the editor shows. */
  get shown(): string {
    if (this.editor) {
      return this.editor.content() as string;
    }
    return this.quill ? this.quill.getText().slice(0, -1) : (this.textarea?.value ?? "");
  }
}

export class Stage {
  readonly seats: Seat[] = [];

  /** Two people (or more) on one document. */
  set(kinds: readonly Kind[], text: string, formats: string[] | null = []): void {
    document.body.replaceChildren();
    this.seats.length = 0;
    const first = new Doc({ replica: "00000000000000aa" });
    first.insert(0, text);
    const snapshot = first.snapshot();
    kinds.forEach((kind, index) => {
      const seat = new Seat(kind, snapshot, index + 1, formats);
      this.seats.push(seat);
      seat.doc.on("delta", (delta) => {
        for (const other of this.seats) {
          if (other !== seat) {
            other.inbox.push(delta);
          }
        }
      });
    });
  }

  /** One more textarea on a person's document, with a presence that another editor uses. */
  bindAnother(index: number, presence: FakePresence): void {
    const element = document.createElement("textarea");
    document.body.append(element);
    bindTextarea(this.seat(index).doc, element, { presence });
  }

  seat(index: number): Seat {
    const seat = this.seats[index];
    if (!seat) {
      throw new RangeError(`no seat ${String(index)}`);
    }
    return seat;
  }

  /** Delivers what waits for a person, or for all. */
  deliver(index?: number): void {
    for (const seat of index === undefined ? this.seats : [this.seat(index)]) {
      for (const delta of seat.inbox.splice(0)) {
        seat.doc.applyDelta(delta);
      }
    }
  }

  select(index: number, start: number, end = start): void {
    const { editor, quill, textarea } = this.seat(index);
    if (editor) {
      editor.select(start, end);
    } else if (quill) {
      quill.setSelection(start, end - start, "user");
    } else {
      textarea?.focus();
      textarea?.setSelectionRange(start, end);
    }
  }

  selection(index: number): [number, number] {
    const { editor, quill, textarea } = this.seat(index);
    if (editor) {
      const { anchor, head } = editor.selection() ?? { anchor: -1, head: -1 };
      return [Math.min(anchor, head), Math.max(anchor, head)];
    }
    const range = quill?.getSelection();
    return quill ? [range?.index ?? -1, (range?.index ?? -1) + (range?.length ?? 0)] : [textarea?.selectionStart ?? -1, textarea?.selectionEnd ?? -1];
  }

  /** Somebody edits through the editor's own interface, anywhere. */
  editAtRandom(index: number, random: Random): void {
    const seat = this.seat(index);
    if (seat.editor) {
      seat.editor.editAtRandom(random);
      return;
    }
    const length = seat.shown.length;
    const start = random.below(length + 1);
    const end = Math.min(length, start + random.below(5));
    const text = random.pick(["", "", "a", "b", "lorem", "\n", "x\ny", "é漢"]);
    if (seat.quill) {
      seat.quill.updateContents(
        [...(start > 0 ? [{ retain: start }] : []), ...(text === "" ? [] : [{ insert: text }]), ...(end > start ? [{ delete: end - start }] : [])],
        random.pick(["user", "api"] as const),
      );
    } else if (seat.textarea && (text !== "" || end > start)) {
      seat.textarea.focus();
      seat.textarea.setSelectionRange(start, end);
      // As a keyboard does it: with beforeinput and input events of the browser's own.
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- the one way for a script to type
      document.execCommand(text === "" ? "delete" : "insertText", false, text);
    }
  }

  /** What does not hold, if anything. */
  wrong(converged: boolean): string[] {
    const texts = this.seats.map(({ doc }) => doc.toString());
    return this.seats.flatMap((seat, index) => {
      const text = texts[index];
      return [
        ...(seat.shown === text ? [] : [`${String(index)} shows ${JSON.stringify(seat.shown)} for ${JSON.stringify(text)}`]),
        ...(seat.replayed === text ? [] : [`${String(index)} replays ${JSON.stringify(seat.replayed)}`]),
        ...(!converged || text === texts[0] ? [] : [`${String(index)} has ${JSON.stringify(text)}, 0 ${JSON.stringify(texts[0])}`]),
      ];
    });
  }

  /** Edits and deliveries in any order; what does not hold in between or in the end. */
  mix(seed: number, steps: number): string[] {
    const random = new Random(seed);
    for (let step = 0; step < steps; step++) {
      const index = random.below(this.seats.length);
      if (random.fraction() < 0.6) {
        this.editAtRandom(index, random);
      } else {
        this.deliver(index);
      }
      const wrong = this.wrong(false);
      if (wrong.length > 0) {
        return [`step ${String(step)}`, ...wrong];
      }
    }
    this.deliver();
    return this.wrong(true);
  }
}
