// Who sits at this page: a name and a colour, kept in the browser.

export interface Identity {
  readonly name: string;
  /** `#rrggbb`. */
  readonly color: string;
}

const KEY = "crdt-editor-identity";
const NAME_CHARS_MAX = 40;

/** Dark enough for white letters on them (contrast 4.5 or more), bright enough to be told apart. */
const COLORS = ["#b3261e", "#a8470b", "#7a5c00", "#3d6b1f", "#1b6e5a", "#0f6a8c", "#2f56b8", "#6a45b5", "#9a3292", "#a62a5c"];
const MOODS = ["Quiet", "Bright", "Gentle", "Swift", "Merry", "Patient", "Curious", "Bold", "Calm", "Clever", "Sunny", "Kind"];
const ANIMALS = [
  "Otter", "Heron", "Fox", "Badger", "Lynx", "Wren", "Marten", "Hare", "Owl", "Seal", "Newt", "Ibex", "Crane", "Dormouse",
  "Puffin", "Stoat", "Finch", "Beaver",
];

/** The person of last time, or a new one. */
export function loadIdentity(storage: Storage): Identity {
  const stored: unknown = parsed(storage.getItem(KEY));
  return isIdentity(stored) ? tidied(stored) : saveIdentity(storage, { name: `${pick(MOODS)} ${pick(ANIMALS)}`, color: pick(COLORS) });
}

/** Keeps a person for the next visit; an empty name gives a new one. */
export function saveIdentity(storage: Storage, identity: Identity): Identity {
  const kept = tidied(identity);
  try {
    storage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // A full or forbidden storage costs the name of the next visit and nothing else.
  }
  return kept;
}

/** What another page said about its person, as far as it makes sense. */
export function readIdentity(state: unknown): Identity {
  return isIdentity(state) ? tidied(state) : { name: "Somebody", color: "#5f6b76" };
}

function isIdentity(value: unknown): value is Identity {
  return (
    typeof value === "object" && value !== null &&
    "name" in value && typeof value.name === "string" &&
    "color" in value && typeof value.color === "string" && /^#[0-9a-f]{6}$/i.test(value.color)
  );
}

function tidied({ name, color }: Identity): Identity {
  const short = name.trim().slice(0, NAME_CHARS_MAX);
  return { name: short === "" ? `${pick(MOODS)} ${pick(ANIMALS)}` : short, color };
}

function pick(words: readonly string[]): string {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return words[number % words.length] ?? "";
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
