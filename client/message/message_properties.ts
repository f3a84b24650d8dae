/** The properties that an application may give a message. */

import { PrimitiveMap, type PrimitiveMapInput } from "../../codec/mod.ts";
import { harmless } from "../harmless.ts";

/**
 * Checks properties that a user gave.
 *
 * @returns A copy of them.
 * @throws {TypeError} When a name or value can't be sent.
 */
export function checkProperties(given: PrimitiveMapInput, nested: boolean): PrimitiveMap {
  const properties = new PrimitiveMap(given);
  for (const [name, { type }] of properties.typedEntries()) {
    if (name === "") throw new TypeError("Cannot send a property without a name");
    // What begins with JMS_ is for vendors, and comes with messages of other protocols.
    if (name.startsWith("JMS") && !name.startsWith("JMS_")) {
      throw new TypeError(
        `Cannot send ${harmless(name)} as a property: headers have options of their own`,
      );
    }
    if (type === "bytes") {
      throw new TypeError(
        `Cannot send the property ${harmless(name)}: byte arrays can't be properties`,
      );
    }
  }
  if (!nested) refuseNested(properties, "properties");
  return properties;
}

/** Refuses maps and lists among values. */
export function refuseNested(values: PrimitiveMap, where: "properties" | "map messages"): void {
  for (const [name, { type }] of values.typedEntries()) {
    if (type !== "map" && type !== "list") continue;
    throw new TypeError(
      `Cannot send the ${type} ${harmless(name)} in ${where}: nestedMapAndListEnabled is false`,
    );
  }
}
