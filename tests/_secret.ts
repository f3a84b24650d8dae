/** The password that tests connect with. Nothing that is written by anybody may have it, in whatever form. */

import { Buffer } from "node:buffer";

/** Has what is written differently in URLs, queries, XML and base64. */
export const SECRET = "Xy7/correct horse+battery%staple@9Q";

/** Every broker of the tests knows this user. */
export const credentials: { readonly username: string; readonly password: string } = {
  username: "app",
  password: SECRET,
};

/** How it may be written. */
const forms: readonly string[] = [
  SECRET,
  encodeURIComponent(SECRET),
  encodeURI(SECRET),
  new URLSearchParams([["", SECRET]]).toString().slice(1),
  JSON.stringify(SECRET).slice(1, -1).replaceAll("/", "\\/"),
  ...[0, 1, 2].flatMap(base64Behind),
  ...(["utf8", "utf16le"] as const).map((encoding) =>
    Buffer.from(SECRET, encoding).toString("hex")
  ),
  Array.from(SECRET).join("\0"),
  Array.from(new TextEncoder().encode(SECRET)).join(","),
  Array.from(new TextEncoder().encode(SECRET)).join(", "),
];

/** Base64 of it, where so many bytes stand before it; without what depends on its neighbours. */
function base64Behind(bytes: number): string[] {
  const whole = Buffer.from("\0".repeat(bytes) + SECRET).toString("base64");
  const own = whole.slice(bytes === 0 ? 0 : 4, -4);
  return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
}

/** The form in which a text has it; undefined when it has none. */
export function leakIn(text: string): string | undefined {
  return forms.find((form) => text.includes(form));
}

/** Looks for it in what comes in pieces. */
export class LeakScanner {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #found = 0;
  #first: string | undefined;

  /** How many pieces had it. */
  get found(): number {
    return this.#found;
  }

  /** What stands before the first one. */
  get first(): string | undefined {
    return this.#first;
  }

  /** Takes the next piece. */
  push(piece: Uint8Array): void {
    const text = this.#rest + this.#decoder.decode(piece, { stream: true });
    const leak = leakIn(text);
    // What was found must not be found again; what is cut in two must.
    this.#rest = leak ? "" : text.slice(-1000);
    if (!leak) return;
    this.#found++;
    this.#first ??= text.slice(0, text.indexOf(leak)).slice(-300);
  }
}
