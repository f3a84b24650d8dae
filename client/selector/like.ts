/**
 * The patterns of LIKE.
 *
 * @module
 */

const ANY_TEXT = Symbol("%");
const ANY_CHARACTER = Symbol("_");

type Element = typeof ANY_TEXT | typeof ANY_CHARACTER | string;

/** A pattern: `%` stands for any text, `_` for one character, which is one code point. */
export class LikePattern {
  readonly #elements: Element[] = [];

  /**
   * @param pattern The text of the pattern.
   * @param escape A character that takes the meaning from the `%`, `_` or itself behind it.
   */
  constructor(pattern: string, escape?: string) {
    const characters = [...pattern];
    for (let i = 0; i < characters.length; i++) {
      const next = characters[i + 1];
      if (characters[i] === escape && (next === "%" || next === "_" || next === escape)) {
        this.#elements.push(next!);
        i++;
      } else {
        this.#elements.push(element(characters[i]!));
      }
    }
  }

  /** Whether all of a text fits. */
  matches(text: string): boolean {
    const elements = this.#elements;
    const characters = [...text];
    let at = 0;
    let i = 0;
    // The last `%`, and where the text that it stands for ends: if the rest doesn't fit, it takes one more.
    let wildcard = -1;
    let taken = 0;
    while (i < characters.length) {
      if (elements[at] === ANY_TEXT) {
        wildcard = at++;
        taken = i;
      } else if (elements[at] === ANY_CHARACTER || elements[at] === characters[i]) {
        at++;
        i++;
      } else if (wildcard >= 0) {
        at = wildcard + 1;
        i = ++taken;
      } else {
        return false;
      }
    }
    while (elements[at] === ANY_TEXT) at++;
    return at === elements.length;
  }
}

function element(character: string): Element {
  return character === "%" ? ANY_TEXT : character === "_" ? ANY_CHARACTER : character;
}
