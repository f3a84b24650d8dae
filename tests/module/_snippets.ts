/** The code in a page that shows another client beside ours. */

/** A block of code. */
export interface Snippet {
  /** The heading above it. */
  readonly task: string;
  /** What stands behind the three backticks. */
  readonly info: string;
  /** The code. */
  readonly code: string;
}

/** All blocks of a page, in order. */
export function snippetsOf(page: string): Snippet[] {
  const found: Snippet[] = [];
  let task = "";
  for (const [, heading, info, code] of page.matchAll(/^## (.*)$|^```(.*)\n([^]*?)^```$/gm)) {
    if (heading !== undefined) task = heading;
    else found.push({ task, info: info!, code: code! });
  }
  return found;
}
