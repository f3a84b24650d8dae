/**
 * Emits the functions that read data types.
 *
 * They keep the cursor in local variables (`p` the byte, `k` the bit) and read numbers and flags in place, with one check
 * against the end of the frame for all neighbours of fixed size: a call for each field costs more than the field.
 */

import {
  allFields,
  byName,
  concreteOf,
  type ConcreteType,
  isRecursive,
  isRequired,
  layoutOf,
  sharers,
  sinceOf,
  unionOf,
} from "./model.ts";
import type { Field } from "./schema.ts";

/** The two ways to encode. */
export const encodings = ["Loose", "Tight"] as const;
/** One of them. */
export type Encoding = typeof encodings[number];

/** Text of the function that reads a layout. */
export function emitRead(layout: string, encoding: Encoding): string {
  const names = sharers(layout);
  const parameter = names.length > 1
    ? `, t: ${names.map(({ name }) => `"${name}"`).join(" | ")}`
    : "";
  const declare = names.length > 1 ? "" : `const t = "${names[0]!.name}";`;
  const fields = allFields(layout);
  const emitter = new ReadEmitter(encoding);
  for (const block of blocksOf(fields, sinceOf(layout))) emitter.block(block);
  const checks = fields.filter(({ name }) => isRequired(name)).map(({ name }) =>
    `if (!${name}) r.fail(t, "${name}", "a name is expected, got none");`
  );
  return `export function read${layout}${encoding}(r: FrameReader${parameter}): ${unionOf(layout)} {
    ${declare}
    ${emitter.finish()}
    ${checks.join("\n")}
    return { dataType: t, ${fields.map(({ name }) => name).join(", ")} };
  }`;
}

/** Neighbouring fields that the same versions have. */
interface Block {
  /** Condition on `r.version`; undefined when all versions have them. */
  readonly condition: string | undefined;
  readonly fields: Field[];
}

function blocksOf(fields: readonly Field[], since: number): Block[] {
  const blocks: Block[] = [];
  for (const field of fields) {
    const condition = field.since > since
      ? `r.version >= ${field.since}`
      : field.until !== undefined
      ? `r.version <= ${field.until}`
      : undefined;
    const last = blocks.at(-1);
    if (last && last.condition === condition) last.fields.push(field);
    else blocks.push({ condition, fields: [field] });
  }
  return blocks;
}

/** Type of a local variable that is assigned later. */
const localTypes: Partial<Record<Field["kind"]["name"], string>> = {
  boolean: "boolean",
  byte: "number",
  int: "number",
  long: "Long",
  string: "string | null",
  bytes: "Uint8Array | null",
  throwable: "Throwable | null",
};

function localType({ kind }: Field): string {
  if (kind.name === "array") return `(types.${kind.of} | null)[] | null`;
  if (kind.name === "nested" || kind.name === "cached") return `types.${kind.of} | null`;
  return localTypes[kind.name] ?? "Uint8Array";
}

function initialOf({ kind, initial }: Field): string {
  if (initial !== undefined) return initial;
  if (kind.name === "boolean") return "false";
  return kind.name === "byte" || kind.name === "int" || kind.name === "long" ? "0" : "null";
}

const sizes: Partial<Record<Field["kind"]["name"], number>> = {
  boolean: 1,
  byte: 1,
  int: 4,
  long: 8,
};

