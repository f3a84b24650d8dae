/** The hooks with the real SDK of OpenTelemetry; docs/observability.md shows the same lines to users. */
import type { Connection, MessagingHooks, MessagingOperation, SendOperation } from "../../mod.ts";
import { assert, assertEquals } from "@std/assert";
import {
  type Context,
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { testOnBrokers } from "./_brokers.ts";
import { AT_ONCE, until } from "./_messages.ts";

const propagator = new W3CTraceContextPropagator();

function tracing(tracer: Tracer): MessagingHooks {
  const around = async (
    kind: SpanKind,
    operation: MessagingOperation,
    parent: Context,
    next: () => Promise<void>,
  ) => {
    const { spanName, attributes } = operation;
    await tracer.startActiveSpan(spanName, { kind, attributes }, parent, async (span) => {
      try {
        if (operation.type === "send") {
          propagator.inject(context.active(), operation as SendOperation, {
            set: (operation, name, value) => operation.setProperty(name, value),
          });
        }
        await next();
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
      } finally {
        span.setAttributes(operation.attributes);
        span.end();
      }
    });
  };
  const sender = (operation: MessagingOperation) =>
    propagator.extract(ROOT_CONTEXT, operation, {
      get: (operation, name) => operation.getProperty(name),
      keys: () => [],
    });
  return {
    send: (operation, next) => around(SpanKind.PRODUCER, operation, context.active(), next),
    process: (operation, next) => around(SpanKind.CONSUMER, operation, sender(operation), next),
    settle: (operation, next) => around(SpanKind.CLIENT, operation, context.active(), next),
    transact: (operation, next) => around(SpanKind.CLIENT, operation, context.active(), next),
  };
}

/** A program with OpenTelemetry. */
function openTelemetry() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return {
    tracer: provider.getTracer("test"),
    /** The spans that have ended, when there are so many. */
    async spans(count: number): Promise<ReadableSpan[]> {
      await until(() => exporter.getFinishedSpans().length >= count);
      return exporter.getFinishedSpans();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      context.disable();
      // The exporter answers a little later.
      await new Promise((resolve) => setTimeout(resolve, 1));
      await provider.forceFlush();
      await provider.shutdown();
    },
  };
}

function named(spans: readonly ReadableSpan[], name: string): ReadableSpan {
  const found = spans.filter((span) => span.name === name);
  assertEquals(found.length, 1, `${name} among ${spans.map(({ name }) => name).join()}`);
  return found[0]!;
}

/** The id of a span's parent. */
const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId;
const idOf = (span: ReadableSpan) => span.spanContext().spanId;

testOnBrokers("OpenTelemetry: one trace over two connections", async ({ connect, name }) => {
  await using telemetry = openTelemetry();
  const { tracer } = telemetry;
  const hooks = tracing(tracer);
  const [sender, worker] = [await connect({ hooks }), await connect({ hooks })];
  const consumer = await worker.createConsumer(name);
  consumer.consume(async () => {
    // What the handler sends belongs to the same trace, also after it has waited.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await worker.send(`${name}.next`, "next");
  });
  const { messageId } = await tracer.startActiveSpan("order", async (span) => {
    const result = await sender.send(name, "hello");
    span.end();
    return result;
  });

  const spans = await telemetry.spans(5);
  const [order, send] = [named(spans, "order"), named(spans, `send ${name}`)];
  const [process, ack] = [named(spans, `process ${name}`), named(spans, `ack ${name}`)];
  const next = named(spans, `send ${name}.next`);
  assertEquals(new Set(spans.map((span) => span.spanContext().traceId)).size, 1);
  assertEquals(parentOf(send), idOf(order));
  assertEquals(parentOf(process), idOf(send));
  assertEquals(parentOf(next), idOf(process));
  assertEquals(parentOf(ack), idOf(process));
  assertEquals(send.attributes["messaging.message.id"], messageId);
  assertEquals(process.attributes["messaging.message.id"], messageId);
  assertEquals(send.attributes["messaging.system"], "activemq");
  assert(spans.every(({ status }) => status.code === SpanStatusCode.UNSET));
});

testOnBrokers("OpenTelemetry: handlers that fail", async ({ connect, name }) => {
  await using telemetry = openTelemetry();
  const hooks = tracing(telemetry.tracer);
  const redeliveryPolicy = { maximumRedeliveries: 0, ...AT_ONCE };
  const connection: Connection = await connect({ hooks, redeliveryPolicy });
  const consumer = await connection.createConsumer(name);
  consumer.consume(() => Promise.reject(new RangeError("no room")));
  await connection.send(name, "hello");
  const spans = await telemetry.spans(3);
  const process = named(spans, `process ${name}`);
  assertEquals(process.status, { code: SpanStatusCode.ERROR, message: "no room" });
  assertEquals(process.attributes["error.type"], "RangeError");
  assertEquals(parentOf(named(spans, `reject ${name}`)), idOf(process));
  assertEquals(parentOf(process), idOf(named(spans, `send ${name}`)));
});

testOnBrokers("OpenTelemetry: a transaction", async ({ connect, name }) => {
  await using telemetry = openTelemetry();
  const { tracer } = telemetry;
  const connection = await connect({ hooks: tracing(tracer) });
  const session = await connection.createSession({ acknowledgeMode: "transacted" });
  const consumer = await session.createConsumer(name);
  consumer.consume(async () => {
    await session.send(`${name}.next`, "next");
    await session.commit();
  });
  await connection.send(name, "hello");

  const spans = await telemetry.spans(6);
  const [begin, process] = [named(spans, "begin"), named(spans, `process ${name}`)];
  const [commit, ack] = [named(spans, "commit"), named(spans, `ack ${name}`)];
  const next = named(spans, `send ${name}.next`);
  assertEquals(parentOf(next), idOf(process));
  assertEquals(parentOf(commit), idOf(process));
  assertEquals(parentOf(ack), idOf(commit));
  const id = begin.attributes["messaging.activemq.transaction.id"];
  assert(typeof id === "string");
  for (const span of [process, next, commit, ack]) {
    assertEquals(span.attributes["messaging.activemq.transaction.id"], id, span.name);
  }
  assertEquals(commit.attributes["messaging.activemq.transaction.status"], "committed");
  const outside = named(spans, `send ${name}`);
  assertEquals("messaging.activemq.transaction.id" in outside.attributes, false);
});

testOnBrokers("OpenTelemetry: a traceparent that is not valid", async ({ connect, name }) => {
  await using telemetry = openTelemetry();
  const { process } = tracing(telemetry.tracer);
  const connection = await connect({ hooks: { process } });
  const consumer = await connection.createConsumer(name);
  consumer.consume(() => {});
  await connection.send(name, "hello", { properties: { traceparent: "00-0-0-0", tracestate: "" } });
  const [span] = await telemetry.spans(1);
  assertEquals(parentOf(span!), undefined);
  assert(trace.isSpanContextValid(span!.spanContext()));
});
