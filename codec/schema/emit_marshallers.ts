/** Emits straight-line functions that read and write each data type, loose and tight. */

import {
  allFields,
  byName,
  concreteOf,
  type ConcreteType,
  concreteTypes,
  isRecursive,
  isRequired,
  layoutOf,
  sharers,
  sinceOf,
  typesInFields,
  unionOf,
} from "./model.ts";
import {
  emitRead,
  emitReadArray,
  emitReadCached,
  emitReadData,
  emitReadValue,
  encodings,
} from "./emit_read.ts";
import type { Field } from "./schema.ts";

/** Text of `marshallers.ts`. */
export function emitMarshallers(): string {
  const layouts = [...new Set(concreteTypes.map(({ name }) => layoutOf(name)))];
  const nestedTypes = [
    ...new Set([...typesInFields("nested"), ...typesInFields("cached"), ...typesInFields("array")]),
  ].sort();
  return [
    `/** Reads and writes each data type of OpenWire. One set of functions serves all versions. @module */`,
    `import type { FrameReader } from "../frame_reader.ts";`,
    `import type { FrameWriter } from "../frame_writer.ts";`,
    `import { cacheId } from "../cache_id.ts";`,
    `import { joinLong, type Long } from "../long.ts";`,
    `import { readThrowableLoose, readThrowableTight, sizeThrowable, type Throwable, writeThrowableLoose, writeThrowableTight } from "../throwable.ts";`,
    `import type * as types from "./types.ts";`,
    ...layouts.flatMap((layout) => [
      ...encodings.map((encoding) => emitRead(layout, encoding)),
      emitWriteLoose(layout),
      emitSize(layout),
      emitWriteTight(layout),
    ]),
    ...encodings.map(emitReadData),
    ...nestedTypes.flatMap((name) => [
      ...encodings.map((encoding) => emitReadValue(name, encoding)),
      emitWriteNestedLoose(name),
      emitSizeNested(name),
      emitWriteNestedTight(name),
    ]),
    ...typesInFields("cached").flatMap((name) => [
      ...encodings.map((encoding) => emitReadCached(name, encoding)),
      emitWriteCachedLoose(name),
      emitSizeCached(name),
      emitWriteCachedTight(name),
    ]),
    ...typesInFields("array").flatMap((name) => [
      ...encodings.map((encoding) => emitReadArray(name, encoding)),
      emitWriteArrayLoose(name),
      emitSizeArray(name),
      emitWriteArrayTight(name),
    ]),
  ].join("\n\n");
}

function gatedStatement({ since, until }: Field, typeSince: number, statement: string): string {
  if (since > typeSince) return `if (w.version >= ${since}) ${statement}`;
  if (until !== undefined) return `if (w.version <= ${until}) ${statement}`;
  return statement;
}

function emitWriteLoose(layout: string): string {
  const { parameter, declare } = writerTypeName(layout);
  const statements = allFields(layout).flatMap((field) => [
    ...refusal(field),
    gatedStatement(field, sinceOf(layout), looseStatement(field)),
  ]);
  return `export function write${layout}Loose(w: FrameWriter, o: ${
    unionOf(layout)
  }${parameter}): void {
    ${[declare, ...statements].filter(Boolean).join("\n")}
  }`;
}

function writerTypeName(layout: string): { parameter: string; declare: string } {
  return sharers(layout).length > 1
    ? { parameter: "", declare: "const t = o.dataType;" }
    : { parameter: "", declare: `const t = "${sharers(layout)[0]!.name}";` };
}

/** Refuses what Java's reader breaks on. */
function refusal({ name }: Field): string[] {
  return isRequired(name)
    ? [`if (!o.${name}) w.refuse(t, "${name}", "a name is expected, got none");`]
    : [];
}

