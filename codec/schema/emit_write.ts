/**
 * Emits the functions that write data types: loose, and the two passes of tight encoding.
 *
 * They keep the cursors in local variables (`p` the byte, `k` the bit) and write numbers, flags, nulls and values that the
 * peer keeps in place; a call for each field costs more than the field. Room for what is written in place is made once, at
 * the start of a function and after each call.
 */

import {
  allFields,
  cacheable,
  concreteOf,
  type ConcreteType,
  concreteTypes,
  isRecursive,
  isRequired,
  layoutOf,
  sharers,
  sinceOf,
  unionOf,
} from "./model.ts";
import type { Field } from "./schema.ts";

/** The passes over a value: loose has one, tight has two. */
export const passes = ["Loose", "Size", "Tight"] as const;
/** One of them. */
export type Pass = typeof passes[number];

/** Text of the function of one pass over a layout. */
export function emitWrite(layout: string, pass: Pass): string {
  const names = sharers(layout);
  const emitter = emitterFor(pass, names.map(({ name }) => name));
  const fields = allFields(layout);
  const since = sinceOf(layout);
  for (const field of fields) {
    if (pass !== "Tight" && isRequired(field.name)) {
      emitter.add(
        `if (!o.${field.name}) w.refuse(t, "${field.name}", "a name is expected, got none");`,
      );
    }
    const condition = field.since > since
      ? `w.version >= ${field.since}`
      : field.until !== undefined
      ? `w.version <= ${field.until}`
      : undefined;
    if (condition) emitter.add(`if (${condition}) {`);
    emitter.field(field);
    if (condition) emitter.add("}");
  }
  const declare = pass === "Tight"
    ? ""
    : names.length > 1
    ? "const t = o.dataType;"
    : `const t = "${names[0]!.name}";`;
  const returns = pass === "Size" ? "number" : "void";
  return `export function ${functionName(layout, pass)}(w: FrameWriter, o: ${
    unionOf(layout)
  }): ${returns} {
    ${declare}
    ${emitter.finish()}
  }`;
}

function functionName(name: string, pass: Pass): string {
  return pass === "Size" ? `size${name}` : `write${name}${pass}`;
}

function emitterFor(pass: Pass, names: readonly string[]): WriteEmitter {
  // The texts of ids and the names of destinations come again and again.
  const recurring = names.every((name) => cacheable.includes(name)) ? "Recurring" : "";
  const ids = names.every((name) => name.endsWith("Id"));
  if (pass === "Loose") return new LooseEmitter(recurring, ids);
  return pass === "Size" ? new SizeEmitter(recurring, ids) : new TightEmitter(recurring, ids);
}

/** Writes the statements of one function. */
abstract class WriteEmitter {
  protected readonly lines: string[] = [];
  /** Suffix of the methods for strings. */
  protected readonly recurring: string;

  /** Whether it is the function of an id. */
  protected readonly ids: boolean;

  constructor(recurring: string, ids: boolean) {
    this.recurring = recurring;
    this.ids = ids;
  }

  add(...lines: string[]): void {
    this.lines.push(...lines);
  }

  abstract field(field: Field): void;
  abstract finish(): string;

  /** Whether a statement mentions a local variable. */
  protected uses(name: string): boolean {
    return this.lines.some((line) => new RegExp(`\\b${name}\\b`).test(line));
  }

  protected declare(name: string, statement: string): string {
    return this.uses(name) ? statement : "";
  }
}

function checkInt(name: string, kind: string): string {
  const fits = kind === "byte" ? `(${name} << 24) >> 24 !== ${name}` : `(${name} | 0) !== ${name}`;
  return `if (typeof ${name} !== "number" || ${fits}) w.wrong${
    kind === "byte" ? "Byte" : "Int"
  }(t, "${name}", ${name});`;
}

function isAbsent(name: string): string {
  return `(${name} === null || ${name} === undefined)`;
}

