/** Ids that no other client has (Java: IdGenerator). */

let generators = 0;
const started = Date.now();
const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;

/**
 * Makes an id such as `ID:openwire-3735928559-1700000000000-1:1`. Random digits stand where Java has the number of a port
 * that it opened to be alone.
 *
 * @param prefix What stands before the first `-`.
 */
export function generateId(prefix = "ID:openwire"): string {
  return `${prefix}-${seed}-${started}-${++generators}:1`;
}
