// The others in this document, by name and colour.

import { readIdentity } from "./identity.js";

/** Shows one chip for each session; `states` is what each said about its person. */
export function showPeople(list: HTMLElement, states: ReadonlyMap<string, unknown>): void {
  const chips = [...states.values()].map((state) => {
    const { name, color } = readIdentity(state);
    const chip = document.createElement("li");
    chip.className = "person";
    chip.style.setProperty("--person", color);
    chip.style.color = readableOn(color);
    chip.textContent = name;
    chip.title = name;
    return chip;
  });
  list.replaceChildren(...chips);
}

/** Black or white, whichever stands out more from `#rrggbb` (relative luminance as in WCAG 2). */
function readableOn(color: string): string {
  const channel = (from: number): number => {
    const value = parseInt(color.slice(from, from + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return luminance > 0.179 ? "#000" : "#fff";
}
