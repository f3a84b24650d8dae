/** Reads the JUnit reports of the three test runners, as far as their counts need. */

/** One test of a report. */
export interface TestCase {
  /** The test's name. */
  name: string;
  /** How it ended. */
  outcome: "passed" | "failed" | "skipped";
  /** Why it failed, in the runner's words. */
  message: string;
}

// Node leaves `>` inside attributes as it is, so a tag ends only outside of quotes.
const CASE = /<testcase((?:\s+[\w:-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g;
const FAILURE = /<(?:failure|error)((?:\s+[\w:-]+="[^"]*")*)/;
const ATTRIBUTE = /\s([\w:-]+)="([^"]*)"/g;

/** The tests that a report lists. */
export function parseJunit(xml: string): TestCase[] {
  return [...xml.matchAll(CASE)].map(([, attributes = "", body = ""]) => {
    const failure = FAILURE.exec(body);
    return {
      name: attribute(attributes, "name"),
      outcome: failure ? "failed" : /<skipped\b/.test(body) ? "skipped" : "passed",
      message: failure ? attribute(failure[1]!, "message") : "",
    };
  });
}

function attribute(attributes: string, name: string): string {
  for (const [, key, value] of attributes.matchAll(ATTRIBUTE)) {
    // Node escapes quotes twice.
    if (key === name) return unescape(unescape(value!));
  }
  return "";
}

const NAMED: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescape(text: string): string {
  return text.replaceAll(
    /&(?:#(\d+)|#x([\da-f]+)|(lt|gt|quot|apos|amp));/gi,
    (_, decimal?: string, hex?: string, name?: string) =>
      name
        ? NAMED[name.toLowerCase()]!
        : String.fromCodePoint(decimal ? parseInt(decimal, 10) : parseInt(hex!, 16)),
  );
}