/** Writes the statements of one function. */
class ReadEmitter {
  readonly #tight: boolean;
  readonly #encoding: Encoding;
  readonly #lines: string[] = [];
  /** Whether the locals are ahead of the reader's cursor. */
  #local = true;
  /** Fields of fixed size that wait for their common check. */
  #run: { field: Field; declare: string }[] = [];
  readonly #declared: Set<string> = new Set();

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
    this.#tight = encoding === "Tight";
  }

  block({ condition, fields }: Block): void {
    if (condition === undefined) {
      for (const field of fields) this.#field(field);
      return;
    }
    this.#flush();
    for (const field of fields) {
      this.#declared.add(field.name);
      this.#lines.push(`let ${field.name}: ${localType(field)} = ${initialOf(field)};`);
    }
    // Both ways around the block must leave the cursor in the same place.
    this.#toLocals();
    this.#lines.push(`if (${condition}) {`);
    for (const field of fields) this.#field(field);
    this.#flush();
    this.#toLocals();
    this.#lines.push("}");
  }

  finish(): string {
    this.#flush();
    this.#toReader();
    const lines = this.#lines.join("\n");
    // Functions that only call others need no locals.
    const bytes = /\bb\[/.test(lines) ? "const b = r.bytes;" : "";
    const view = /\bv\.get/.test(lines) ? "const v = r.view;" : "";
    const end = /\bend\b/.test(lines) ? "const end = r.end;" : "";
    const cursor = /\bp\b/.test(lines) ? "let p = r.position;" : "";
    const bits = /\bk\b/.test(lines) ? "let k = r.bit;" : "";
    const bitBase = /\bbitBase\b/.test(lines) ? "const bitBase = r.bitBase;" : "";
    const bitEnd = /\bbitEnd\b/.test(lines) ? "const bitEnd = r.bitEnd;" : "";
    return [bytes, view, end, cursor, bitBase, bitEnd, bits, lines].filter(Boolean).join("\n");
  }

  #field(field: Field): void {
    const { name, kind } = field;
    const declare = this.#declared.has(name) ? "" : "const ";
    if (
      this.#tight ? kind.name === "byte" || kind.name === "int" : sizes[kind.name] !== undefined
    ) {
      this.#run.push({ field, declare });
      return;
    }
    if (this.#tight && kind.name === "boolean") {
      this.#toLocals();
      this.#lines.push(
        `if (k >= bitEnd) r.noBits(t, "${name}");`,
        `${declare}${name} = ${bitAt("k")};`,
        "k++;",
      );
      return;
    }
    if (this.#tight && kind.name === "long") return this.#tightLong(field);
    if (kind.name === "string" || kind.name === "bytes" || kind.name === "nested") {
      return this.#nullable(field);
    }
    this.#call(declare, name, this.#callOf(field));
  }

  /** A value that is there or not: the common case that it isn't needs no call. */
  #nullable({ name, kind }: Field): void {
    this.#flush();
    this.#toLocals();
    if (!this.#declared.has(name)) {
      this.#lines.push(`let ${name}: ${localType({ kind } as Field)} = null;`);
    }
    if (this.#tight) {
      this.#lines.push(`if (k >= bitEnd) r.noBits(t, "${name}");`, `if (${bitAt("k++")}) {`);
    } else {
      this.#lines.push(
        `if (p >= end) { r.position = p; r.underflow(t, "${name}", 1); }`,
        `if (b[p++] !== 0) {`,
      );
    }
    const read = kind.name === "string"
      ? this.#tight ? "r.tightText" : "r.text"
      : kind.name === "bytes"
      ? "r.byteArray"
      : `read${"of" in kind ? kind.of : ""}Value${this.#encoding}`;
    const value = kind.name === "nested" ? `${read}(r, t, "${name}")` : `${read}(t, "${name}")`;
    this.#lines.push(this.#leaveLocals(), `${name} = ${value};`, this.#enterLocals(), "}");
  }

  #tightLong({ name }: Field): void {
    this.#flush();
    this.#toLocals();
    this.#lines.push(this.#declared.has(name) ? `${name} = 0;` : `let ${name}: Long = 0;`);
    this.#lines.push(
      `if (k + 1 >= bitEnd) r.noBits(t, "${name}");`,
      `const ${name}High = ${rawBitAt("k")}, ${name}Low = ${rawBitAt("k + 1")};`,
      "k += 2;",
      `if ((${name}High | ${name}Low) !== 0) {`,
      this.#leaveLocals(),
      `${name} = r.tightLong(t, "${name}", ${name}High, ${name}Low);`,
      this.#enterLocals(),
      "}",
    );
  }

  #callOf({ name, kind }: Field): string {
    switch (kind.name) {
      case "constBytes":
        return `r.constBytes(t, "${name}", ${kind.size})`;
      case "throwable":
        return `readThrowable${this.#encoding}(r, t, "${name}")`;
      case "cached":
        return `readCached${kind.of}${this.#encoding}(r, t, "${name}")`;
      case "array":
        return `read${kind.of}Array${this.#encoding}(r, t, "${name}")`;
      default:
        throw new Error(`${kind.name} is not read by a call`);
    }
  }

  #call(declare: string, name: string, call: string): void {
    this.#flush();
    this.#toReader();
    this.#lines.push(`${declare}${name} = ${call};`);
  }

  /** Reads the fields of fixed size that wait, after one check. */
  #flush(): void {
    if (this.#run.length === 0) return;
    this.#toLocals();
    const total = this.#run.reduce((sum, { field }) => sum + sizes[field.kind.name]!, 0);
    this.#lines.push(
      `if (end - p < ${total}) { r.position = p; r.underflow(t, "${
        this.#run[0]!.field.name
      }", ${total}); }`,
    );
    let offset = 0;
    for (const { field: { name, kind }, declare } of this.#run) {
      const at = offset === 0 ? "p" : `p + ${offset}`;
      const expression = kind.name === "boolean"
        ? `b[${at}] !== 0`
        : kind.name === "byte"
        ? `v.getInt8(${at})`
        : kind.name === "int"
        ? `v.getInt32(${at})`
        : `joinLong(v.getInt32(${at}), v.getUint32(p + ${offset + 4}))`;
      this.#lines.push(`${declare}${name} = ${expression};`);
      offset += sizes[kind.name]!;
    }
    this.#lines.push(`p += ${total};`);
    this.#run = [];
  }

  #toLocals(): void {
    if (!this.#local) this.#lines.push(this.#enterLocals());
    this.#local = true;
  }

  #toReader(): void {
    if (this.#local && this.#lines.length > 0) this.#lines.push(this.#leaveLocals());
    this.#local = false;
  }

  #enterLocals(): string {
    return this.#tight ? "p = r.position; k = r.bit;" : "p = r.position;";
  }

  #leaveLocals(): string {
    return this.#tight ? "r.position = p; r.bit = k;" : "r.position = p;";
  }
}

