// The demo page: one document, one Quill, one connection.

import { Doc, UndoManager, WebSocketProvider } from "crdt-js";
import { bindQuill } from "crdt-js/quill";
import "quill/dist/quill.snow.css";
import "./style.css";
import "./toolbar.css";
import "./history.css";
import { documentAddress, documentName, newDocumentName } from "./document-name.js";
import { makeEditor } from "./editor.js";
import { Authors, HistoryPanel } from "./history.js";
import { loadIdentity, saveIdentity } from "./identity.js";
import { showPeople } from "./people.js";
import { type Safety, SaveIndicator } from "./save-indicator.js";

const name = documentName(new URL(location.href));
const address = new URL("/v1/sync", location.href);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";

const doc = new Doc();
const provider = new WebSocketProvider(doc, address.href, name);
const undo = new UndoManager(doc);
const authors = new Authors(provider);
const quill = makeEditor(byId("editor"), byId("toolbar"), undo, notify);
quill.root.setAttribute("aria-label", `Text of ${name}`);
quill.root.setAttribute("role", "textbox");
quill.root.setAttribute("aria-multiline", "true");
bindQuill(doc, quill, { presence: provider.presence, undo });

document.title = `${name} – Shared text`;
byId("document-name").textContent = name;
byId("document-name").title = name;
link("share").href = documentAddress(name);
link("new-document").addEventListener("click", (event) => {
  event.preventDefault();
  location.href = documentAddress(newDocumentName());
});
window.addEventListener("hashchange", () => {
  location.reload();
});

void keepIdentity();
keepPeople();
keepSafety();
keepCount();
keepBarHeight();
offerHistory();
quill.focus();

// For the console of the browser, and for the browser test.
Object.assign(window, { editor: { doc, quill, provider, undo } });

/** This page's person: shown in the bar, told to the others, kept for the next visit. */
async function keepIdentity(): Promise<void> {
  const nameField = input("my-name");
  const colorField = input("my-color");
  let me = await loadIdentity();
  const show = (): void => {
    nameField.value = me.name;
    colorField.value = me.color;
    authors.learn(doc.replica, me);
    provider.presence.update({ name: me.name, color: me.color, replica: doc.replica });
  };
  const change = (): void => {
    me = saveIdentity({ name: nameField.value, color: colorField.value });
    show();
  };
  nameField.addEventListener("change", change);
  colorField.addEventListener("change", change);
  byId("me").addEventListener("submit", (event) => {
    event.preventDefault();
    quill.focus();
  });
  show();
}

function offerHistory(): void {
  const elements = {
    panel: byId("history"),
    open: button("history-open"),
    close: button("history-close"),
    slider: input("history-slider"),
    step: byId("history-step"),
    text: byId("history-text"),
    authors: byId("history-authors"),
    restore: button("history-restore"),
    form: byId("history-form") as HTMLFormElement,
    name: input("history-name"),
    versions: byId("history-versions"),
  };
  new HistoryPanel(doc, undo, authors, elements, (isOpen) => {
    byId("sheet").hidden = isOpen;
  });
}

function keepPeople(): void {
  const show = (): void => {
    showPeople(byId("people"), provider.presence.states);
  };
  provider.presence.on("change", show);
  show();
}

/** Whether the edits of this tab are saved; warns before they are thrown away with it. */
function keepSafety(): void {
  const indicator = new SaveIndicator(byId("save"), byId("save-text"), byId("save-spoken"));
  let wasConnected = false;
  let unsavedEdits = 0;
  let problem = "";
  const safety = (): Safety => {
    const { state } = provider.saved;
    if (provider.status === "stopped") {
      return { type: "stopped", reason: problem, unsavedEdits };
    }
    if (state !== "offline") {
      return { type: state };
    }
    return wasConnected || provider.status === "offline"
      ? { type: "offline", unsavedEdits, loaded: wasConnected }
      : { type: "connecting" };
  };
  const show = (): void => {
    wasConnected ||= provider.status === "connected";
    indicator.show(safety());
  };
  doc.on("delta", () => {
    unsavedEdits += 1;
    show();
  });
  provider.on("status", show);
  provider.on("saved", ({ unsaved }) => {
    if (!unsaved) {
      unsavedEdits = 0;
    }
    show();
  });
  provider.on("error", ({ message }) => {
    problem = message;
    show();
  });
  provider.on("reset", () => {
    notify("The server has another text under this name now. Yours stays in this tab: copy what you need, then reload.");
  });
  window.addEventListener("beforeunload", (event) => {
    if (provider.saved.unsaved) {
      event.preventDefault();
    }
  });
  show();
}

/** Tells the person something that stays until something else is told. */
function notify(words: string): void {
  const notice = byId("notice");
  notice.textContent = words;
  notice.hidden = false;
}

/** The toolbar stays below the bar, which is as high as its names need. */
function keepBarHeight(): void {
  const bar = document.querySelector<HTMLElement>(".bar");
  const show = (): void => {
    document.documentElement.style.setProperty("--bar-height", `${String(bar?.offsetHeight ?? 0)}px`);
  };
  if (bar) {
    new ResizeObserver(show).observe(bar);
  }
}

function keepCount(): void {
  const count = byId("count");
  const show = (): void => {
    const text = doc.toString();
    const words = text.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu)?.length ?? 0;
    count.textContent = `${words.toLocaleString("en")} ${words === 1 ? "word" : "words"}`;
  };
  let waiting = false;
  doc.on("change", () => {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        show();
      });
    }
  });
  show();
}

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) {
    throw new Error(`the page has no element #${id}`);
  }
  return element;
}

function input(id: string): HTMLInputElement {
  return byId(id) as HTMLInputElement;
}

function button(id: string): HTMLButtonElement {
  return byId(id) as HTMLButtonElement;
}

function link(id: string): HTMLAnchorElement {
  return byId(id) as HTMLAnchorElement;
}
