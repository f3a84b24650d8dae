/** The table of data types against the one that was extracted from the Java marshallers. */
import { readFileSync } from "node:fs";
import { assert, assertEquals } from "@std/assert";
import * as codec from "../../codec/mod.ts";
import { type DataStructure, DataTypeCode, type DataTypeName } from "../../codec/mod.ts";
import {
  allFields,
  byName,
  cacheable,
  concreteOf,
  concreteTypes,
} from "../../codec/schema/model.ts";
import { type Field, schema } from "../../codec/schema/schema.ts";
import { test } from "../_harness.ts";
import { decode, encode, unencodable } from "./_codec.ts";

interface JavaField {
  readonly name: string;
  readonly kind: string;
  readonly of?: string;
  readonly size?: number;
  readonly since: number;
  readonly until?: number;
  readonly bean?: string;
}

interface JavaType {
  readonly name: string;
  readonly code: number | null;
  readonly parent: string | null;
  readonly abstract: boolean;
  readonly since: number;
  readonly marshallAware?: boolean;
  readonly concrete?: readonly string[];
  readonly fields: readonly JavaField[];
}

interface JavaSchema {
  readonly typeCodes: Record<string, { code: number; type: string | null }>;
  readonly types: readonly JavaType[];
}

const java = JSON.parse(
  readFileSync(new URL("../testdata/openwire.json", import.meta.url), "utf8"),
) as JavaSchema;
const javaTypes = new Map(java.types.map((type) => [type.name, type]));

/** Our names for Java's kinds. */
const KINDS: Record<string, string> = {
  byteArray: "bytes",
  constByteArray: "constBytes",
  cachedNested: "cached",
  nestedArray: "array",
};

/** The only type that can stand where Java names an interface. */
const INTERFACES: Record<string, string> = { BooleanExpression: "NetworkBridgeFilter" };

function inherited(type: JavaType): readonly JavaField[] {
  const parent = type.parent === null ? undefined : javaTypes.get(type.parent);
  return [...(parent ? inherited(parent) : []), ...type.fields];
}

function ours({ name, kind, since, until }: Field): Record<string, unknown> {
  return {
    name,
    kind: kind.name,
    ...("of" in kind ? { of: kind.of } : {}),
    ...("size" in kind ? { size: kind.size } : {}),
    since,
    ...(until === undefined ? {} : { until }),
  };
}

function theirs({ name, kind, of, size, since, until }: JavaField): Record<string, unknown> {
  return {
    name,
    kind: KINDS[kind] ?? kind,
    ...(of === undefined ? {} : { of: INTERFACES[of] ?? of }),
    ...(size === undefined ? {} : { size }),
    since,
    ...(until === undefined ? {} : { until }),
  };
}

test("the schema has the concrete types of Java, with their codes, and no others", () => {
  const expected = java.types.filter(({ abstract }) => !abstract).map((
    { name, code },
  ) => [name, code]);
  const got = concreteTypes.map(({ name, code }) => [name, code]);
  assertEquals(got.sort(), expected.sort());
  assertEquals(Object.entries(DataTypeCode).sort(), expected.sort());
  assertEquals(got.length, 57);
});

test("the schema knows every type code of Java but that of null", () => {
  const codes = new Set<number>(Object.values(DataTypeCode));
  for (const [name, { code, type }] of Object.entries(java.typeCodes)) {
    assertEquals(codes.has(code), type !== null, name);
  }
  assertEquals(codes.size, concreteTypes.length);
});

for (const type of java.types) {
  if (type.abstract) continue;
  test(`the schema of ${type.name} has Java's fields, in their order, with kinds and versions`, () => {
    const own = byName.get(type.name)!;
    assertEquals(allFields(type.name).map(ours), inherited(type).map(theirs));
    assertEquals(own.since, type.since);
    assertEquals(own.marshallAware, type.marshallAware === true || own.parent === "Message");
    // The name in Java's accessors differs from the field's only by its first letter.
    for (const field of inherited(type)) {
      const mine = allFields(type.name).find(({ name }) => name === field.name)!;
      const expected = field.name.startsWith("JMS") || field.bean?.startsWith("JMS");
      if (expected) assertEquals(mine.javaName ?? mine.name, "JMSXGroupFirstForConsumer");
    }
  });
}

test("the schema takes the same types for a field as Java", () => {
  let count = 0;
  for (const type of java.types) {
    for (const { of } of type.fields) {
      const target = of === undefined || of === "DataStructure" ? undefined : javaTypes.get(of);
      if (target === undefined) continue;
      const expected = target.abstract ? target.concrete! : [target.name];
      assertEquals(concreteOf(of!).map(({ name }) => name).sort(), [...expected].sort(), of);
      count++;
    }
  }
  assert(count > 50, String(count));
});

test("the schema has no field that its parent has", () => {
  for (const { name } of schema) {
    const names = allFields(name).map((field) => field.name);
    assertEquals(new Set(names).size, names.length, name);
  }
});

test("every type that can stand in a cached field can be cached", () => {
  const names = new Set<string>();
  for (const { fields } of schema) {
    for (const { kind } of fields) {
      // RemoveInfo.objectId is of any type by the table, but always an id.
      if (kind.name !== "cached" || kind.of === "DataStructure") continue;
      for (const { name } of concreteOf(kind.of)) names.add(name);
    }
  }
  assertEquals([...names].sort(), [...cacheable].sort());
});

// What the generated code makes of the table

function blank(name: DataTypeName): DataStructure {
  const create =
    (codec as unknown as Record<string, (init: object) => DataStructure>)[`create${name}`]!;
  return create({ physicalName: "Q" });
}

for (const { name, since } of concreteTypes) {
  test(`create${name}() makes a value with all fields, which can be sent in all versions`, () => {
    const value = blank(name as DataTypeName);
    assertEquals(value.dataType, name);
    assertEquals(Object.keys(value), ["dataType", ...allFields(name).map((field) => field.name)]);
    for (let version = 1; version <= 12; version++) {
      for (const tightEncodingEnabled of [false, true]) {
        for (const cacheEnabled of [false, true]) {
          const settings = { version, tightEncodingEnabled, cacheEnabled, stackTraceEnabled: true };
          if (version < since) unencodable(value, settings, `version ${version}`);
          else assertEquals(decode(encode(value, settings), settings), value);
        }
      }
    }
  });
}

test("the factories take fields and leave out what is none", () => {
  const id = codec.createSessionId({ connectionId: "c", value: 5 });
  assertEquals(id, { dataType: "SessionId", connectionId: "c", value: 5 });
  const queue = codec.createActiveMQQueue(
    { physicalName: "Q", other: 1 } as { physicalName: string },
  );
  assertEquals(Object.keys(queue), ["dataType", "physicalName"]);
  assertEquals(codec.createRemoveInfo().lastDeliveredSequenceId, -2);
});

test("the copy of Java's table is whole", () => {
  assert(java.types.length > 60);
  assert(java.types.flatMap(({ fields }) => fields).length > 190);
});