function bitAt(bit: string): string {
  return `(${rawBitAt(bit)}) === 1`;
}

function rawBitAt(bit: string): string {
  // The bit's number is evaluated twice, so a step to the next one may stand only in the second place.
  const plain = bit.replace("++", "");
  return `(b[bitBase + ((${plain}) >> 3)]! >> ((${bit}) & 7)) & 1`;
}

/** Types that can hold themselves: their depth is counted. */
function depthGuards(name: string): { enter: string; leave: string } {
  const guarded = isRecursive(name);
  return { enter: guarded ? "r.enter(t, f);" : "", leave: guarded ? "r.leave();" : "" };
}

function callArgument(name: string): string {
  return sharers(layoutOf(name)).length > 1 ? `, "${name}"` : "";
}

function readCall({ name }: ConcreteType, encoding: Encoding): string {
  return `read${layoutOf(name)}${encoding}(r${callArgument(name)})`;
}

function awareCheck(type: ConcreteType, encoding: Encoding, condition: string): string {
  return encoding === "Tight" && type.marshallAware
    ? `if (${condition}r.flag(t, f)) r.fail(t, f, "a cached form is announced, which no peer writes"); `
    : "";
}

/** Text of the function that reads a nested value that is there, its type code first. */
export function emitReadValue(name: string, encoding: Encoding): string {
  const types = concreteOf(name);
  const { enter, leave } = depthGuards(name);
  const signature =
    `export function read${name}Value${encoding}(r: FrameReader, t: string, f: string): types.${name}`;
  if (name === "DataStructure") {
    return `${signature} {
      ${enter}
      const value = readData${encoding}(r, t, f, r.code(t, f), true);
      ${leave}
      return value;
    }`;
  }
  if (types.length === 1) {
    const type = types[0]!;
    return `${signature} {
      const code = r.code(t, f);
      if (code !== ${type.code}) r.fail(t, f, \`type code ${type.code} (${name}) is expected, got \${code}\`);
      ${awareCheck(type, encoding, "")}${enter}
      const value = ${readCall(type, encoding)};
      ${leave}
      return value;
    }`;
  }
  const since = byName.get(name)!.since;
  const cases = types.map((type) => {
    const gate = type.since > since
      ? `if (r.version < ${type.since}) r.fail(t, f, \`type code \${code} is not of version \${r.version}\`); `
      : "";
    return `case ${type.code}: ${gate}${awareCheck(type, encoding, "")}value = ${
      readCall(type, encoding)
    } as types.${type.name}; break;`;
  });
  return `${signature} {
    ${enter}
    let value: types.${name};
    const code = r.code(t, f);
    switch (code) {
      ${cases.join("\n")}
      default: r.fail(t, f, \`a type code of ${name} is expected, got \${code}\`);
    }
    ${leave}
    return value;
  }`;
}

