/** Puts options together. */

/**
 * Options of two sources in one object. Those of the second count more, but not where it says undefined; plain objects
 * within are put together in the same way.
 */
export function mergeOptions<First extends object, Second extends object>(
  first: First,
  second: Second,
): First & Second {
  const merged = { ...first } as Record<string, unknown>;
  for (const [name, value] of Object.entries(second)) {
    if (value === undefined) continue;
    const before = Object.hasOwn(first, name) ? merged[name] : undefined;
    merged[name] = isPlain(before) && isPlain(value) ? mergeOptions(before, value) : value;
  }
  return merged as First & Second;
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}
