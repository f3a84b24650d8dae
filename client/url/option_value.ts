/** What the values of options in a URL look like. */

/** A kind of value. */
export interface ValueType<T> {
  /** What is expected, for errors and for the documentation. */
  readonly expected: string;
  /** The value; undefined when the text is none. */
  parse(text: string): T | undefined;
}

/** The largest time and the largest size. */
const MOST = 0x7fffffff;

/** `true` or `false`. */
export const boolean: ValueType<boolean> = {
  expected: "true or false",
  parse: (text) => {
    const lower = text.toLowerCase();
    return lower === "true" ? true : lower === "false" ? false : undefined;
  },
};

/** Any text. */
export const text: ValueType<string> = { expected: "text", parse: (text) => text };

/** A text that is not empty. */
export const name: ValueType<string> = {
  expected: "text, not empty",
  parse: (text) => text === "" ? undefined : text,
};

/** An integer of a range. */
export function integer(least: number, most: number): ValueType<number> {
  return {
    expected: most === MOST
      ? `an integer of ${least} or more`
      : `an integer from ${least} to ${most}`,
    parse: (text) => inRange(/^[+-]?\d+$/.test(text) ? Number(text) : NaN, least, most),
  };
}

/** A number of a range, which need not be an integer. */
export function number(least: number, most: number = Infinity): ValueType<number> {
  return {
    expected: most === Infinity
      ? `a number of ${least} or more`
      : `a number from ${least} to ${most}`,
    parse: (text) => inRange(/^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : NaN, least, most),
  };
}

/** Milliseconds. */
export const milliseconds: ValueType<number> = {
  expected: "milliseconds",
  parse: (text) => integer(0, MOST).parse(text),
};

/** Milliseconds, of which 0 and less are for ever, as in Java; here that is 0. */
export const timeout: ValueType<number> = {
  expected: "milliseconds, 0 or less for ever",
  parse: (text) => {
    const value = integer(-MOST - 1, MOST).parse(text);
    return value === undefined ? undefined : Math.max(0, value);
  },
};

/** A number of bytes, 0 for no limit. */
export const bytes: ValueType<number> = {
  expected: "bytes, 0 for no limit",
  parse: (text) => integer(0, MOST).parse(text),
};

/** A number of bytes that Java keeps as a long; no frame is larger than 2 GiB. */
export const frameSize: ValueType<number> = {
  expected: "bytes, 1024 or more; what is more than 2147483647 counts as that",
  parse: (text) => {
    const value = number(1024).parse(text);
    return value === undefined || !Number.isInteger(value) ? undefined : Math.min(value, MOST);
  },
};

function inRange(value: number, least: number, most: number): number | undefined {
  return value >= least && value <= most ? value : undefined;
}
