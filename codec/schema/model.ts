/** Questions about the table that more than one emitter asks. */

import { type DataTypeDefinition, type Field, schema } from "./schema.ts";

/** A type that can be on the wire. */
export interface ConcreteType extends DataTypeDefinition {
  readonly code: number;
}

/** A field together with the type that declares it. */
export const byName: ReadonlyMap<string, DataTypeDefinition> = new Map(
  schema.map((definition) => [definition.name, definition]),
);

/** All types with a code. */
export const concreteTypes: readonly ConcreteType[] = schema.filter(
  (definition): definition is ConcreteType => definition.code !== null,
);

/** All fields in wire order, inherited ones first. */
export function allFields(name: string): readonly Field[] {
  const definition = byName.get(name)!;
  return [...(definition.parent ? allFields(definition.parent) : []), ...definition.fields];
}

/** The type itself, if it is concrete, and its descendants that are. */
export function concreteOf(name: string): readonly ConcreteType[] {
  return concreteTypes.filter((definition) => isA(definition.name, name));
}

function isA(name: string | null, ancestor: string): boolean {
  return name !== null && (name === ancestor || isA(byName.get(name)!.parent, ancestor));
}

/**
 * Name of the highest ancestor that has the same fields. All types with one layout share their functions: the six kinds
 * of messages without fields of their own, the four kinds of destinations.
 */
export function layoutOf(name: string): string {
  const { fields, parent } = byName.get(name)!;
  return fields.length === 0 && parent && parent !== "DataStructure" ? layoutOf(parent) : name;
}

/** Whether a value of this type can hold another one of it. */
export function isRecursive(name: string): boolean {
  const seen = new Set<string>();
  const reaches = (from: string): boolean =>
    concreteOf(from).some((type) =>
      allFields(type.name).some(({ kind }) => {
        if (!("of" in kind)) return false;
        if (overlap(kind.of, name)) return true;
        if (seen.has(kind.of)) return false;
        seen.add(kind.of);
        return reaches(kind.of);
      })
    );
  return reaches(name);
}

function overlap(a: string, b: string): boolean {
  return concreteOf(a).some((type) => isA(type.name, b));
}

/** Types whose values go through the cache when they stand in a cached field. */
export const cacheable: readonly string[] = [
  "ConnectionId",
  "SessionId",
  "ConsumerId",
  "ProducerId",
  "BrokerId",
  "LocalTransactionId",
  "XATransactionId",
  "ActiveMQQueue",
  "ActiveMQTopic",
  "ActiveMQTempQueue",
  "ActiveMQTempTopic",
];

/** Names of all types that stand in fields of a kind. */
export function typesInFields(kind: "nested" | "cached" | "array"): readonly string[] {
  const names = new Set<string>();
  for (const { fields } of schema) {
    for (const field of fields) if (field.kind.name === kind) names.add(field.kind.of);
  }
  return [...names].sort();
}

/** TypeScript type of a field's value. */
export function typeScriptOf({ kind, name }: Field): string {
  switch (kind.name) {
    case "boolean":
      return "boolean";
    case "byte":
    case "int":
      return "number";
    case "long":
      return "Long";
    case "string":
      return isRequired(name) ? "string" : "string | null";
    case "bytes":
      return "Uint8Array | null";
    case "constBytes":
      return "Uint8Array";
    case "throwable":
      return "Throwable | null";
    case "nested":
    case "cached":
      return `${kind.of} | null`;
    case "array":
      return `(${kind.of} | null)[] | null`;
  }
}

/** Whether the string must be there: a receiver in Java breaks on a destination without a name. */
export function isRequired(field: string): boolean {
  return field === "physicalName";
}

/** Types that share a layout's functions. */
export function sharers(layout: string): readonly ConcreteType[] {
  return concreteTypes.filter(({ name }) => layoutOf(name) === layout);
}

/** First version that has any of a layout's types. */
export function sinceOf(layout: string): number {
  return Math.min(...sharers(layout).map(({ since }) => since));
}

/** TypeScript union of a layout's types. */
export function unionOf(layout: string): string {
  return sharers(layout).map(({ name }) => `types.${name}`).join(" | ");
}
