/**
 * Two pages, an editor in each, one document. Both people edit at once, at random, by the editor's own
 * interface and by keys; what they write arrives now and then; after each step each editor must hold what
 * its document holds, and after each sync both the same.
 */
import { Doc } from "crdt-js";
import type { Browser, Page } from "playwright-core";
import { Random } from "../../random.js";
import { bundle, type Bundle, open } from "../chromium.js";
import { type Action, draw, leftBehind, usesClipboard } from "./actions.js";
import { Keyboard } from "./keyboard.js";
import { MAIN_TEXT, textOf } from "./named.js";
import type { Report, Seat } from "./seat.js";

/** Each has an adapter of its name in `adapters/`. */
export const BINDINGS = ["textarea", "quill", "codemirror", "monaco", "prosemirror"] as const;
export type BindingName = (typeof BINDINGS)[number];

const STARTS = ["", "word", "The quick brown fox\njumps over\n\nthe lazy dog.", "\n\n", "😀 one\ntwo 漢字\nthree é\n"];
/** How many times both do something. */
const ROUNDS = 24;
/** How much of what happened is told when something does not hold. */
const TOLD = 12;

/** Something does not hold. */
export class Fault extends Error {}

/** Two pages with one binding's editors in them, for many seeds. */
export class Pair {
  readonly #browser: Browser;
  readonly #bundled: Bundle;
  #people: [Person, Person] | undefined;

  private constructor(browser: Browser, bundled: Bundle) {
    this.#browser = browser;
    this.#bundled = bundled;
  }

  static async of(browser: Browser, binding: BindingName): Promise<Pair> {
    const entry = `
      import { Seat } from "./conformance/seat.js";
      import { adapter } from "./conformance/adapters/${binding}.js";
      Object.assign(window, { conformance: new Seat(adapter) });`;
    return new Pair(browser, await bundle(entry));
  }

