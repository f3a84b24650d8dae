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
  typesInFields,
} from "./model.ts";
import type { Field } from "./schema.ts";

const encodings = ["Loose", "Tight"] as const;
type Encoding = typeof encodings[number];

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
    `import { readThrowableLoose, readThrowableTight, sizeThrowable, writeThrowableLoose, writeThrowableTight } from "../throwable.ts";`,
    `import type * as types from "./types.ts";`,
    ...layouts.flatMap((layout) => [
      emitRead(layout, "Loose"),
      emitRead(layout, "Tight"),
      emitWriteLoose(layout),
      emitSize(layout),
      emitWriteTight(layout),
    ]),
    ...nestedTypes.flatMap((name) => [
      emitReadNested(name, "Loose"),
      emitReadNested(name, "Tight"),
      emitWriteNestedLoose(name),
      emitSizeNested(name),
      emitWriteNestedTight(name),
    ]),
    ...typesInFields("cached").flatMap((name) => [
      emitReadCached(name, "Loose"),
      emitReadCached(name, "Tight"),
      emitWriteCachedLoose(name),
      emitSizeCached(name),
      emitWriteCachedTight(name),
    ]),
    ...typesInFields("array").flatMap((name) => [
      emitReadArray(name, "Loose"),
      emitReadArray(name, "Tight"),
      emitWriteArrayLoose(name),
      emitSizeArray(name),
      emitWriteArrayTight(name),
    ]),
  ].join("\n\n");
}

/** Types that share a layout's functions. */
function sharers(layout: string): readonly ConcreteType[] {
  return concreteTypes.filter(({ name }) => layoutOf(name) === layout);
}

/** Source text of the type's name within a layout's function, and its parameter if there is one. */
function typeName(layout: string): { parameter: string; declare: string } {
  const names = sharers(layout);
  return names.length > 1
    ? { parameter: `, t: ${names.map(({ name }) => `"${name}"`).join(" | ")}`, declare: "" }
    : { parameter: "", declare: `const t = "${names[0]!.name}";` };
}

function unionOf(layout: string): string {
  return sharers(layout).map(({ name }) => `types.${name}`).join(" | ");
}

function callArgument(name: string): string {
  return sharers(layoutOf(name)).length > 1 ? `, "${name}"` : "";
}

/** Wraps an expression so that it counts only in the versions that have the field. */
function gated(
  { since, until }: Field,
  typeSince: number,
  expression: string,
  otherwise: string,
): string {
  if (since > typeSince) return `r.version >= ${since} ? ${expression} : ${otherwise}`;
  if (until !== undefined) return `r.version <= ${until} ? ${expression} : ${otherwise}`;
  return expression;
}

function gatedStatement({ since, until }: Field, typeSince: number, statement: string): string {
  if (since > typeSince) return `if (w.version >= ${since}) ${statement}`;
  if (until !== undefined) return `if (w.version <= ${until}) ${statement}`;
  return statement;
}

function sinceOf(layout: string): number {
  return Math.min(...sharers(layout).map(({ since }) => since));
}

function emitRead(layout: string, encoding: Encoding): string {
  const { parameter, declare } = typeName(layout);
  const fields = allFields(layout);
  const reads = fields.map((field) =>
    `const ${field.name} = ${
      gated(field, sinceOf(layout), readExpression(field, encoding), absentOf(field))
    };`
  );
  const checks = fields.filter(({ name }) => isRequired(name)).map(({ name }) =>
    `if (!${name}) r.fail(t, "${name}", "a name is expected, got none");`
  );
  return `export function read${layout}${encoding}(r: FrameReader${parameter}): ${unionOf(layout)} {
    ${[declare, ...reads, ...checks].filter(Boolean).join("\n")}
    return { dataType: t, ${fields.map(({ name }) => name).join(", ")} };
  }`;
}

function readExpression({ name, kind }: Field, encoding: Encoding): string {
  const at = `t, "${name}"`;
  const tight = encoding === "Tight";
  switch (kind.name) {
    case "boolean":
      return tight ? `r.bit(${at})` : `r.boolean(${at})`;
    case "byte":
    case "int":
      return `r.${kind.name}(${at})`;
    case "long":
      return tight ? `r.tightLong(${at})` : `r.long(${at})`;
    case "string":
      return tight ? `r.tightString(${at})` : `r.string(${at})`;
    case "bytes":
      return tight ? `r.tightBytes(${at})` : `r.bytes(${at})`;
    case "constBytes":
      return `r.constBytes(${at}, ${kind.size})`;
    case "throwable":
      return `readThrowable${encoding}(r, ${at})`;
    case "nested":
      return `readNested${kind.of}${encoding}(r, ${at})`;
    case "cached":
      return `readCached${kind.of}${encoding}(r, ${at})`;
    case "array":
      return `read${kind.of}Array${encoding}(r, ${at})`;
  }
}

