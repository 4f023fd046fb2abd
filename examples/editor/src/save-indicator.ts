// Says, for this tab, whether its edits are saved, on their way, or kept here.

/** How safe this tab's edits are. */
export type Safety =
  | { readonly type: "connecting" }
  | { readonly type: "saved" }
  | { readonly type: "saving" }
  | { readonly type: "offline"; readonly unsavedEdits: number; readonly loaded: boolean }
  | { readonly type: "stopped"; readonly reason: string; readonly unsavedEdits: number };

/**
 * "Saved" waits this long, so that the words do not flicker with every key while somebody types. It only ever comes
 * later than the truth, never earlier.
 */
const SAVED_DELAY_MS = 250;

export class SaveIndicator {
  readonly #line: HTMLElement;
  readonly #text: HTMLElement;
  readonly #spoken: HTMLElement;
  #waiting: number | undefined;

  constructor(line: HTMLElement, text: HTMLElement, spoken: HTMLElement) {
    this.#line = line;
    this.#text = text;
    this.#spoken = spoken;
  }

  show(safety: Safety): void {
    const wasSaving = this.#line.dataset["state"] === "saving";
    if (safety.type === "saved" && wasSaving) {
      this.#waiting ??= window.setTimeout(() => {
        this.#draw(safety);
      }, SAVED_DELAY_MS);
    } else {
      this.#draw(safety);
    }
  }

  #draw(safety: Safety): void {
    window.clearTimeout(this.#waiting);
    this.#waiting = undefined;
    const before = this.#line.dataset["state"];
    const words = describe(safety);
    this.#line.dataset["state"] = safety.type;
    this.#text.textContent = words;
    // A screen reader hears when the connection goes and comes, not every key.
    const cut = (state: string | undefined): boolean => state === "offline" || state === "stopped";
    if (cut(safety.type) !== cut(before)) {
      this.#spoken.textContent = words;
    }
  }
}

function describe(safety: Safety): string {
  switch (safety.type) {
    case "connecting":
      return "Connecting…";
    case "saved":
      return "Saved";
    case "saving":
      return "Saving…";
    case "offline":
      if (safety.unsavedEdits > 0) {
        return `Offline – ${edits(safety.unsavedEdits)} kept in this tab`;
      }
      return safety.loaded ? "Offline – everything is saved" : "Offline – the text is not loaded yet";
    case "stopped":
      return safety.unsavedEdits === 0
        ? `Stopped – ${safety.reason}`
        : `Stopped – ${safety.reason}; ${edits(safety.unsavedEdits)} kept in this tab`;
  }
}

function edits(count: number): string {
  return count === 1 ? "1 edit" : `${count.toLocaleString("en")} edits`;
}
