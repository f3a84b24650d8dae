/** Emits a function for each data type that makes a value with all its fields. */

import { allFields, concreteTypes, isRequired } from "./model.ts";
import type { DataTypeDefinition, Field } from "./schema.ts";

/** Text of `factories.ts`. */
export function emitFactories(): string {
  return [
    `/** Functions that make values of the data types of OpenWire. @module */`,
    `import type { ${concreteTypes.map(({ name }) => name).join(", ")} } from "./types.ts";`,
    ...concreteTypes.map(emitFactory),
  ].join("\n\n");
}

function emitFactory({ name, doc }: DataTypeDefinition): string {
  const fields = allFields(name);
  const required = fields.filter((field) => isRequired(field.name));
  const type = required.length > 0
    ? `Pick<${name}, ${required.map((field) => `"${field.name}"`).join(" | ")}>`
    : `Partial<Omit<${name}, "dataType">>`;
  const initial = required.length > 0 ? "" : " = {}";
  const example = required.length > 0 ? `{ physicalName: "orders" }` : "";
  const assigned = fields.map((field) =>
    `    ${field.name}: init.${field.name}${
      isRequired(field.name) ? "" : ` ?? ${initialOf(field)}`
    },`
  );
  return `/**
 * Makes a {@linkcode ${name}}. ${doc}
 *
 * @param init Values of fields; the others are ${
    required.length > 0 ? "none" : "null, zero or false"
  }.
 * @returns The new value.
 *
 * @example
 * \`\`\`ts
 * import { create${name} } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(create${name}(${example}).dataType, "${name}");
 * \`\`\`
 */
export function create${name}(init: ${type}${initial}): ${name} {
  return {
    dataType: "${name}",
${assigned.join("\n")}
  };
}`;
}

/** Source text of the value that a field has by default. */
function initialOf({ kind, initial, name }: Field): string {
  if (initial !== undefined) return initial;
  switch (kind.name) {
    case "boolean":
      return "false";
    case "byte":
    case "int":
    case "long":
      return "0";
    case "constBytes":
      return name === "magic"
        ? "Uint8Array.of(65, 99, 116, 105, 118, 101, 77, 81)"
        : `new Uint8Array(${kind.size})`;
    default:
      return "null";
  }
}