/** Value of a field that the version in use does not have. */
function absentOf({ kind, initial }: Field): string {
  if (initial !== undefined) return initial;
  if (kind.name === "boolean") return "false";
  return kind.name === "byte" || kind.name === "int" || kind.name === "long" ? "0" : "null";
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

/** `case` lines that call a function for each concrete type. */
function cases(
  name: string,
  label: (type: ConcreteType) => string,
  call: (type: ConcreteType) => string,
  versioned: string,
): string {
  return concreteOf(name).map((type) => {
    const gate = type.since > (byName.get(name)?.since ?? 1)
      ? `if (${versioned}.version < ${type.since}) break; `
      : "";
    return `case ${label(type)}: ${gate}${call(type)}`;
  }).join("\n");
}

function emitReadNested(name: string, encoding: Encoding): string {
  const present = encoding === "Tight" ? "r.bit(t, f)" : "r.boolean(t, f)";
  const awareBit = (type: ConcreteType): string =>
    encoding === "Tight" && type.marshallAware
      ? `if (r.bit(t, f)) r.fail(t, f, "a cached form is announced, which no peer writes"); `
      : "";
  const types = concreteOf(name);
  const call = (type: ConcreteType): string =>
    `read${layoutOf(type.name)}${encoding}(r${callArgument(type.name)}) as types.${type.name}`;
  const enter = recursive.has(name) ? "r.enter(t, f);" : "";
  const leave = recursive.has(name) ? "r.leave();" : "";
  if (types.length === 1) {
    const type = types[0]!;
    return `function readNested${name}${encoding}(r: FrameReader, t: string, f: string): types.${name} | null {
      if (!${present}) return null;
      const code = r.code(t, f);
      if (code !== ${type.code}) r.fail(t, f, \`type code ${type.code} (${name}) is expected, got \${code}\`);
      ${awareBit(type)}${enter}
      const value = ${call(type)};
      ${leave}
      return value;
    }`;
  }
  const body = name === "DataStructure"
    ? `const value = readData${encoding}(r, t, f, r.code(t, f), true);`
    : `let value: types.${name};
      const code = r.code(t, f);
      switch (code) {
        ${
      cases(name, ({ code }) =>
        String(code), (type) =>
        `${awareBit(type)}value = ${call(type)}; break;`, "r")
        .replaceAll(
          /if \(r\.version < (\d+)\) break; /g,
          `if (r.version < $1) r.fail(t, f, \`type code \${code} is not of version \${r.version}\`); `,
        )
    }
        default: r.fail(t, f, \`a type code of ${name} is expected, got \${code}\`);
      }`;
  const nestedReader =
    `function readNested${name}${encoding}(r: FrameReader, t: string, f: string): types.${name} | null {
      if (!${present}) return null;
      ${enter}
      ${body}
      ${leave}
      return value;
    }`;
  return name === "DataStructure" ? emitReadData(encoding) + "\n\n" + nestedReader : nestedReader;
}

/** The entry points: a data structure of any type. */
function emitReadData(encoding: Encoding): string {
  const aware = (type: ConcreteType): string =>
    encoding === "Tight" && type.marshallAware
      ? `if (nested && r.bit(t, f)) r.fail(t, f, "a cached form is announced, which no peer writes"); `
      : "";
  return `/** Reads a data structure whose type code was read already. */
    export function readData${encoding}(r: FrameReader, t: string, f: string, code: number, ${
    encoding === "Tight" ? "nested" : "_nested"
  }: boolean): types.DataStructure {
      switch (code) {
        ${
    cases(
      "DataStructure",
      ({ code }) => String(code),
      (type) =>
        `${aware(type)}return read${layoutOf(type.name)}${encoding}(r${callArgument(type.name)});`,
      "r",
    )
  }
      }
      r.fail(t, f, \`a type code of version \${r.version} is expected, got \${code}\`);
    }`;
}

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

function emitReadCached(name: string, encoding: Encoding): string {
  const fresh = encoding === "Tight" ? "r.bit(t, f)" : "r.boolean(t, f)";
  const types = concreteOf(name);
  const check = name === "DataStructure"
    ? ""
    : `if (value !== null && ${
      types.map((type) => `value.dataType !== "${type.name}"`).join(" && ")
    }) {
        r.fail(t, f, \`a ${name} is expected, the cache holds a \${value.dataType}\`);
      }`;
  return `function readCached${name}${encoding}(r: FrameReader, t: string, f: string): types.${name} | null {
    if (!r.cacheEnabled) return readNested${name}${encoding}(r, t, f);
    if (${fresh}) {
      const key = r.newCacheKey(t, f);
      const value = readNested${name}${encoding}(r, t, f);
      r.store(key, value);
      return value;
    }
    const value = r.cached(t, f);
    ${check}
    return value;
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

function emitReadArray(name: string, encoding: Encoding): string {
  const tight = encoding === "Tight";
  return `function read${name}Array${encoding}(r: FrameReader, t: string, f: string): (types.${name} | null)[] | null {
    if (!${tight ? "r.bit(t, f)" : "r.boolean(t, f)"}) return null;
    const values: (types.${name} | null)[] = [];
    for (let n = ${tight ? "r.tightCount(t, f)" : "r.count(t, f, 1)"}; n > 0; n--) {
      values.push(readNested${name}${encoding}(r, t, f));
    }
    return values;
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
