/** Emits straight-line functions that read and write each data type, loose and tight. */

import {
  emitRead,
  emitReadArray,
  emitReadCached,
  emitReadData,
  emitReadValue,
  encodings,
} from "./emit_read.ts";
import {
  emitWrite,
  emitWriteArray,
  emitWriteData,
  emitWriteNew,
  emitWriteValue,
  passes,
} from "./emit_write.ts";
import { concreteTypes, layoutOf, typesInFields } from "./model.ts";

/** Text of `marshallers.ts`. */
export function emitMarshallers(): string {
  const layouts = [...new Set(concreteTypes.map(({ name }) => layoutOf(name)))];
  const nested = [
    ...new Set([...typesInFields("nested"), ...typesInFields("cached"), ...typesInFields("array")]),
  ].sort();
  return [
    `/** Reads and writes each data type of OpenWire. One set of functions serves all versions. @module */`,
    `import { cacheId } from "../cache_id.ts";`,
    `import type { FrameReader } from "../frame_reader.ts";`,
    `import type { FrameWriter } from "../frame_writer.ts";`,
    `import { joinLong, type Long } from "../long.ts";`,
    `import { readThrowableLoose, readThrowableTight, sizeThrowable, type Throwable, writeThrowableLoose, writeThrowableTight } from "../throwable.ts";`,
    `import type * as types from "./types.ts";`,
    ...encodings.map(emitReadData),
    ...passes.map(emitWriteData),
    ...layouts.flatMap((layout) => [
      ...encodings.map((encoding) => emitRead(layout, encoding)),
      ...passes.map((pass) => emitWrite(layout, pass)),
    ]),
    ...nested.flatMap((name) => [
      ...encodings.map((encoding) => emitReadValue(name, encoding)),
      ...passes.map((pass) => emitWriteValue(name, pass)),
    ]),
    ...typesInFields("cached").flatMap((name) => [
      ...encodings.map((encoding) => emitReadCached(name, encoding)),
      ...passes.map((pass) => emitWriteNew(name, pass)),
    ]),
    ...typesInFields("array").flatMap((name) => [
      ...encodings.map((encoding) => emitReadArray(name, encoding)),
      ...passes.map((pass) => emitWriteArray(name, pass)),
    ]),
  ].join("\n\n");
}
