// One person at one page. `type` runs in the browser: it may use nothing of this file but types.

import type { Step } from "./history.js";

/** An element that somebody typed: the places before and behind it, as anchors in hexadecimal. */
export interface Typed {
  readonly element: number;
  readonly character: string;
  readonly before: string;
  readonly behind: string;
}

/** What one person did. */
export interface Log {
  readonly typed: readonly Typed[];
  readonly deleted: readonly number[];
}

export interface Assignment {
  readonly steps: readonly Step[];
  /** Where both people tell each other which elements they have typed; the text itself goes through the relay only. */
  readonly channel: string;
  /** Between two keys. */
  readonly paceMs: number;
}

declare global {
  interface Window {
    /** How many steps the person at this page has done, and whether one waits for the other person's text. */
    progress?: { done: number; waiting: boolean };
  }
}

/**
 * Types a script through Quill, at the pace given. A step names elements, not positions: where they stand is asked of
 * the document when the key is pressed. What the other person has not sent yet is waited for, as its author had seen it.
 */
export async function type({ steps, channel, paceMs }: Assignment): Promise<Log> {
  const { doc, quill } = window.editor;
  const elements = new Map<number, Typed>();
  const typed: Typed[] = [];
  const deleted: number[] = [];
  const progress = { done: 0, waiting: false };
  window.progress = progress;
  let wake = (): void => undefined;

  const news = new BroadcastChannel(channel);
  news.onmessage = ({ data }: MessageEvent<readonly Typed[] | "tell me">) => {
    if (data === "tell me") {
      news.postMessage(typed);
      return;
    }
    for (const one of data) {
      elements.set(one.element, one);
    }
    wake();
  };
  // The other person may have begun before this page listened.
  news.postMessage("tell me");
  doc.on("change", () => {
    wake();
  });

  const toHex = (bytes: Uint8Array): string =>
    Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const fromHex = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const place = (anchor: string | undefined): number | undefined =>
    anchor === undefined ? undefined : doc.resolveAnchor(fromHex(anchor));
  const isHere = (element: number): boolean => place(elements.get(element)?.behind) !== undefined;

  for (const step of steps) {
    const needed = step.after === null ? step.deleted : [...step.deleted, step.after];
    while (!needed.every(isHere)) {
      progress.waiting = true;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    progress.waiting = false;

    for (const element of step.deleted) {
      const before = place(elements.get(element)?.before);
      const behind = place(elements.get(element)?.behind);
      // The other person may have deleted it already.
      if (before !== undefined && behind === before + 1) {
        quill.deleteText(before, 1, "user");
      }
      deleted.push(element);
    }

    if (step.inserted !== "") {
      const start = step.after === null ? 0 : (place(elements.get(step.after)?.behind) ?? 0);
      quill.insertText(start, step.inserted, "user");
      const made = Array.from(step.inserted, (character, offset) => ({
        element: step.first + offset,
        character,
        before: toHex(doc.anchorAt(start + offset, "before")),
        behind: toHex(doc.anchorAt(start + offset + 1, "after")),
      }));
      for (const one of made) {
        elements.set(one.element, one);
      }
      typed.push(...made);
      news.postMessage(made);
    }
    progress.done += 1;
    await new Promise((resolve) => setTimeout(resolve, paceMs));
  }
  return { typed, deleted };
}

/** Where each of these elements stands in a page's document, by its own character. Runs in the browser. */
export function locate(typed: readonly Typed[]): { element: number; position: number | undefined; character: string }[] {
  const { doc } = window.editor;
  const text = doc.toString();
  return typed.map(({ element, behind }) => {
    const anchor = Uint8Array.from(behind.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    const after = doc.resolveAnchor(anchor);
    return after === undefined
      ? { element, position: undefined, character: "" }
      : { element, position: after - 1, character: text.charAt(after - 1) };
  });
}