class LooseEmitter extends WriteEmitter {
  field({ name, kind }: Field): void {
    if (kind.name !== "constBytes" && kind.name !== "throwable" && kind.name !== "array") {
      this.add(`const ${name} = o.${name};`);
    }
    switch (kind.name) {
      case "boolean":
        return this.add(
          `if (${name} !== true && ${name} !== false) w.wrongBoolean(t, "${name}", ${name});`,
          `b[p++] = ${name} ? 1 : 0;`,
        );
      case "byte":
        return this.add(checkInt(name, "byte"), `b[p++] = ${name};`);
      case "int":
        return this.add(checkInt(name, "int"), `v.setInt32(p, ${name});`, "p += 4;");
      case "long":
        return this.add(
          // The numbers of ids are small. Others are numbers of both kinds that engines know, which only a small function
          // can bear; most of them are 0.
          ...(!this.ids
            ? [`if (${name} === 0) {`, "v.setInt32(p, 0); v.setInt32(p + 4, 0); p += 8;"]
            : [
              `if (typeof ${name} === "number" && (${name} | 0) === ${name}) {`,
              `v.setInt32(p, ${name} >> 31); v.setInt32(p + 4, ${name}); p += 8;`,
            ]),
          "} else {",
          ...this.#call(`w.long(t, "${name}", ${name});`),
          "}",
        );
      case "string":
        return this.#nullable(name, `w.string${this.recurring}(t, "${name}", ${name});`);
      case "bytes":
        return this.#nullable(name, `w.byteArray(t, "${name}", ${name});`);
      case "nested":
        return this.#nullable(
          name,
          `w.rawByte(1); write${kind.of}ValueLoose(w, t, "${name}", ${name});`,
        );
      case "cached":
        return this.add(
          "{",
          `const key = cache?.find(${name});`,
          "if (key !== undefined) {",
          "b[p] = 0; v.setInt16(p + 1, key); p += 3;",
          `} else if (cache === undefined && ${isAbsent(name)}) {`,
          "b[p++] = 0;",
          "} else {",
          ...this.#call(`writeNew${kind.of}Loose(w, t, "${name}", ${name});`),
          "}",
          "}",
        );
      case "constBytes":
        return this.add(...this.#call(`w.constBytes(t, "${name}", o.${name}, ${kind.size});`));
      case "throwable":
        return this.add(...this.#call(`writeThrowableLoose(w, t, "${name}", o.${name});`));
      case "array":
        return this.add(...this.#call(`write${kind.of}ArrayLoose(w, t, "${name}", o.${name});`));
    }
  }

  #nullable(name: string, call: string): void {
    this.add(`if (${isAbsent(name)}) {`, "b[p++] = 0;", "} else {", ...this.#call(call), "}");
  }

  #call(call: string): string[] {
    return ["w.position = p;", call, "w.makeRoom(); p = w.position; b = w.bytes; v = w.view;"];
  }

  finish(): string {
    return [
      "w.makeRoom();",
      this.declare("cache", "const cache = w.cache;"),
      "let p = w.position;",
      this.declare("b", "let b = w.bytes;"),
      this.declare("v", "let v = w.view;"),
      ...this.lines,
      "w.position = p;",
    ].join("\n");
  }
}

class SizeEmitter extends WriteEmitter {
  field({ name, kind }: Field): void {
    if (kind.name !== "constBytes" && kind.name !== "throwable" && kind.name !== "array") {
      this.add(`const ${name} = o.${name};`);
    }
    switch (kind.name) {
      case "boolean":
        return this.add(
          `if (${name} !== true && ${name} !== false) w.wrongBoolean(t, "${name}", ${name});`,
          `g[k++] = ${name} ? 1 : 0;`,
        );
      case "byte":
        return this.add(checkInt(name, "byte"), "total += 1;");
      case "int":
        return this.add(checkInt(name, "int"), "total += 4;");
      case "long":
        return this.add(
          `if (${name} === 0) {`,
          "g[k++] = 0; g[k++] = 0;",
          ...(this.ids
            ? [
              `} else if (typeof ${name} === "number" && (${name} | 0) === ${name} && ${name} > 0) {`,
              `if (${name} > 0xffff) { g[k] = 1; g[k + 1] = 0; total += 4; } else { g[k] = 0; g[k + 1] = 1; total += 2; }`,
              "k += 2;",
            ]
            : []),
          "} else {",
          ...this.#call(`total += w.longSize(t, "${name}", ${name});`),
          "}",
        );
      case "string":
        return this.#nullable(name, `total += w.textSize${this.recurring}(t, "${name}", ${name});`);
      case "bytes":
        return this.#nullable(name, `total += w.bytesSize(t, "${name}", ${name});`);
      case "nested":
        return this.#nullable(name, `total += size${kind.of}Value(w, t, "${name}", ${name});`);
      case "cached":
        return this.add(
          "{",
          `const key = cache?.find(${name});`,
          "if (key !== undefined) {",
          "g[k++] = 0; w.keys[w.keyCount++] = key; total += 2;",
          `} else if (cache === undefined && ${isAbsent(name)}) {`,
          "g[k++] = 0;",
          "} else {",
          ...this.#call(`total += sizeNew${kind.of}(w, t, "${name}", ${name});`),
          "}",
          "}",
        );
      case "constBytes":
        return this.add(`total += w.constBytesSize(t, "${name}", o.${name}, ${kind.size});`);
      case "throwable":
        return this.add(...this.#call(`total += sizeThrowable(w, t, "${name}", o.${name});`));
      case "array":
        return this.add(...this.#call(`total += size${kind.of}Array(w, t, "${name}", o.${name});`));
    }
  }

  #nullable(name: string, call: string): void {
    this.add(
      `if (${isAbsent(name)}) {`,
      "g[k++] = 0;",
      "} else {",
      "g[k++] = 1;",
      ...this.#call(call),
      "}",
    );
  }

  #call(call: string): string[] {
    return ["bits.length = k;", call, "bits.makeRoom(); k = bits.length; g = bits.flags;"];
  }