/** Text of the function that reads a value of any type, the entry point. */
export function emitReadData(encoding: Encoding): string {
  const cases = concreteOf("DataStructure").map((type) => {
    const gate = type.since > 1 ? `if (r.version < ${type.since}) break; ` : "";
    return `case ${type.code}: ${gate}${awareCheck(type, encoding, "nested && ")}return ${
      readCall(type, encoding)
    };`;
  });
  return `/** Reads a data structure whose type code was read already. */
    export function readData${encoding}(r: FrameReader, t: string, f: string, code: number, ${
    encoding === "Tight" ? "nested" : "_nested"
  }: boolean): types.DataStructure {
      switch (code) {
        ${cases.join("\n")}
      }
      r.fail(t, f, \`a type code of version \${r.version} is expected, got \${code}\`);
    }`;
}

/** Text of the function that reads a cached field. */
export function emitReadCached(name: string, encoding: Encoding): string {
  const fresh = encoding === "Tight" ? "r.flag(t, f)" : "r.boolean(t, f)";
  const types = concreteOf(name);
  const check = name === "DataStructure"
    ? ""
    : `if (value !== null && ${
      types.map((type) => `value.dataType !== "${type.name}"`).join(" && ")
    }) {
        r.fail(t, f, \`a ${name} is expected, the cache holds a \${value.dataType}\`);
      }`;
  // The peer could make us keep whole messages.
  const guard = name === "DataStructure"
    ? `if (key >= 0 && cacheId(value) === undefined) {
        r.fail(t, f, \`no \${value?.dataType} can be cached\`);
      }`
    : "";
  // Most are known to us: the way to them takes no calls. Anything odd takes the long way, to its error.
  const fits = name === "DataStructure"
    ? "value !== undefined"
    : `value === null || value !== undefined && (${
      types.map((type) => `value.dataType === "${type.name}"`).join(" || ")
    })`;
  const hit = encoding === "Tight"
    ? `if (r.bit < r.bitEnd && r.end - p >= 2 && ((r.bytes[r.bitBase + (r.bit >> 3)]! >> (r.bit & 7)) & 1) === 0) {
        const value = r.cache[r.view.getInt16(p) & 0xffff];
        if (${fits}) { r.position = p + 2; r.bit++; return value as types.${name} | null; }
      }`
    : `if (r.end - p >= 3 && r.bytes[p] === 0) {
        const value = r.cache[r.view.getInt16(p + 1) & 0xffff];
        if (${fits}) { r.position = p + 3; return value as types.${name} | null; }
      }`;
  return `export function readCached${name}${encoding}(r: FrameReader, t: string, f: string): types.${name} | null {
    if (!r.cacheEnabled) return ${fresh} ? read${name}Value${encoding}(r, t, f) : null;
    const p = r.position;
    ${hit}
    if (${fresh}) {
      const key = r.newCacheKey(t, f);
      const value = ${fresh} ? read${name}Value${encoding}(r, t, f) : null;
      ${guard}
      r.store(key, value);
      return value;
    }
    const value = r.cached(t, f);
    ${check}
    return value;
  }`;
}

/** Text of the function that reads an array. */
export function emitReadArray(name: string, encoding: Encoding): string {
  const tight = encoding === "Tight";
  const present = tight ? "r.flag(t, f)" : "r.boolean(t, f)";
  return `function read${name}Array${encoding}(r: FrameReader, t: string, f: string): (types.${name} | null)[] | null {
    if (!${present}) return null;
    const values: (types.${name} | null)[] = [];
    for (let n = ${tight ? "r.tightCount(t, f)" : "r.count(t, f, 1)"}; n > 0; n--) {
      values.push(${present} ? read${name}Value${encoding}(r, t, f) : null);
    }
    return values;
  }`;
}
