// Which document the page shows: `/?doc=name`, else `#name`, else "welcome".

const DEFAULT_NAME = "welcome";
/** The relay refuses longer names. */
const NAME_CHARS_MAX = 64;

/** The document named by an address. */
export function documentName(address: URL): string {
  const wanted = address.searchParams.get("doc") ?? decoded(address.hash.slice(1));
  const name = wanted.trim().slice(0, NAME_CHARS_MAX);
  return name === "" ? DEFAULT_NAME : name;
}

/** The address of a document. */
export function documentAddress(name: string): string {
  return `?doc=${encodeURIComponent(name)}`;
}

/** A name nobody uses yet, short enough to read out. */
export function newDocumentName(): string {
  const letters = "bcdfghjkmnpqrstvwxyz";
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `text-${Array.from(bytes, (byte) => letters.charAt(byte % letters.length)).join("")}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