  /** Throws a `Fault` with the end of the story. `name`: the text that is edited, where it is not the main text. */
  async run(seed: number, name = textOf(seed)): Promise<void> {
    this.#people ??= [await Person.of(this.#browser, this.#bundled), await Person.of(this.#browser, this.#bundled)];
    const story: string[] = [];
    try {
      await new Meeting(this.#people, new Random(seed), story).hold(name);
    } catch (error) {
      await this.close(); // who knows what state they are in
      const told = story.slice(-TOLD).map((line) => `  ${line}`);
      const what = error instanceof Fault ? error.message : String(error);
      const where = name === undefined ? "" : `, in the text ${name}`;
      throw new Fault([`CRDT_SEED=${String(seed)}${where}`, what, ...told].join("\n"), { cause: error });
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#people?.map((person) => person.page.close()) ?? []);
    this.#people = undefined;
  }
}

/** One of the two, in a page of his own. */
class Person {
  /** What the other made and did not arrive yet. */
  inbox: string[] = [];
  /** What was made and is not on its way yet: it leaves when the round is over, so that a seed repeats. */
  outbox: string[] = [];
  state = "";
  text = "";

  private constructor(
    readonly page: Page,
    readonly keyboard: Keyboard,
    /** Uncaught, in the page. */
    readonly errors: string[],
  ) {}

  static async of(browser: Browser, bundled: Bundle): Promise<Person> {
    const errors: string[] = [];
    const page = await open(browser, bundled, (error) => errors.push(error.stack ?? error.message));
    return new Person(page, await Keyboard.of(page), errors);
  }

  /** Calls a method of the seat in the page. */
  call<Method extends Calls>(method: Method, ...args: Parameters<Seat[Method]>): Promise<Awaited<ReturnType<Seat[Method]>>> {
    const call = [method, args] as const;
    const answer: Promise<unknown> = this.page.evaluate(([method, args]) => {
      const seat = (window as unknown as { conformance: Record<string, (...args: readonly unknown[]) => unknown> }).conformance;
      return seat[method]?.(...args);
    }, call);
    return answer as Promise<Awaited<ReturnType<Seat[Method]>>>;
  }
}

type Calls = "open" | "editAtRandom" | "select" | "drag" | "deliver" | "travel" | "meet" | "report";

/** One seed. */
class Meeting {
  readonly #people: readonly [Person, Person];
  readonly #random: Random;
  readonly #story: string[];

  constructor(people: readonly [Person, Person], random: Random, story: string[]) {
    this.#people = people;
    this.#random = random;
    this.#story = story;
  }

  async hold(name: string | undefined): Promise<void> {
    const start = this.#random.pick(STARTS);
    const first = new Doc({ replica: "00000000000000aa" });
    if (name === undefined) {
      first.insert(0, start);
    } else {
      first.insert(0, MAIN_TEXT);
      if (start !== "") {
        first.text(name).insert(0, start);
      }
    }
    const snapshot = Buffer.from(first.snapshot()).toString("base64");
    first.free();
    for (const [index, person] of this.#people.entries()) {
      person.inbox = [];
      person.outbox = [];
      this.#take(index, await person.call("open", snapshot, `000000000000000${String(index + 1)}`, name, "clip"));
      this.#take(index, await person.call("select", 0.5, 0.5));
    }
    this.#story.push(`starts with ${JSON.stringify(start)}`);
    for (let round = 0; round < ROUNDS; round++) {
      const actions = [draw(this.#random, 0), draw(this.#random, 1)];
      const acts = actions.map((action, index) => () => this.#act(index, action));
      if (actions.some(usesClipboard)) {
        for (const act of acts) {
          await act();
        }
      } else {
        await Promise.all(acts.map((act) => act()));
      }
      this.#send();
      if (this.#random.fraction() < 0.2) {
        await this.#sync();
      }
    }
    await this.#sync();
    await this.#travel();
  }

  /** One of them undoes all he did, and does it again: what the editor shows is what he did. */
  async #travel(): Promise<void> {
    const index = this.#random.below(2);
    const person = this.#person(index);
    const before = person.state;
    this.#story.push(`${String(index)} undoes all and does it again`);
    for (const report of await person.call("travel")) {
      this.#take(index, report);
    }
    if (person.state !== before) {
      throw new Fault(`all undone and done again is ${person.state}, and was ${before}`);
    }
    await this.#sync();
  }

  /** Everything arrives, and all is the same. */
  async #sync(): Promise<void> {
    this.#story.push("sync");
    // What arrives may make an editor correct itself, which others get in turn.
    this.#send();
    for (let turn = 0; turn < 4 && this.#people.some(({ inbox }) => inbox.length > 0); turn++) {
      await Promise.all(this.#people.map((_, index) => this.#deliver(index, Infinity, false)));
      this.#send();
    }
    const [one, other] = this.#people;
    if (one.state !== other.state) {
      throw new Fault(`one has ${one.state}, the other ${other.state}`);
    }
    const [ofOne, ofOther] = await Promise.all([one.call("meet", "00000000000000f2", {}), other.call("meet", "00000000000000f1", {})]);
    await Promise.all([one.call("meet", "00000000000000f2", ofOther), other.call("meet", "00000000000000f1", ofOne)]);
  }

  async #act(index: number, action: Action): Promise<void> {
    const person = this.#person(index);
    this.#story.push(`${String(index)} ${JSON.stringify(action)}`);
    switch (action.do) {
      case "edit":
        this.#take(index, await person.call("editAtRandom", action.seed));
        break;
      case "select":
        this.#take(index, await person.call("select", action.anchor, action.head));
        break;
      case "press":
        await person.keyboard.press(action.keys);
        this.#take(index, await person.call("report"));
        break;
      case "insert":
        await person.keyboard.insert(action.text);
        this.#take(index, await person.call("report"), action.text);
        break;
      case "drag": {
        this.#take(index, await person.call("select", action.anchor, action.head));
        const points = await person.call("drag", action.to);
        if (points) {
          await person.keyboard.drag(...points);
        }
        this.#take(index, await person.call("report"));
        break;
      }
      case "compose":
        for (const step of action.steps) {
          await person.keyboard.compose(step);
          this.#take(index, await person.call("report", true));
          await this.#deliver(index, 1, true);
        }
        await (action.result === "" ? person.keyboard.compose("") : person.keyboard.insert(action.result));
        this.#take(index, await person.call("report"), action.result);
        if (action.result === "" && leftBehind(person.text, index === 0 ? 0 : 1)) {
          throw new Fault("a composition that was given up left something behind");
        }
        break;
      case "receive":
        await this.#deliver(index, action.count, false);
        break;
    }
  }

  async #deliver(index: number, count: number, composing: boolean): Promise<void> {
    const person = this.#person(index);
    const deltas = person.inbox.splice(0, count);
    if (deltas.length > 0) {
      this.#take(index, await person.call("deliver", deltas, composing));
    }
  }

  /** Hands on what was made, and looks at what does not hold; `written` has to be there. */
  #take(index: number, report: Report, written = ""): void {
    const person = this.#person(index);
    person.text = report.text;
    person.state = report.state;
    person.outbox.push(...report.made);
    this.#story.push(`${String(index)} has ${JSON.stringify(report.text)}`);
    const faults = [...report.faults, ...person.errors.splice(0)];
    if (!report.text.includes(written)) {
      faults.push(`${JSON.stringify(written)} was lost`);
    }
    if (faults.length > 0) {
      throw new Fault(faults.map((fault) => `${String(index)}: ${fault}`).join("\n"));
    }
  }

  #send(): void {
    const [one, other] = this.#people;
    other.inbox.push(...one.outbox.splice(0));
    one.inbox.push(...other.outbox.splice(0));
  }

  #person(index: number): Person {
    const person = this.#people[index];
    if (!person) {
      throw new RangeError(`nobody is ${String(index)}`);
    }
    return person;
  }
}