  finish(): string {
    const bits = this.uses("k");
    return [
      this.declare("cache", "const cache = w.cache;"),
      bits ? "const bits = w.bits; bits.makeRoom(); let k = bits.length;" : "",
      this.declare("g", "let g = bits.flags;"),
      "let total = 0;",
      ...this.lines,
      bits ? "bits.length = k;" : "",
      "return total;",
    ].join("\n");
  }
}

class TightEmitter extends WriteEmitter {
  field({ name, kind }: Field): void {
    switch (kind.name) {
      case "boolean":
        return this.add("k++;");
      case "byte":
        return this.add(`b[p++] = o.${name};`);
      case "int":
        return this.add(`v.setInt32(p, o.${name});`, "p += 4;");
      case "long":
        return this.add(
          ...(this.ids
            ? [
              "if (g[k] === 0) {",
              `if (g[k + 1] !== 0) { v.setInt16(p, Number(o.${name})); p += 2; }`,
              "} else if (g[k + 1] === 0) {",
              `v.setInt32(p, Number(o.${name})); p += 4;`,
              "} else {",
            ]
            : ["if ((g[k]! | g[k + 1]!) !== 0) {"]),
          "w.position = p;",
          `w.tightLong(g[k]!, g[k + 1]!, o.${name});`,
          "p = w.position;",
          "}",
          "k += 2;",
        );
      case "string":
        return this.#present(`w.tightText${this.recurring}(o.${name}!);`);
      case "bytes":
        return this.#present(`w.tightBytes(o.${name}!);`);
      case "nested":
        return this.#present(`write${kind.of}ValueTight(w, o.${name}!);`);
      case "cached":
        return this.add(
          "if (cached) { v.setInt16(p, w.nextKey()); p += 2; }",
          "if (g[k++] !== 0) {",
          ...this.#call(`write${kind.of}NewTight(w, o.${name});`),
          "}",
        );
      case "constBytes":
        return this.add(...this.#call(`w.rawBytes(o.${name});`));
      case "throwable":
        return this.add(...this.#call(`writeThrowableTight(w, o.${name});`));
      case "array":
        return this.add(...this.#call(`write${kind.of}ArrayTight(w, o.${name});`));
    }
  }

  #present(call: string): void {
    this.add("if (g[k++] !== 0) {", ...this.#call(call), "}");
  }

  #call(call: string): string[] {
    return ["w.position = p; bits.position = k;", call, "p = w.position; k = bits.position;"];
  }

  finish(): string {
    return [
      "const bits = w.bits;",
      this.declare("g", "const g = bits.flags;"),
      this.declare("cached", "const cached = w.cache !== undefined;"),
      this.declare("b", "const b = w.bytes;"),
      this.declare("v", "const v = w.view;"),
      "let p = w.position;",
      "let k = bits.position;",
      ...this.lines,
      "w.position = p;",
      "bits.position = k;",
    ].join("\n");
  }
}

/** What most frames hold: a switch over names compares one after another. */
const frequent = [
  "MessageDispatch",
  "MessageAck",
  "ActiveMQTextMessage",
  "ActiveMQBytesMessage",
  "ActiveMQQueue",
  "ActiveMQTopic",
];

function byFrequency(types: readonly ConcreteType[]): readonly ConcreteType[] {
  const rank = ({ name }: ConcreteType): number =>
    (frequent.indexOf(name) + frequent.length + 1) % (frequent.length + 1);
  return [...types].sort((a, b) => rank(a) - rank(b));
}

/** The function for a nested value that is there, its type code first. */
export function emitWriteValue(name: string, pass: Pass): string {
  const types = byFrequency(concreteOf(name));
  const guarded = isRecursive(name) && pass !== "Tight";
  const enter = [pass === "Tight" ? "" : "w.object(t, f, value);", guarded ? "w.enter(t, f);" : ""]
    .join("\n");
  const leave = guarded ? "w.leave();" : "";
  const end = pass === "Size" ? "return size;" : "";
  let body: string;
  if (name === "DataStructure") {
    body = pass === "Loose"
      ? "writeDataLoose(w, t, f, value);"
      : pass === "Size"
      ? "const size = 1 + sizeData(w, t, f, value, true);"
      : "writeDataTight(w, value, true);";
  } else {
    const declare = pass === "Size" ? "let size = 1;" : "";
    const cases = types.map((type) => {
      const gate = pass !== "Tight" && type.since > 1
        ? `if (w.version < ${type.since}) w.refuse(t, f, \`${type.name} is not of version \${w.version}\`); `
        : "";
      return `case "${type.name}": ${gate}${valueCall(type, pass, "value")} break;`;
    });
    const otherwise = pass === "Tight"
      ? ""
      : `default: w.refuse(t, f, \`a ${name} is expected, got \${(value as types.DataStructure).dataType}\`);`;
    body = `${declare} switch (value.dataType) { ${cases.join("\n")} ${otherwise} }`;
  }
  const where = pass === "Tight" ? "" : "t: string, f: string, ";
  return `function ${
    pass === "Size" ? `size${name}Value` : `write${name}Value${pass}`
  }(w: FrameWriter, ${where}value: types.${name}): ${pass === "Size" ? "number" : "void"} {
    ${enter}
    ${body}
    ${leave}
    ${end}
  }`;
}

function valueCall(type: ConcreteType, pass: Pass, value: string): string {
  const call = `${functionName(layoutOf(type.name), pass)}(w, ${value});`;
  if (pass === "Loose") return `w.rawByte(${type.code}); ${call}`;
  if (pass === "Size") return `${type.marshallAware ? "w.bits.write(false); " : ""}size += ${call}`;
  return `w.rawByte(${type.code}); ${type.marshallAware ? "w.bits.read(); " : ""}${call}`;
}

/** The entry points: a value of any type. */
export function emitWriteData(pass: Pass): string {
  const gate = (type: ConcreteType): string =>
    type.since > 1 && pass !== "Tight" ? `if (w.version < ${type.since}) break; ` : "";
  const cases = byFrequency(concreteTypes).map((type) => {
    const call = `return ${functionName(layoutOf(type.name), pass)}(w, value);`;
    const before = pass === "Loose"
      ? `w.rawByte(${type.code});`
      : pass === "Size"
      ? type.marshallAware ? "if (nested) w.bits.write(false);" : ""
      : type.marshallAware
      ? `if (nested) { w.rawByte(${type.code}); w.bits.read(); }`
      : `if (nested) w.rawByte(${type.code});`;
    return `case "${type.name}": ${gate(type)}${before} ${call}`;
  }).join("\n");
  const refuse = pass === "Tight"
    ? ""
    : `w.refuse(t, f, \`a data type of version \${w.version} is expected, got \${(value as types.DataStructure).dataType}\`);`;
  const body = `switch (value.dataType) { ${cases} } ${refuse}`;
  switch (pass) {
    case "Loose":
      return `/** Writes type code and fields. */
        export function writeDataLoose(w: FrameWriter, t: string, f: string, value: types.DataStructure): void { w.makeRoom(); ${body} }`;
    case "Size":
      return `/** First pass of tight encoding: appends the bits and tells the size of the data without the type code. */
        export function sizeData(w: FrameWriter, t: string, f: string, value: types.DataStructure, nested: boolean): number { ${body} }`;
    case "Tight":
      return `/** Second pass of tight encoding; writes the type code only of a nested value. */
        export function writeDataTight(w: FrameWriter, value: types.DataStructure, nested: boolean): void { ${body} }`;
  }
}

/**
 * The function for a cached field whose value the peer doesn't keep, or may keep for an equal object. Loose encoding
 * numbers a value before the cached values inside it, tight encoding after them.
 */
export function emitWriteNew(name: string, pass: Pass): string {
  const value = `value: types.${name} | null | undefined`;
  const lookUp = `const id = cacheId(value ?? null);
    const key = id === undefined ? undefined : cache.findById(id, value ?? null);`;
  if (pass === "Loose") {
    return `function writeNew${name}Loose(w: FrameWriter, t: string, f: string, ${value}): void {
      const cache = w.cache;
      if (cache !== undefined) {
        if (value !== null && value !== undefined) w.object(t, f, value);
        ${lookUp}
        if (key !== undefined) { w.rawByte(0); return w.rawShort(key); }
        w.rawByte(1);
        w.rawShort(id === undefined ? -1 : cache.add(id, value ?? null));
      }
      if (value === null || value === undefined) return w.rawByte(0);
      w.rawByte(1);
      write${name}ValueLoose(w, t, f, value);
    }`;
  }
  if (pass === "Size") {
    return `function sizeNew${name}(w: FrameWriter, t: string, f: string, ${value}): number {
      const cache = w.cache;
      const bits = w.bits;
      if (cache === undefined) {
        bits.write(true);
        return size${name}Value(w, t, f, value!);
      }
      if (value !== null && value !== undefined) w.object(t, f, value);
      ${lookUp}
      const place = w.keyCount++;
      w.keys[place] = key ?? -1;
      bits.write(key === undefined);
      if (key !== undefined) return 2;
      bits.write(value !== null && value !== undefined);
      const size = value === null || value === undefined ? 2 : 2 + size${name}Value(w, t, f, value);
      if (id !== undefined) w.keys[place] = cache.add(id, value ?? null);
      return size;
    }`;
  }
  return `function write${name}NewTight(w: FrameWriter, ${value}): void {
    if (w.cache === undefined || w.bits.read()) write${name}ValueTight(w, value!);
  }`;
}

/** The function for an array. */
export function emitWriteArray(name: string, pass: Pass): string {
  const values = `values: readonly (types.${name} | null)[] | null | undefined`;
  switch (pass) {
    case "Loose":
      return `function write${name}ArrayLoose(w: FrameWriter, t: string, f: string, ${values}): void {
        if (values === null || values === undefined) return w.rawByte(0);
        w.rawByte(1);
        w.count(t, f, values);
        for (const value of values) {
          w.makeRoom();
          if (value === null || value === undefined) {
            w.rawByte(0);
          } else {
            w.rawByte(1);
            write${name}ValueLoose(w, t, f, value);
          }
        }
      }`;
    case "Size":
      return `function size${name}Array(w: FrameWriter, t: string, f: string, ${values}): number {
        const bits = w.bits;
        if (values === null || values === undefined) { bits.write(false); return 0; }
        bits.write(true);
        let size: number = w.countSize(t, f, values);
        for (const value of values) {
          const present = value !== null && value !== undefined;
          bits.write(present);
          if (present) size += size${name}Value(w, t, f, value);
        }
        return size;
      }`;
    case "Tight":
      return `function write${name}ArrayTight(w: FrameWriter, ${values}): void {
        if (!w.bits.read()) return;
        w.rawShort(values!.length);
        for (const value of values!) if (w.bits.read()) write${name}ValueTight(w, value!);
      }`;
  }
}
