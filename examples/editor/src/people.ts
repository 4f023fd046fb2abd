// The others in this document, by name and colour.

import { readIdentity } from "./identity.js";

/** Shows one chip for each session; `states` is what each said about its person. */
export function showPeople(list: HTMLElement, states: ReadonlyMap<string, unknown>): void {
  const chips = [...states.values()].map((state) => {
    const { name, color } = readIdentity(state);
    const chip = document.createElement("li");
    chip.className = "person";
    chip.style.setProperty("--person", color);
    chip.textContent = name;
    chip.title = name;
    return chip;
  });
  list.replaceChildren(...chips);
}
