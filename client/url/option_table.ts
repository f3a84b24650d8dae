/** Tables of options: what each one in a URL is here, or why it is refused. */

import { mergeOptions } from "./merge_options.ts";
import { countChanges, nearestName } from "../../nearest_name.ts";
import type { ValueType } from "./option_value.ts";
import type { Parameter } from "./query.ts";

/** What is done with an option. */
export type OptionKind = "typed" | "fixed" | "ignored" | "refused";

/** An option of a URL. `Target` are the typed options. */
export interface OptionRow<Target> {
  /** Name in a URL, as in Java. */
  readonly name: string;
  /** Other names that are taken. */
  readonly aliases: readonly string[];
  readonly kind: OptionKind;
  /** What a value has to be. */
  readonly expected: string;
  /** The value without the option; empty for refused ones. */
  readonly fallback: string;
  /** What it does, why it makes no difference, or why it is refused. */
  readonly about: string;
  /** The typed options for a value; undefined when the value is not as expected. */
  read(value: string): Target | undefined;
}

/** What a row needs beside its name. */
interface RowOptions {
  readonly aliases?: readonly string[];
}

/** An option that is a typed option here. */
export function typed<Target, Value>(
  name: string,
  type: ValueType<Value>,
  fallback: string,
  about: string,
  set: (value: Value) => Target,
  { aliases = [] }: RowOptions = {},
): OptionRow<Target> {
  return {
    name,
    aliases,
    kind: "typed",
    expected: type.expected,
    fallback,
    about,
    read(text) {
      const value = type.parse(text);
      return value === undefined ? undefined : set(value);
    },
  };
}

/** An option that can't be changed: one value is what is done here anyway, and for others `about` says why not. */
export function fixed(name: string, value: string, about: string): OptionRow<object> {
  const read = (text: string): object | undefined =>
    text.toLowerCase() === value.toLowerCase() ? {} : undefined;
  return { name, aliases: [], kind: "fixed", expected: value, fallback: value, about, read };
}

/** An option of something that is not here, such as threads; whoever sets it misses nothing. */
export function ignored(
  name: string,
  type: ValueType<unknown>,
  about: string,
): OptionRow<object> {
  return {
    name,
    aliases: [],
    kind: "ignored",
    expected: type.expected,
    fallback: "",
    about,
    read: (text) => type.parse(text) === undefined ? undefined : {},
  };
}

/** An option that is not supported. */
export function refused(name: string, about: string): OptionRow<object> {
  return {
    name,
    aliases: [],
    kind: "refused",
    expected: "",
    fallback: "",
    about,
    read: () => undefined,
  };
}

/** Makes the error for a problem with the text that is read. */
export type Refusal = (problem: string) => Error;

/** Options by name. */
export class OptionTable<Target extends object> {
  readonly rows: readonly OptionRow<Target>[];
  readonly #rows: ReadonlyMap<string, OptionRow<Target>>;

  constructor(rows: readonly OptionRow<Target>[]) {
    this.rows = rows;
    this.#rows = new Map(
      rows.flatMap((row) => [row.name, ...row.aliases].map((name) => [name, row] as const)),
    );
  }

  /** All names, aliases too. */
  get names(): string[] {
    return [...this.#rows.keys()];
  }

  has(name: string): boolean {
    return this.#rows.has(name);
  }

  /**
   * The typed options for what a URL says.
   *
   * @param parameters Names and values.
   * @param refuse Makes the error; what it gets has no values, for one may be a password.
   * @param misplaced What to say of names that are not in this table, when more than the nearest one is known.
   */
  read(
    parameters: readonly Parameter[],
    refuse: Refusal,
    misplaced: (name: string) => string | undefined = () => undefined,
  ): Target {
    const seen = new Set<OptionRow<Target>>();
    let options = {} as Target;
    for (const parameter of parameters) {
      const { name, value } = parameter;
      const row = this.#rows.get(name);
      if (!row) {
        throw refuse(
          unnamed(parameter, this.names) ?? misplaced(name) ?? this.#unknown(name),
        );
      }
      if (seen.has(row)) throw refuse(`the option ${name} is there twice`);
      seen.add(row);
      const read = row.read(value);
      if (read === undefined) throw refuse(problemOf(row, name, value));
      options = mergeOptions(options, read);
    }
    return options;
  }

  #unknown(name: string): string {
    return `there is no option ${name}; the nearest is ${nearestName(name, this.names)}`;
  }
}

/**
 * What to say of an option that must not be named, for it may be a part of a secret. One that is nearly an option that there
 * is may be named.
 */
function unnamed(
  { name, place, behindSecret }: Parameter,
  names: readonly string[],
): string | undefined {
  if (behindSecret === undefined) return undefined;
  const nearest = nearestName(name, names);
  if (name.includes(".") && countChanges(name, nearest) <= 2) return undefined;
  return `option ${place}, behind ${behindSecret}, is none; the nearest is ${nearest}. ` +
    "A `&` within a value is written %26";
}

function problemOf(row: OptionRow<object>, name: string, value: string): string {
  // Artemis has them in the URLs of its acceptors.
  const hint = /;[\w.]+=/.test(value) ? "; options are separated by `&`" : "";
  switch (row.kind) {
    case "refused":
      return `the option ${name} is not supported: ${row.about}`;
    case "fixed":
      return `the option ${name} can only be ${row.expected}: ${row.about}${hint}`;
    default:
      return `the option ${name} is wrong: expected ${row.expected}${hint}`;
  }
}
