// The editor: Quill with a toolbar, whose undo is the document's.

import type { UndoManager } from "crdt-js";
import Quill from "quill";
import { imageUrl, pickImage } from "./images.js";

const UNDO = `<svg viewBox="0 0 18 18"><path class="ql-stroke" d="M6 4 3 7l3 3"/><path class="ql-stroke" d="M3 7h7.5a4 4 0 0 1 0 8H7"/></svg>`;
const REDO = `<svg viewBox="0 0 18 18"><path class="ql-stroke" d="m12 4 3 3-3 3"/><path class="ql-stroke" d="M15 7H7.5a4 4 0 0 0 0 8H11"/></svg>`;

/** Makes the editor in `host`, with the toolbar that is in the page. `say` tells the person of a refused image. */
export function makeEditor(host: HTMLElement, toolbar: HTMLElement, undo: UndoManager, say: (words: string) => void): Quill {
  Object.assign(Quill.import("ui/icons") as object, { undo: UNDO, redo: REDO });
  const addImages = async (files: readonly Blob[], at?: number): Promise<void> => {
    for (const file of files) {
      const url = await imageUrl(file);
      if (url === undefined) {
        say("That image is too large for a text that everybody holds.");
        continue;
      }
      const index = Math.min(at ?? quill.getSelection(true).index, quill.getLength() - 1);
      quill.insertEmbed(index, "image", url, "user");
      quill.setSelection(index + 1, 0, "user");
    }
  };
  const quill = new Quill(host, {
    theme: "snow",
    placeholder: "Write something. Whoever has this page open sees it at once.",
    modules: {
      toolbar: {
        container: toolbar,
        handlers: {
          undo: () => undo.undo(),
          redo: () => undo.redo(),
          image: () => {
            void pickImage().then((file) => file && addImages([file]));
          },
        },
      },
      uploader: {
        mimetypes: ["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"],
        handler: (range: { readonly index: number }, files: readonly File[]) => {
          void addImages(files, range.index);
        },
      },
      // Tab leaves the text, for those who have no mouse; in a list it indents.
      keyboard: { bindings: { tab: null, "remove tab": null } },
    },
  });
  const show = (): void => {
    for (const [name, can] of [["undo", undo.canUndo], ["redo", undo.canRedo]] as const) {
      const button = toolbar.querySelector<HTMLButtonElement>(`.ql-${name}`);
      if (button) {
        button.disabled = !can;
      }
    }
  };
  undo.on("change", show);
  show();
  return quill;
}