function looseStatement({ name, kind }: Field): string {
  const at = `t, "${name}"`;
  const value = `o.${name}`;
  switch (kind.name) {
    case "constBytes":
      return `w.constBytes(${at}, ${value}, ${kind.size});`;
    case "throwable":
      return `writeThrowableLoose(w, ${at}, ${value});`;
    case "nested":
      return `writeNested${kind.of}Loose(w, ${at}, ${value});`;
    case "cached":
      return `writeCached${kind.of}Loose(w, ${at}, ${value});`;
    case "array":
      return `write${kind.of}ArrayLoose(w, ${at}, ${value});`;
    default:
      return `w.${kind.name}(${at}, ${value});`;
  }
}

function emitSize(layout: string): string {
  const { declare } = writerTypeName(layout);
  const statements = allFields(layout).flatMap((field) => [
    ...refusal(field),
    gatedStatement(field, sinceOf(layout), `size += ${sizeExpression(field)};`),
  ]);
  return `export function size${layout}(w: FrameWriter, o: ${unionOf(layout)}): number {
    ${[declare, "let size = 0;", ...statements].join("\n")}
    return size;
  }`;
}

function sizeExpression({ name, kind }: Field): string {
  const at = `t, "${name}"`;
  const value = `o.${name}`;
  switch (kind.name) {
    case "boolean":
      return `w.bit(${at}, ${value})`;
    case "constBytes":
      return `w.constBytesSize(${at}, ${value}, ${kind.size})`;
    case "throwable":
      return `sizeThrowable(w, ${at}, ${value})`;
    case "nested":
      return `sizeNested${kind.of}(w, ${at}, ${value})`;
    case "cached":
      return `sizeCached${kind.of}(w, ${at}, ${value})`;
    case "array":
      return `size${kind.of}Array(w, ${at}, ${value})`;
    default:
      return `w.${kind.name}Size(${at}, ${value})`;
  }
}

function emitWriteTight(layout: string): string {
  const statements = allFields(layout).map((field) =>
    gatedStatement(field, sinceOf(layout), tightStatement(field))
  );
  return `export function write${layout}Tight(w: FrameWriter, o: ${unionOf(layout)}): void {
    ${statements.join("\n")}
  }`;
}

function tightStatement({ name, kind }: Field): string {
  const value = `o.${name}`;
  switch (kind.name) {
    case "boolean":
      return "w.nextBit();";
    case "byte":
      return `w.rawByte(${value});`;
    case "int":
      return `w.rawInt(${value});`;
    case "long":
      return `w.tightLong(${value});`;
    case "string":
      return `w.tightString(${value});`;
    case "bytes":
      return `w.tightBytes(${value});`;
    case "constBytes":
      return `w.rawBytes(${value});`;
    case "throwable":
      return `writeThrowableTight(w, ${value});`;
    case "nested":
      return `writeNested${kind.of}Tight(w, ${value});`;
    case "cached":
      return `writeCached${kind.of}Tight(w, ${value});`;
    case "array":
      return `write${kind.of}ArrayTight(w, ${value});`;
  }
}

const recursive = new Set(
  ["DataStructure", "Message", "BrokerInfo", ...typesInFields("nested")].filter(isRecursive),
);

function emitWriteNestedLoose(name: string): string {
  return writeNested(name, "Loose", {
    signature: "w: FrameWriter, t: string, f: string, value",
    returns: "void",
    absent: "return w.rawByte(0);",
    present: "w.rawByte(1);",
    call: (type) =>
      `w.rawByte(${type.code}); write${layoutOf(type.name)}Loose(w, value as types.${type.name});`,
    any: "writeDataLoose(w, t, f, value);",
    end: "",
    check: true,
  });
}

function emitSizeNested(name: string): string {
  return writeNested(name, "", {
    signature: "w: FrameWriter, t: string, f: string, value",
    returns: "number",
    absent: "return w.bit(t, f, false);",
    present: "w.bit(t, f, true); let size = 1;",
    call: (type) =>
      `${type.marshallAware ? "w.bit(t, f, false); " : ""}size += size${
        layoutOf(type.name)
      }(w, value as types.${type.name});`,
    any: "size += sizeData(w, t, f, value, true);",
    end: "return size;",
    check: true,
  });
}

