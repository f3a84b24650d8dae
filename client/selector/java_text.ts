/**
 * Numbers as Java writes them.
 *
 * @module
 */

/** The text of a Java `double`. */
export function doubleText(value: number): string {
  return numberText(value, value.toExponential());
}

/** The text of a Java `float`. */
export function floatText(value: number): string {
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === value) return numberText(value, text);
  }
  return numberText(value, value.toExponential());
}

/** Writes a number with the fewest digits, which JavaScript found. */
function numberText(value: number, exponential: string): string {
  if (!Number.isFinite(value)) return String(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (value === 0) return `${sign}0.0`;
  const [mantissa = "", power] = exponential.replace("-", sign === "-" ? "" : "-").split("e");
  const digits = mantissa.replace(".", "").replace(/0+$/, "") || "0";
  const exponent = Number(power);
  if (exponent < -3 || exponent >= 7) {
    return `${sign}${digits[0]}.${digits.slice(1) || "0"}E${exponent}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.padEnd(exponent + 1, "0");
  return `${sign}${whole.slice(0, exponent + 1)}.${whole.slice(exponent + 1) || "0"}`;
}
