/**
 * Messages that were sent without asking for an answer, and that the broker may not have handled yet: to say which message it is
 * that the broker refuses.
 *
 * ActiveMQ sends a ConnectionError, which does not have the number of the command and mostly names the destination. The broker
 * handles the commands of a connection in their order, but its answers may overtake a ConnectionError (as they overtake
 * ProducerAcks). So a message is remembered until three requests were answered one after another: the first one says that it is
 * time for the next, the second that the message was handled, and the third that it has been for as long as a request takes.
 *
 * An ExceptionResponse has the number: that of a message whose sender has stopped waiting.
 */

import type {
  ActiveMQDestination,
  Message,
  MessageId,
  Throwable,
  TransactionId,
} from "../../codec/mod.ts";
import { formatDestination } from "../destination/destination.ts";
import { formatMessageId } from "../message/message.ts";
import { formatTransactionId } from "../transaction/transaction_id.ts";
import { AsyncSendError, MOST_IDS, type SentMessage } from "./async_send_error.ts";

/** Messages of one generation. */
const MOST = 4000;

/** Messages whose senders have stopped waiting. */
const MOST_ABANDONED = 1000;

/** Characters of an exception's message that are looked at. */
const LONGEST_TEXT = 2000;

/** A message that was sent, with what names it. */
interface Sent {
  readonly messageId: MessageId | null;
  readonly destination: ActiveMQDestination;
  readonly transactionId: TransactionId | null;
}

/** A message that is about to be sent, or was. */
type Outgoing = Message & { readonly destination: ActiveMQDestination };

/** Messages by the numbers of their commands, in the order in which they were sent. */
type Numbered = Map<number, Sent>;

/** What was sent between two answers. */
class Generation {
  readonly sent: Numbered = new Map();
  /** The same by the kinds and names of their destinations. */
  readonly #byDestination: Map<ActiveMQDestination["dataType"], Map<string, Numbered>> = new Map();
  /** Whether an acknowledgement was sent, too. */
  acknowledges = false;

  get empty(): boolean {
    return this.sent.size === 0 && !this.acknowledges;
  }

  add(commandId: number, sent: Sent): void {
    const { dataType, physicalName } = sent.destination;
    this.sent.set(commandId, sent);
    let named = this.#byDestination.get(dataType);
    if (!named) this.#byDestination.set(dataType, named = new Map());
    const others = named.get(physicalName);
    if (others) others.set(commandId, sent);
    else named.set(physicalName, new Map([[commandId, sent]]));
  }

  remove(commandId: number): void {
    const sent = this.sent.get(commandId);
    if (!sent) return;
    this.sent.delete(commandId);
    const named = this.#byDestination.get(sent.destination.dataType)!;
    const others = named.get(sent.destination.physicalName)!;
    others.delete(commandId);
    if (others.size === 0) named.delete(sent.destination.physicalName);
  }

  /** Those whose destinations a text names. */
  named(text: string): Numbered {
    const found: Numbered[] = [];
    for (const [dataType, named] of this.#byDestination) {
      for (const [physicalName, messages] of named) {
        if (namesDestination(text, { dataType, physicalName })) found.push(messages);
      }
    }
    return joined(found);
  }
}

/** The messages of a connection that were sent without asking for an answer. */
export class AsyncSends {
  /** The last one is what is sent now. A whole one is dropped: to delete the first entries of a Map, one by one, is slow. */
  #generations: readonly [Generation, Generation, Generation] = generations();
  /** Those that asked for an answer, for which nobody waits any more. */
  readonly #abandoned: Numbered = new Map();
  /** The number of the last command of the generation before the last. */
  #last = 0;

  /** A message was sent that asks for no answer. */
  add(command: Outgoing): void {
    const { commandId } = command;
    if (commandId < this.#last) {
      // The numbers have begun again.
      this.#generations = generations();
      this.#last = 0;
    }
    const current = this.#generations[2];
    current.add(commandId, toSent(command));
    if (current.sent.size >= MOST) this.#next(commandId);
  }