function emitWriteNestedTight(name: string): string {
  return writeNested(name, "Tight", {
    signature: "w: FrameWriter, value",
    returns: "void",
    absent: "return void w.nextBit();",
    present: "w.nextBit();",
    call: (type) =>
      `w.rawByte(${type.code}); ${type.marshallAware ? "w.nextBit(); " : ""}write${
        layoutOf(type.name)
      }Tight(w, value as types.${type.name});`,
    any: "writeDataTight(w, value, true);",
    end: "",
    check: false,
  });
}

interface NestedParts {
  readonly signature: string;
  readonly returns: string;
  readonly absent: string;
  readonly present: string;
  readonly call: (type: ConcreteType) => string;
  readonly any: string;
  readonly end: string;
  /** Whether the value is checked; the second tight pass relies on the first. */
  readonly check: boolean;
}

function writeNested(name: string, suffix: string, parts: NestedParts): string {
  const verb = suffix === "" ? "size" : "write";
  const types = concreteOf(name);
  const enter = recursive.has(name) && parts.check ? "w.enter(t, f);" : "";
  const leave = recursive.has(name) && parts.check ? "w.leave();" : "";
  let body: string;
  if (name === "DataStructure") {
    body = parts.any;
  } else if (types.length === 1) {
    const check = parts.check
      ? `if (value.dataType !== "${name}") w.refuse(t, f, \`a ${name} is expected, got \${(value as types.DataStructure).dataType}\`);`
      : "";
    body = check + parts.call(types[0]!);
  } else {
    const unexpected = parts.check
      ? `default: w.refuse(t, f, \`a ${name} is expected, got \${(value as types.DataStructure).dataType}\`);`
      : "";
    const versioned = types.map((type) => {
      const gate = parts.check && type.since > 1
        ? `if (w.version < ${type.since}) w.refuse(t, f, \`${type.name} is not of version \${w.version}\`); `
        : "";
      return `case "${type.name}": ${gate}${parts.call(type)} break;`;
    }).join("\n");
    body = `switch (value.dataType) { ${versioned} ${unexpected} }`;
  }
  const nested =
    `function ${verb}Nested${name}${suffix}(${parts.signature}: types.${name} | null | undefined): ${parts.returns} {
    if (value === null || value === undefined) ${parts.absent}
    ${enter}
    ${parts.present}
    ${body}
    ${leave}
    ${parts.end}
  }`;
  return name === "DataStructure" ? emitWriteData(suffix) + "\n\n" + nested : nested;
}

/** The entry points for writing: a data structure of any type, its type code included. */
function emitWriteData(suffix: string): string {
  const gate = (type: ConcreteType): string =>
    type.since > 1 ? `if (w.version < ${type.since}) break; ` : "";
  const lines = (call: (type: ConcreteType) => string, gates: boolean): string =>
    concreteTypes.map((type) => `case "${type.name}": ${gates ? gate(type) : ""}${call(type)}`)
      .join("\n");
  if (suffix === "Loose") {
    return `/** Writes type code and fields. */
    export function writeDataLoose(w: FrameWriter, t: string, f: string, value: types.DataStructure): void {
      switch (value.dataType) {
        ${
      lines((type) =>
        `w.rawByte(${type.code}); return write${layoutOf(type.name)}Loose(w, value);`, true)
    }
      }
      w.refuse(t, f, \`a data type of version \${w.version} is expected, got \${(value as types.DataStructure).dataType}\`);
    }`;
  }
  if (suffix === "") {
    return `/** First pass of tight encoding; the type code is not counted. */
    export function sizeData(w: FrameWriter, t: string, f: string, value: types.DataStructure, nested: boolean): number {
      switch (value.dataType) {
        ${
      lines((type) =>
        `${type.marshallAware ? "if (nested) w.bit(t, f, false); " : ""}return size${
          layoutOf(type.name)
        }(w, value);`, true)
    }
      }
      w.refuse(t, f, \`a data type of version \${w.version} is expected, got \${(value as types.DataStructure).dataType}\`);
    }`;
  }
  return `/** Second pass of tight encoding; writes the type code only of a nested value. */
    export function writeDataTight(w: FrameWriter, value: types.DataStructure, nested: boolean): void {
      switch (value.dataType) {
        ${
    lines((type) =>
      `if (nested) ${
        type.marshallAware
          ? `{ w.rawByte(${type.code}); w.nextBit(); }`
          : `w.rawByte(${type.code});`
      } return write${layoutOf(type.name)}Tight(w, value);`, false)
  }
      }
    }`;
}

