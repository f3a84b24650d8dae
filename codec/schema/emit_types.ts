/** Emits the interfaces of all data types. */

import { allFields, cacheable, concreteOf, concreteTypes, typeScriptOf } from "./model.ts";
import { type DataTypeDefinition, type Field, schema } from "./schema.ts";

/** Text of `types.ts`. */
export function emitTypes(): string {
  return [
    `/** Interfaces of the data types of OpenWire. @module */`,
    `import type { Long } from "../long.ts";`,
    `import type { Throwable } from "../throwable.ts";`,
    emitCodes(),
    ...schema.filter(({ name }) => name !== "DataStructure").map(emitInterface),
    ...schema.filter(({ code }) => code === null).map(emitUnion),
  ].join("\n\n");
}

function emitCodes(): string {
  return `/**
 * Codes of the data types on the wire (Java: CommandTypes).
 *
 * @example
 * \`\`\`ts
 * import { DataTypeCode } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(DataTypeCode.WireFormatInfo, 1);
 * \`\`\`
 */
export const DataTypeCode = {
${
    concreteTypes.map(({ name, code, doc }) =>
      `  /** Code of {@linkcode ${name}}: ${lowerFirst(doc)} */\n  ${name}: ${code},`
    )
      .join("\n")
  }
} as const;

/**
 * Name of a data type: the \`dataType\` of its values.
 *
 * @example
 * \`\`\`ts
 * import type { DataTypeName } from "../mod.ts";
 *
 * const name: DataTypeName = "MessageDispatch";
 * \`\`\`
 */
export type DataTypeName = keyof typeof DataTypeCode;`;
}

function emitInterface(type: DataTypeDefinition): string {
  const { name, code, parent, doc, fields } = type;
  const own = code === null ? `${name}Fields` : name;
  const base = baseOf(parent);
  const inherited = base ? ` extends ${base}` : "";
  if (code === null && fields.length === 0) return "";
  const immutable = cacheable.includes(name) ||
    name.startsWith("ActiveMQ") && name.includes("Dest");
  const lines = fields.map((field) => emitField(field, immutable));
  if (code !== null) {
    lines.unshift(`  /** Name of the type. */\n  readonly dataType: "${name}";`);
  }
  const remark = immutable
    ? "\n *\n * Never changed once made: the cache of the encoder freezes it."
    : code === null
    ? "\n *\n * The fields that all its kinds share."
    : "";
  const since = type.since > 1 ? ` Since version ${type.since}.` : "";
  const wire = code === null ? "" : ` Type code ${code}.${since}`;
  return `/**
 * ${doc}${wire}${remark}
 *
 * @example
 * \`\`\`ts
 * import type { ${own} } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const read = (value: ${own}) => value.${exampleField(type)};
 * assertEquals(typeof read, "function");
 * \`\`\`
 */
export interface ${own}${inherited} {
${lines.join("\n")}
}`;
}

/** The interface that holds the inherited fields; undefined when there are none. */
function baseOf(parent: string | null): string | undefined {
  const base = schema.find(({ name }) => name === parent);
  if (!base) return undefined;
  if (base.code !== null) return `Omit<${base.name}, "dataType">`;
  return base.fields.length > 0 ? `${base.name}Fields` : baseOf(base.parent);
}

function exampleField(type: DataTypeDefinition): string {
  return allFields(type.name).at(-1)?.name ?? "dataType";
}

function emitField(field: Field, immutable: boolean): string {
  const versions = [
    field.since > 1 ? `Since version ${field.since}.` : "",
    field.until ? `Until version ${field.until}.` : "",
  ].filter(Boolean).join(" ");
  const doc = [field.doc, versions].filter(Boolean).join(" ");
  return `  /** ${doc} */\n  ${immutable ? "readonly " : ""}${field.name}: ${typeScriptOf(field)};`;
}

function emitUnion({ name, doc }: DataTypeDefinition): string {
  const members = concreteOf(name).map((type) => type.name);
  return `/**
 * ${doc}
 *
 * @example
 * \`\`\`ts
 * import type { ${name} } from "../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const name = (value: ${name}) => value.dataType;
 * assertEquals(typeof name, "function");
 * \`\`\`
 */
export type ${name} = ${members.map((member) => `| ${member}`).join(" ")};`;
}

function lowerFirst(text: string): string {
  return text[0]!.toLowerCase() + text.slice(1);
}
