/** Key presses, input methods and drags as the browser gets them from outside, several in one go. */
import type { CDPSession, Page } from "playwright-core";

/** A key by its name, as in "Control+Shift+ArrowLeft"; a single character types itself. */
const NAMED: Readonly<Record<string, { readonly code: number; readonly text?: string }>> = {
  Enter: { code: 13, text: "\r" },
  Backspace: { code: 8 },
  Delete: { code: 46 },
  ArrowLeft: { code: 37 },
  ArrowUp: { code: 38 },
  ArrowRight: { code: 39 },
  ArrowDown: { code: 40 },
  Home: { code: 36 },
  End: { code: 35 },
};
const MODIFIERS: Readonly<Record<string, { readonly bit: number; readonly code: number }>> = {
  Control: { bit: 2, code: 17 },
  Shift: { bit: 8, code: 16 },
};

export class Keyboard {
  readonly #page: Page;
  readonly #session: CDPSession;

  private constructor(page: Page, session: CDPSession) {
    this.#page = page;
    this.#session = session;
  }

  static async of(page: Page): Promise<Keyboard> {
    return new Keyboard(page, await page.context().newCDPSession(page));
  }

  async press(keys: readonly string[]): Promise<void> {
    // Sent at once; the browser takes them in turn.
    await Promise.all(keys.flatMap((key) => this.#press(key)));
  }

  /** Puts text in as the last word of an input method, or of a picker of emoji. */
  async insert(text: string): Promise<void> {
    await this.#session.send("Input.insertText", { text });
  }

  /** What an input method shows so far; "" gives the composition up. */
  async compose(text: string): Promise<void> {
    await this.#session.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  }

  async drag(from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> {
    const { mouse } = this.#page;
    await mouse.move(from.x, from.y);
    await mouse.down();
    await mouse.move((from.x + to.x) / 2 + 9, (from.y + to.y) / 2 + 9);
    await mouse.move(to.x, to.y);
    await mouse.up();
  }

  #press(key: string): Promise<unknown>[] {
    const parts = key.split("+");
    const name = parts.pop() ?? "";
    let modifiers = 0;
    const events: Promise<unknown>[] = [];
    const send = (type: "rawKeyDown" | "keyDown" | "keyUp", key: string, code: number, text?: string): void => {
      const letter = /^[a-z]$/i.test(key);
      const named = { key, code: letter ? `Key${key.toUpperCase()}` : key === " " ? "Space" : key, windowsVirtualKeyCode: code };
      events.push(this.#session.send("Input.dispatchKeyEvent", { type, modifiers, ...named, ...(text !== undefined && { text }) }));
    };
    for (const part of parts) {
      modifiers |= MODIFIERS[part]?.bit ?? 0;
      send("rawKeyDown", part, MODIFIERS[part]?.code ?? 0);
    }
    const named = NAMED[name];
    const code = named?.code ?? name.toUpperCase().charCodeAt(0);
    const text = (modifiers & 2) === 0 ? (named ? named.text : name) : undefined;
    const pressed = named === undefined && (modifiers & 8) !== 0 ? name.toUpperCase() : name;
    send(text === undefined ? "rawKeyDown" : "keyDown", pressed, code, text);
    send("keyUp", pressed, code);
    for (const part of parts.reverse()) {
      modifiers &= ~(MODIFIERS[part]?.bit ?? 0);
      send("keyUp", part, MODIFIERS[part]?.code ?? 0);
    }
    return events;
  }
}