/** Loose encoding numbers a value before the cached values inside it. */
function emitWriteCachedLoose(name: string): string {
  return `function writeCached${name}Loose(w: FrameWriter, t: string, f: string, value: types.${name} | null | undefined): void {
    const cache = w.cache;
    if (cache === undefined) return writeNested${name}Loose(w, t, f, value);
    let key = value ? cache.find(value) : undefined;
    let id: string | undefined;
    if (key === undefined) {
      id = cacheId(value ?? null);
      if (id !== undefined) key = cache.findById(id, value ?? null);
    }
    if (key !== undefined) {
      w.rawByte(0);
      return w.rawShort(key);
    }
    w.rawByte(1);
    w.rawShort(id === undefined ? -1 : cache.add(id, value ?? null));
    writeNested${name}Loose(w, t, f, value);
  }`;
}

/** Tight encoding numbers a value after the cached values inside it. */
function emitSizeCached(name: string): string {
  return `function sizeCached${name}(w: FrameWriter, t: string, f: string, value: types.${name} | null | undefined): number {
    const cache = w.cache;
    if (cache === undefined) return sizeNested${name}(w, t, f, value);
    let key = value ? cache.find(value) : undefined;
    let id: string | undefined;
    if (key === undefined) {
      id = cacheId(value ?? null);
      if (id !== undefined) key = cache.findById(id, value ?? null);
    }
    const place = w.reserveKey();
    if (key !== undefined) {
      w.bit(t, f, false);
      w.setKey(place, key);
      return 2;
    }
    w.bit(t, f, true);
    const size = sizeNested${name}(w, t, f, value);
    w.setKey(place, id === undefined ? -1 : cache.add(id, value ?? null));
    return 2 + size;
  }`;
}

function emitWriteCachedTight(name: string): string {
  return `function writeCached${name}Tight(w: FrameWriter, value: types.${name} | null | undefined): void {
    if (w.cache === undefined) return writeNested${name}Tight(w, value);
    const fresh = w.nextBit();
    w.tightKey();
    if (fresh) writeNested${name}Tight(w, value);
  }`;
}

function emitWriteArrayLoose(name: string): string {
  return `function write${name}ArrayLoose(w: FrameWriter, t: string, f: string, values: readonly (types.${name} | null)[] | null | undefined): void {
    if (values === null || values === undefined) return w.rawByte(0);
    w.rawByte(1);
    w.count(t, f, values);
    for (const value of values) writeNested${name}Loose(w, t, f, value);
  }`;
}

function emitSizeArray(name: string): string {
  return `function size${name}Array(w: FrameWriter, t: string, f: string, values: readonly (types.${name} | null)[] | null | undefined): number {
    if (values === null || values === undefined) return w.bit(t, f, false);
    w.bit(t, f, true);
    let size: number = w.countSize(t, f, values);
    for (const value of values) size += sizeNested${name}(w, t, f, value);
    return size;
  }`;
}

function emitWriteArrayTight(name: string): string {
  return `function write${name}ArrayTight(w: FrameWriter, values: readonly (types.${name} | null)[] | null | undefined): void {
    if (!w.nextBit()) return;
    w.rawShort(values!.length);
    for (const value of values!) writeNested${name}Tight(w, value);
  }`;
}
