/** Bytes to commands, kind by kind, in all forms; and the bodies inside messages. */
import {
  BytesReader,
  BytesWriter,
  decodeMapBody,
  decodeStreamBody,
  decodeTextBody,
  encodeMapBody,
  encodeStreamBody,
  encodeTextBody,
  OpenWireDecoder,
} from "../codec/mod.ts";
import { CASES, FORMS, framesIn, SIZES, titled, valuesOf } from "./_cases.ts";
import { group } from "./_harness.ts";
import { formatOf, textOf } from "./corpus.ts";

for (const { name, command } of CASES) {
  group(`decode ${name}`, (bench) => {
    for (const form of FORMS) {
      const { first, later } = framesIn(form, command);
      const decoder = new OpenWireDecoder(formatOf(form));
      decoder.push(first);
      bench(titled(form.title, later.length), () => decoder.push(later), {
        baseline: form === FORMS[0],
      });
    }
  });
}

for (const [title, size] of SIZES) {
  const values = valuesOf(size);
  const ints = new BytesWriter();
  for (let i = 0; i < size / 4; i++) ints.writeInt(i);
  const readInts = (content: Uint8Array): number => {
    const reader = new BytesReader(content);
    let sum = 0;
    while (reader.remaining > 0) sum += reader.readInt();
    return sum;
  };
  const bodies: [kind: string, content: Uint8Array, decode: (content: Uint8Array) => unknown][] = [
    ["text, ASCII", encodeTextBody(textOf(1, size))!, decodeTextBody],
    ["text, other", encodeTextBody("¥€ 😀 ".repeat(size / 13))!, decodeTextBody],
    ["map", encodeMapBody(Object.fromEntries(values)), decodeMapBody],
    ["stream", encodeStreamBody(values.map(([, value]) => value)), decodeStreamBody],
    ["bytes, of ints", ints.finish(), readInts],
  ];
  group(`decode body, ${title}`, (bench) => {
    for (const [kind, content, decode] of bodies) {
      bench(titled(kind, content.length), () => decode(content), {
        baseline: kind === "text, ASCII",
      });
    }
  });
}
