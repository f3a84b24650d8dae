/** What the client says of itself, and bodies that are kept elsewhere. */

import { readFileSync } from "node:fs";
import { connect, type Message, VERSION } from "../../mod.ts";
import {
  createActiveMQBlobMessage,
  createActiveMQTextMessage,
  createMessageId,
  decodePrimitiveMap,
  type WireFormatInfo,
} from "../../codec/mod.ts";
import { MemoryBroker } from "../../testing/mod.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { test } from "../_harness.ts";
import { dial } from "../../transport/mod.ts";
import { Target } from "../testing/_targets.ts";
import { testOnBrokers } from "./_brokers.ts";
import { received, receivedAs } from "./_messages.ts";

test("VERSION is that of both manifests", () => {
  for (const file of ["deno.json", "package.json"]) {
    const manifest = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    assertEquals(JSON.parse(manifest).version, VERSION, file);
  }
});

testOnBrokers("brokers are told name and version, and take them", async ({ connect }) => {
  const infos: WireFormatInfo[] = [];
  const connection = await connect({
    inspect: (command, direction) => {
      if (direction === "sent" && command.dataType === "WireFormatInfo") infos.push(command);
    },
  });
  const told = infos.map(({ marshalledProperties }) => decodePrimitiveMap(marshalledProperties));
  assertEquals(
    told.map((properties) => [properties.get("ProviderName"), properties.get("ProviderVersion")]),
    [["openwire", VERSION]],
  );
  assertEquals(connection.metadata, {
    providerName: "openwire",
    providerVersion: VERSION,
    jmsxPropertyNames: [
      "JMSXUserID",
      "JMSXGroupID",
      "JMSXGroupSeq",
      "JMSXGroupFirstForConsumer",
      "JMSXDeliveryCount",
      "JMSXProducerTXID",
    ],
  });
});

test("a property with a name of JMSX that the client knows can be selected by", async () => {
  await using broker = await MemoryBroker.listen();
  await using connection = await connect(broker.url);
  for (const name of connection.metadata.jmsxPropertyNames) {
    await connection.createConsumer("q", { selector: `${name} IS NOT NULL` });
  }
});

function blobMessage(remoteBlobUrl: string | null): Message {
  return receivedAs(
    createActiveMQBlobMessage({ remoteBlobUrl, mimeType: "image/png", deletedByBroker: true }),
  );
}

test("blob has the URL, its name and the media type of a blob message", () => {
  const names: [url: string | null, name: string | null][] = [
    ["http://files.example.com/a/b/cat%20one.png?size=1", "cat one.png"],
    ["ftp://files.example.com/cat.png", "cat.png"],
    ["http://files.example.com/%ff.png", "%ff.png"],
    ["http://files.example.com/", null],
    ["no URL", null],
    ["", null],
    [null, null],
  ];
  for (const [url, name] of names) {
    const message = blobMessage(url);
    assertEquals(message.kind, "blob");
    assertEquals(message.blob, { url, name, mimeType: "image/png", deletedByBroker: true });
    assertThrows(() => message.getBody(), TypeError, "message.blob");
  }
  assertEquals(receivedAs(createActiveMQTextMessage()).blob, null);
});

testOnBrokers("a blob message comes with its URL", async ({ url, name, connect, kind }) => {
  // Artemis makes a message without a body of it.
  if (kind === "artemis") return;
  const consumer = await (await connect()).createConsumer(name);
  await using target = new Target(undefined, () => dial(url));
  const client = await target.open();
  const remoteBlobUrl = "http://files.example.com/cat.png";
  const producerId = await client.producer();
  await client.send(
    createActiveMQBlobMessage({
      remoteBlobUrl,
      producerId,
      messageId: createMessageId({ producerId, producerSequenceId: 1 }),
      destination: consumer.destination,
    }),
  );
  const message = await received(consumer);
  assertEquals([message.kind, message.blob?.url], ["blob", remoteBlobUrl]);
  await client.drop();
});
