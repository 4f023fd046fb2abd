// Who sits at this page: a name and a colour, kept in the browser, one per tab.

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

/**
 * The person of this tab: the one it had before a reload; else the one of the last visit; but somebody new beside
 * another open tab, which is that person already.
 */
export async function loadIdentity(): Promise<Identity> {
  const isFirstTab = await ownsTheIdentity();
  const known = stored(sessionStorage) ?? stored(localStorage);
  if (known && (isFirstTab || stored(sessionStorage))) {
    store(sessionStorage, known);
    return known;
  }
  const fresh: Identity = { name: newName(), color: pick(COLORS.filter((color) => color !== known?.color)) };
  store(sessionStorage, fresh);
  if (isFirstTab) {
    store(localStorage, fresh);
  }
  return fresh;
}

/** Keeps what somebody said about themselves, here and for the next visit; an empty name gives a new one. */
export function saveIdentity(identity: Identity): Identity {
  const kept = tidied(identity);
  store(sessionStorage, kept);
  store(localStorage, kept);
  return kept;
}

/** What another page said about its person, as far as it makes sense. */
export function readIdentity(state: unknown): Identity {
  return isIdentity(state) ? tidied(state) : { name: "Somebody", color: "#5f6b76" };
}

/** A colour for somebody of whom nothing but the copy's name is known: the same in every page. */
export function colorOf(replica: string): string {
  return COLORS[parseInt(replica.slice(-6), 16) % COLORS.length] ?? "#5f6b76";
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
  return { name: short === "" ? newName() : short, color };
}

function newName(): string {
  return `${pick(MOODS)} ${pick(ANIMALS)}`;
}

/** One tab of this browser holds the lock for as long as it is open. Without locks (no secure context) each is the first. */
async function ownsTheIdentity(): Promise<boolean> {
  if (!("locks" in navigator)) {
    return true;
  }
  return await new Promise((resolve) => {
    void navigator.locks.request(KEY, { ifAvailable: true }, async (lock) => {
      resolve(lock !== null);
      await (lock && new Promise<never>(() => undefined));
    });
  });
}

function stored(storage: Storage): Identity | undefined {
  try {
    const value: unknown = JSON.parse(storage.getItem(KEY) ?? "null");
    return isIdentity(value) ? tidied(value) : undefined;
  } catch {
    return undefined;
  }
}

function store(storage: Storage, identity: Identity): void {
  try {
    storage.setItem(KEY, JSON.stringify(identity));
  } catch {
    // A full or forbidden storage costs the name of the next visit and nothing else.
  }
}

function pick(words: readonly string[]): string {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return words[number % words.length] ?? "";
}