  /** Nobody waits any more for the answer to a message. */
  abandoned(command: Outgoing): void {
    this.#abandoned.set(command.commandId, toSent(command));
    if (this.#abandoned.size <= MOST_ABANDONED) return;
    for (const oldest of this.#abandoned.keys()) return void this.#abandoned.delete(oldest);
  }

  /** An acknowledgement was sent that asks for no answer. */
  acknowledged(): void {
    this.#generations[2].acknowledges = true;
  }

  /** A message was not sent after all, or the broker has taken it. */
  remove(commandId: number): void {
    for (const generation of this.#generations) generation.remove(commandId);
  }

  /**
   * A request was answered.
   *
   * @param commandId Its number.
   * @param last The number of the last command that was sent.
   */
  answered(commandId: number, last: number): void {
    if (commandId > this.#last) this.#next(last);
  }

  /** The error for an exception that answers a command; undefined if that was no message. */
  refused(commandId: number, exception: Throwable | null): AsyncSendError | undefined {
    let sent = this.#abandoned.get(commandId);
    for (const generation of this.#generations) sent ??= generation.sent.get(commandId);
    if (!sent) return undefined;
    this.remove(commandId);
    this.#abandoned.delete(commandId);
    return new AsyncSendError([toMessage(sent)], 1, exception);
  }

  /** The error for an exception that answers no command; undefined if it may be about something else than a message. */
  failed(exception: Throwable | null): AsyncSendError | undefined {
    const text = (exception?.message ?? "").slice(0, LONGEST_TEXT);
    const parts = this.#suspects(text);
    const all = parts.reduce((sum, { size }) => sum + size, 0);
    const first = firstOf(parts);
    const suspects = all > first.length ? first : narrowed(text, first);
    if (suspects.length === 0) return undefined;
    const count = all > first.length ? all : suspects.length;
    if (count === 1) this.remove(suspects[0]![0]);
    return new AsyncSendError(suspects.map(([, sent]) => toMessage(sent)), count, exception);
  }

  /** The messages that a text names; if it names none, all that were sent, unless something else was sent, too. */
  #suspects(text: string): Numbered[] {
    if (text.includes("MessageAck")) return [];
    const named = this.#generations.map((generation) => generation.named(text));
    if (named.some(({ size }) => size > 0)) return named;
    if (this.#generations.some(({ acknowledges }) => acknowledges)) return [];
    return this.#generations.map(({ sent }) => sent);
  }

  #next(last: number): void {
    this.#last = last;
    const [, middle, newest] = this.#generations;
    if (this.#generations.every(({ empty }) => empty)) return;
    this.#generations = [middle, newest, new Generation()];
  }
}

function generations(): [Generation, Generation, Generation] {
  return [new Generation(), new Generation(), new Generation()];
}

function toSent({ messageId, destination, transactionId }: Outgoing): Sent {
  return { messageId, destination, transactionId };
}

/** Messages to several destinations, in the order in which they were sent. */
function joined(parts: readonly Numbered[]): Numbered {
  if (parts.length === 1) return parts[0]!;
  return new Map(parts.flatMap((part) => [...part]).toSorted(([one], [other]) => one - other));
}

/** As many as an error names. */
function firstOf(parts: readonly Numbered[]): [commandId: number, sent: Sent][] {
  const first: [number, Sent][] = [];
  for (const part of parts) {
    for (const entry of part) {
      if (first.length === MOST_IDS) return first;
      first.push(entry);
    }
  }
  return first;
}

/** Those that a text names by their ids or their producers; all if it names none. */
function narrowed(
  text: string,
  messages: [commandId: number, sent: Sent][],
): [commandId: number, sent: Sent][] {
  const found = messages.filter(([, { messageId }]) => {
    const { producerId } = messageId ?? {};
    const producer = producerId &&
      `${producerId.connectionId}:${producerId.sessionId}:${producerId.value}`;
    return names(text, formatMessageId(messageId)) || names(text, producer ?? "");
  });
  return found.length > 0 ? found : messages;
}

function toMessage({ messageId, destination, transactionId }: Sent): SentMessage {
  return {
    id: formatMessageId(messageId),
    destination,
    transactionId: formatTransactionId(transactionId) ?? undefined,
  };
}

/** Whether a text names a destination; a composite one is named by a part. */
function namesDestination(
  text: string,
  destination: Pick<ActiveMQDestination, "dataType" | "physicalName">,
): boolean {
  const { dataType, physicalName } = destination;
  if (names(text, formatDestination({ dataType, physicalName } as ActiveMQDestination))) {
    return true;
  }
  if (!physicalName.includes(",")) return false;
  return physicalName.split(",").map((part) => part.trim()).some((part) =>
    part.includes("://")
      ? names(text, part)
      : part !== "" && namesDestination(text, { dataType, physicalName: part })
  );
}

/** A character with which a name goes on; a full stop or colon at its end does not. */
const GOES_ON = /^(?:[\w/-]|[.:]+[\w/-])/;

/** Whether a text has a name, and not one that only begins so. */
function names(text: string, name: string): boolean {
  if (name === "") return false;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (!GOES_ON.test(text.slice(at + name.length, at + name.length + 8))) return true;
  }
  return false;
}
