/** Commands to bytes, kind by kind, in all forms; and the bodies that go into messages. */
import {
  BytesWriter,
  encodeMapBody,
  encodeStreamBody,
  encodeTextBody,
  OpenWireEncoder,
} from "../codec/mod.ts";
import { CASES, FORMS, framesIn, SIZES, titled, valuesOf } from "./_cases.ts";
import { group } from "./_harness.ts";
import { formatOf, textOf } from "./corpus.ts";

for (const { name, command } of CASES) {
  group(`encode ${name}`, (bench) => {
    for (const form of FORMS) {
      const { length } = framesIn(form, command).later;
      const encoder = new OpenWireEncoder(formatOf(form));
      encoder.encode(command);
      bench(titled(form.title, length), () => encoder.encode(command), {
        baseline: form === FORMS[0],
      });
    }
  });
}

for (const [title, size] of SIZES) {
  const text = textOf(1, size);
  const wide = "¥€ 😀 ".repeat(size / 13);
  const values = valuesOf(size);
  const map = Object.fromEntries(values);
  const list = values.map(([, value]) => value);
  const bodies = {
    "text, ASCII": () => encodeTextBody(text)!,
    "text, other": () => encodeTextBody(wide)!,
    "map": () => encodeMapBody(map),
    "stream": () => encodeStreamBody(list),
    "bytes, of ints": () => {
      const writer = new BytesWriter();
      for (let i = 0; i < size / 4; i++) writer.writeInt(i);
      return writer.finish();
    },
  };
  group(`encode body, ${title}`, (bench) => {
    for (const [kind, encode] of Object.entries(bodies)) {
      bench(titled(kind, encode().length), encode, { baseline: kind === "text, ASCII" });
    }
  });
}
