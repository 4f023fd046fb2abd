// How the text became what it is: a slider through its versions, who wrote what, versions with names, and the way back.

import type { Doc, History, HistoryStep, UndoManager, WebSocketProvider } from "crdt-js";
import { colorOf, type Identity, readIdentity } from "./identity.js";

/** The elements of the panel. */
export interface HistoryElements {
  readonly panel: HTMLElement;
  readonly open: HTMLButtonElement;
  readonly close: HTMLButtonElement;
  readonly slider: HTMLInputElement;
  readonly step: HTMLElement;
  readonly text: HTMLElement;
  readonly authors: HTMLElement;
  readonly restore: HTMLButtonElement;
  readonly form: HTMLFormElement;
  readonly name: HTMLInputElement;
  readonly versions: HTMLElement;
}

/** Who sat at which copy of the document, as far as this page has heard. */
export class Authors {
  readonly #people = new Map<string, Identity>();

  constructor(provider: WebSocketProvider) {
    const learn = (): void => {
      for (const state of provider.presence.states.values()) {
        const replica = state["replica"];
        if (typeof replica === "string") {
          this.learn(replica, readIdentity(state));
        }
      }
    };
    provider.presence.on("change", learn);
    learn();
  }

  learn(replica: string, person: Identity): void {
    this.#people.set(replica, person);
  }

  of(replica: string): Identity {
    return this.#people.get(replica) ?? { name: "Somebody", color: colorOf(replica) };
  }
}

/** The panel, which stands in place of the editor while it is open. */
export class HistoryPanel {
  readonly #doc: Doc;
  readonly #authors: Authors;
  readonly #is: HistoryElements;
  #history: History | undefined;
  /** What is drawn. */
  #version: Uint8Array = new Uint8Array();
  #waiting = false;

  /**
   * @param undo what undoes the way back to a version, by itself
   * @param shown called when the panel has opened or closed, and so the editor gone or come
   */
  constructor(
    doc: Doc,
    undo: UndoManager,
    authors: Authors,
    elements: HistoryElements,
    shown: (isOpen: boolean) => void,
  ) {
    this.#doc = doc;
    this.#authors = authors;
    this.#is = elements;
    const { panel, open, close, slider, restore, form, name } = elements;
    const show = (isOpen: boolean): void => {
      panel.hidden = !isOpen;
      open.setAttribute("aria-expanded", String(isOpen));
      shown(isOpen);
    };
    const end = (): void => {
      this.#history?.free();
      this.#history = undefined;
      show(false);
      open.focus();
    };
    open.addEventListener("click", () => {
      if (this.#history) {
        end();
        return;
      }
      this.#history = doc.history({ steps: "operation" });
      slider.max = String(this.#history.length);
      slider.value = slider.max;
      show(true);
      this.#draw();
      this.#listVersions();
      slider.focus();
    });
    close.addEventListener("click", end);
    panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        end();
      }
    });
    slider.addEventListener("input", () => {
      this.#drawSoon();
    });
    restore.addEventListener("click", () => {
      // A step of its own, however soon after typing.
      undo.stop();
      doc.restore(this.#version);
      undo.stop();
      end();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const words = name.value.trim();
      if (words !== "") {
        doc.nameVersion(words, this.#version);
        name.value = "";
      }
    });
    doc.on("version", () => {
      if (this.#history) {
        this.#listVersions();
      }
    });
  }

  /** Once a frame, however fast the slider goes. */
  #drawSoon(): void {
    if (!this.#waiting) {
      this.#waiting = true;
      requestAnimationFrame(() => {
        this.#waiting = false;
        this.#draw();
      });
    }
  }

  #draw(): void {
    const history = this.#history;
    if (!history) {
      return;
    }
    const position = Number(this.#is.slider.value);
    history.seek(Math.max(position - 1, 0));
    const last = position > 0 ? history.next() : undefined;
    const count = `${position.toLocaleString("en")} of ${history.length.toLocaleString("en")}`;
    this.#say(last ? `Step ${count}, by ${this.#authors.of(last.replica).name}` : "The beginning");
    this.#show(history.version, last);
  }

  /** Shows a version with a name, and puts the slider where as much had been said. */
  #go(name: string, version: Uint8Array): void {
    try {
      const then = this.#doc.at(version);
      const steps = then.history({ steps: "operation" });
      this.#is.slider.value = String(steps.length);
      steps.free();
      then.free();
    } catch {
      this.#say(`“${name}” has not arrived here yet`);
      return;
    }
    this.#say(name);
    this.#show(version);
  }

  #say(words: string): void {
    this.#is.step.textContent = words;
    this.#is.slider.setAttribute("aria-valuetext", words);
  }

  /** @param last the step that led there */
  #show(version: Uint8Array, last?: HistoryStep): void {
    const { text, authors, restore } = this.#is;
    this.#version = version;
    const then = this.#doc.at(version);
    const [content, stretches] = [String(then), then.attribution()];
    then.free();
    restore.disabled = content === String(this.#doc);
    const insertion = last?.edits.find((edit) => edit.type === "insert" || edit.type === "embed");
    const written = new Set<string>();
    text.replaceChildren(
      ...stretches.map((stretch) => {
        written.add(stretch.replica);
        const { color, name } = this.#authors.of(stretch.replica);
        const span = document.createElement("span");
        span.style.setProperty("--person", color);
        span.title = name;
        const { position: start, length } = stretch;
        const from = insertion && insertion.position >= start ? insertion.position - start : length;
        const part = content.slice(start, start + length);
        const grown = insertion?.type === "insert" ? insertion.text.length : 1;
        if (insertion && from < length) {
          const mark = document.createElement("mark");
          mark.append(shown(part.slice(from, from + grown)));
          span.append(shown(part.slice(0, from)), mark, shown(part.slice(from + grown)));
        } else {
          span.append(shown(part));
        }
        return span;
      }),
    );
    text.querySelector("mark")?.scrollIntoView({ block: "nearest" });
    authors.replaceChildren(
      ...[...written].map((replica) => {
        const { color, name } = this.#authors.of(replica);
        const item = document.createElement("li");
        item.style.setProperty("--person", color);
        item.textContent = name;
        return item;
      }),
    );
  }

  #listVersions(): void {
    const { versions } = this.#is;
    versions.replaceChildren(
      ...[...this.#doc.namedVersions()].map(([name, version]) => {
        const item = document.createElement("li");
        const go = document.createElement("button");
        go.type = "button";
        go.className = "version";
        go.textContent = name;
        go.addEventListener("click", () => {
          this.#go(name, version);
        });
        const forget = document.createElement("button");
        forget.type = "button";
        forget.className = "forget";
        forget.textContent = "×";
        forget.title = `Forget the name “${name}”`;
        forget.setAttribute("aria-label", forget.title);
        forget.addEventListener("click", () => {
          this.#doc.forgetVersion(name);
        });
        item.append(go, forget);
        return item;
      }),
    );
  }
}

/** Embeds as a box. */
function shown(text: string): string {
  return text.replaceAll("\ufffc", "▣");
}
