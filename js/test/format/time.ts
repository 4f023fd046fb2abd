// Operations in the order of time: every edit is made again, in a list of all elements.

import { type Anchor, compareIds, type Id, idText, must, type Reader, refuse, START, utf8 } from "./bytes.js";
import { CARRIER } from "./delta.js";
import { beside, type Deleted, type Element, type Place, placeAt } from "./snapshot.js";

interface Made {
  readonly id: Id;
  readonly text: string;
  readonly never: boolean;
  readonly placed: Anchor;
  deleted: boolean;
  readonly before: Made[];
  readonly after: Made[];
}

/** All elements in document order: the tree of placements in order, siblings in descending order of ids. */
class Sequence {
  order: Made[] = [];
  readonly byId = new Map<string, Made>();
  private readonly atStart: Made[] = [];

  find(id: Id): Made {
    return this.byId.get(idText(id)) ?? refuse("an element that there is not yet");
  }

  private siblings({ side, of }: Anchor): Made[] {
    return of === undefined ? this.atStart : this.find(of)[side];
  }

  anythingAfter(left: Made | undefined): boolean {
    return (left?.after ?? this.atStart).length > 0;
  }

  make(id: Id, text: string, never: boolean, placed: Anchor): void {
    const made: Made = { id, text, never, placed, deleted: false, before: [], after: [] };
    must(!this.byId.has(idText(id)), "an element comes twice");
    const siblings = this.siblings(placed);
    siblings.push(made);
    siblings.sort((a, b) => compareIds(b.id, a.id));
    this.byId.set(idText(id), made);
    this.walk();
  }

  /** Without recursion: typing makes deep trees. */
  private walk(): void {
    this.order = [];
    const left: (Made | { readonly emit: Made })[] = [...this.atStart].reverse();
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if ("emit" in next) {
        this.order.push(next.emit);
      } else {
        left.push(...[...next.after].reverse(), { emit: next }, ...[...next.before].reverse());
      }
    }
  }

  visible(): Made[] {
    return this.order.filter((made) => shows(made));
  }
}

const shows = ({ never, deleted }: Made): boolean => !never && !deleted;

/** In which order elements stand that were placed so. */
export function orderOf(elements: readonly { readonly id: Id; readonly placed: Anchor }[]): string[] {
  const left = new Map(elements.map((element) => [idText(element.id), element]));
  const sequence = new Sequence();
  for (let before = -1; left.size !== before;) {
    before = left.size;
    for (const [text, { id, placed }] of left) {
      if (placed.of !== undefined && !sequence.byId.has(idText(placed.of))) {
        continue;
      }
      sequence.make(id, "", false, placed);
      left.delete(text);
    }
  }
  return sequence.order.map(({ id }) => idText(id));
}

export function replay(
  version: readonly Place[],
  chunk: (tag: string) => Reader,
): { elements: Element[]; deletions: Deleted[] } {
  const [kinds, jumps, lengths, replicas, named] = [chunk("K"), chunk("J"), chunk("L"), chunk("R"), chunk("E")];
  const text = Array.from(utf8(chunk("S").bytes));
  const sequence = new Sequence();
  const deletions: Deleted[] = [];
  const issued = version.map(() => 0);
  let [place, position] = [0, 0];
  while (!kinds.done) {
    const bits = kinds.u8();
    const kind = bits & 7;
    must(kind <= 5 && bits < 0x40, "an edit of no known kind");
    const never = (bits & 8) !== 0;
    must(!never || kind === 0 || kind === 3, "what is deleted shows");
    must((bits & 0x10) === 0 || kind <= 2, "an edit of no position jumps");
    if ((bits & 0x20) !== 0) {
      const before = place;
      place = replicas.varint();
      must(place !== before, "a switch to the same replica");
    }
    const { replica, operations } = placeAt(version, place);
    const count = lengths.varint() + 1;
    let seq = issued[place] ?? 0;
    must(seq + count <= operations, "more operations than the version says");
    issued[place] = seq + count;
    if ((bits & 0x10) !== 0) {
      const jump = jumps.signed();
      must(jump !== 0, "a jump goes nowhere");
      position += jump;
    }
    const visible = kind <= 2 ? sequence.visible() : [];
    must(kind > 2 || (position >= 0 && position <= visible.length), "a position is not in the text");
    const remove = (target: Made): void => {
      target.deleted = true;
      deletions.push({ id: { replica, seq }, target: target.id });
      seq += 1;
    };
    if (kind === 0 || kind === 3) {
      must(text.length >= count, "there is too little text");
      const texts = text.splice(0, count);
      must(!never || texts.every((text) => text === CARRIER), "what never shows is U+FFFC");
      let placed = START;
      if (kind === 3) {
        placed = beside(named, version);
      } else {
        const left = visible[position - 1];
        const right = sequence.order[left === undefined ? 0 : sequence.order.indexOf(left) + 1];
        if (!sequence.anythingAfter(left)) {
          placed = { side: "after", of: left?.id };
        } else {
          placed = { side: "before", of: right?.id };
        }
      }
      const first = { replica, seq };
      for (const text of texts) {
        sequence.make({ replica, seq }, text, never, placed);
        placed = { side: "after", of: { replica, seq } };
        seq += 1;
      }
      if (!never && kind === 0) {
        position += count;
      } else if (!never) {
        const at = sequence.order.indexOf(sequence.find(first));
        position = sequence.order.slice(0, at).filter(shows).length + count;
      }
    } else if (kind === 1) {
      must(position + count <= visible.length, "more is deleted than there is");
      for (const target of visible.slice(position, position + count)) {
        remove(target);
      }
    } else if (kind === 2) {
      must(count <= position, "more is deleted than there is");
      for (const target of visible.slice(position - count, position).reverse()) {
        remove(target);
      }
      position -= count;
    } else {
      const { replica: of } = placeAt(version, named.varint());
      const from = named.seq();
      must(kind === 4 || count > 1, "one element is deleted upwards");
      for (let index = 0; index < count; index += 1) {
        remove(sequence.find({ replica: of, seq: kind === 4 ? from + index : from - index }));
      }
    }
  }
  for (const column of [jumps, lengths, replicas, named]) {
    column.end();
  }
  must(text.length === 0, "text is left over");
  must(
    version.every(({ operations }, place) => issued[place] === operations),
    "less operations than the version says",
  );
  const elements = sequence.order.map((made) => ({
    id: made.id,
    text: made.text,
    shows: shows(made),
    placed: made.placed,
  }));
  return { elements, deletions };
}
