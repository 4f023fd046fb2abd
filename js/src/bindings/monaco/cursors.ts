import type { editor } from "monaco-editor";
import { drawCaret } from "../drawing.js";
import { others, type Person } from "../person.js";
import type { BoundDoc, BoundPresence } from "../port.js";

// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- of Monaco only types are imported, not its enumerations
const EXACTLY_THERE: editor.ContentWidgetPositionPreference = 0;

/** The others' selections as decorations of a Monaco editor, their carets as widgets in it. */
export class MonacoCursors {
  readonly #doc: BoundDoc;
  readonly #monaco: editor.ICodeEditor;
  readonly #model: editor.ITextModel;
  readonly #presence: BoundPresence;
  readonly #selections: editor.IEditorDecorationsCollection;
  readonly #styles: Styles;
  readonly #end: () => void;
  #carets: editor.IContentWidget[] = [];
  #frame: number | undefined;

  constructor(doc: BoundDoc, monaco: editor.ICodeEditor, model: editor.ITextModel, presence: BoundPresence) {
    this.#doc = doc;
    this.#monaco = monaco;
    this.#model = model;
    this.#presence = presence;
    this.#selections = monaco.createDecorationsCollection();
    this.#styles = new Styles(monaco.getContainerDomNode());
    this.#end = presence.on("change", () => {
      this.draw();
    });
    this.draw();
  }

  /** Draws before the next frame. */
  draw(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#drawNow();
    });
  }

  destroy(): void {
    this.#end();
    if (this.#frame !== undefined) {
      cancelAnimationFrame(this.#frame);
    }
    this.#selections.clear();
    this.#removeCarets();
    this.#styles.remove();
  }

  #drawNow(): void {
    this.#removeCarets();
    if (this.#monaco.getModel() !== this.#model) {
      return; // another file is open in this editor
    }
    const people = [...others(this.#doc, this.#presence, this.#model.getValueLength())];
    this.#selections.set(
      people
        .filter(({ selection: { anchor, head } }) => anchor !== head)
        .map(({ selection: { anchor, head }, color }) => {
          const from = this.#model.getPositionAt(Math.min(anchor, head));
          const to = this.#model.getPositionAt(Math.max(anchor, head));
          return {
            range: { startLineNumber: from.lineNumber, startColumn: from.column, endLineNumber: to.lineNumber, endColumn: to.column },
            options: { description: "crdt-selection", className: `crdt-selection ${this.#styles.classOf(color)}` },
          };
        }),
    );
    this.#carets = people.map((person, index) => this.#caret(person, index));
    for (const caret of this.#carets) {
      this.#monaco.addContentWidget(caret);
    }
  }

  #caret(person: Person, index: number): editor.IContentWidget {
    const position = this.#model.getPositionAt(person.selection.head);
    const place = this.#monaco.getScrolledVisiblePosition(position);
    const { ownerDocument } = this.#monaco.getContainerDomNode();
    const node = ownerDocument.createElement("div");
    node.className = "crdt-cursors";
    node.style.pointerEvents = "none";
    node.append(drawCaret(ownerDocument, person, { left: 0, top: 0, width: 0, height: place?.height ?? 0 }, place?.top));
    return {
      getId: () => `crdt-caret-${String(index)}`,
      getDomNode: () => node,
      getPosition: () => ({ position, preference: [EXACTLY_THERE] }),
    };
  }

  #removeCarets(): void {
    for (const caret of this.#carets.splice(0)) {
      this.#monaco.removeContentWidget(caret);
    }
  }
}

/** Decorations take classes only: one for each colour, in a style sheet that scripts may add under any policy. */
class Styles {
  readonly #root: DocumentOrShadowRoot;
  readonly #sheet: CSSStyleSheet;
  readonly #colors = new Set<string>();

  constructor(node: HTMLElement) {
    const root = node.getRootNode();
    this.#root = "adoptedStyleSheets" in root ? (root as ShadowRoot) : node.ownerDocument;
    this.#sheet = new (node.ownerDocument.defaultView ?? window).CSSStyleSheet();
    this.#root.adoptedStyleSheets.push(this.#sheet);
  }

  /** The class of a colour `#rrggbb`. */
  classOf(color: string): string {
    const name = `crdt-color-${color.slice(1)}`;
    if (!this.#colors.has(color)) {
      this.#colors.add(color);
      this.#sheet.insertRule(`.${name} { background: ${color}40 }`);
    }
    return name;
  }

  remove(): void {
    this.#root.adoptedStyleSheets = this.#root.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }
}
