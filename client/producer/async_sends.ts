/**
 * Messages and acknowledgements that were sent without asking for an answer, and that the broker may not have handled yet: to say
 * which message it is that the broker refuses.
 *
 * ActiveMQ sends a ConnectionError, which does not have the number of the command and mostly names the destination. The broker
 * handles the commands of a connection in their order, but its answers may overtake a ConnectionError (as they overtake
 * ProducerAcks): so a command is taken to be over when two later requests were answered, the second of which was sent after the
 * first answer came. An ExceptionResponse has the number: that of a message whose sender has stopped waiting.
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

/** Commands that are remembered. */
const MOST = 10_000;

/** Characters of an exception's message that are looked at. */
const LONGEST_TEXT = 2000;

/** Messages to one destination that are told apart by what else the exception names. */
const MOST_COMPARED = 100;

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

/** The messages of a connection that were sent without asking for an answer. */
export class AsyncSends {
  readonly #sent: Numbered = new Map();
  /** The same by the kinds and names of their destinations. */
  readonly #byDestination: Map<ActiveMQDestination["dataType"], Map<string, Numbered>> = new Map();
  /** Those that asked for an answer, for which nobody waits any more. */
  readonly #abandoned: Numbered = new Map();
  /** The number of the last acknowledgement. */
  #acknowledgement = 0;
  /** Commands up to this one have been handled for so long that their failures have come. */
  #over = 0;
  /** Commands up to this one have been handled. */
  #handled = 0;
  /** The number of the last command that was sent when that became known. */
  #last = 0;

  /** A message was sent that asks for no answer. */
  add(command: Outgoing): void {
    const { commandId, destination: { dataType, physicalName } } = command;
    // The numbers have begun again.
    if (commandId < this.#last) this.#forget();
    const sent = toSent(command);
    this.#sent.set(commandId, sent);
    let named = this.#byDestination.get(dataType);
    if (!named) this.#byDestination.set(dataType, named = new Map());
    const others = named.get(physicalName);
    if (others) others.set(commandId, sent);
    else named.set(physicalName, new Map([[commandId, sent]]));
    if (this.#sent.size > MOST) this.#removeOldest();
  }

  /** Nobody waits any more for the answer to a message. */
  abandoned(command: Outgoing): void {
    this.#abandoned.set(command.commandId, toSent(command));
    if (this.#abandoned.size <= MOST) return;
    for (const oldest of this.#abandoned.keys()) return void this.#abandoned.delete(oldest);
  }

  /** An acknowledgement was sent that asks for no answer. */
  acknowledged(commandId: number): void {
    this.#acknowledgement = commandId;
  }

  /** A message was not sent after all, or the broker has taken it. */
  remove(commandId: number): void {
    const sent = this.#sent.get(commandId);
    if (!sent) return;
    this.#sent.delete(commandId);
    const { dataType, physicalName } = sent.destination;
    const named = this.#byDestination.get(dataType)!;
    const others = named.get(physicalName)!;
    others.delete(commandId);
    if (others.size === 0) named.delete(physicalName);
  }

  /**
   * A request was answered.
   *
   * @param commandId Its number.
   * @param last The number of the last command that was sent.
   */
  answered(commandId: number, last: number): void {
    if (commandId <= this.#last) return;
    for (const id of this.#sent.keys()) {
      if (id > this.#handled) break;
      this.remove(id);
    }
    this.#over = this.#handled;
    this.#handled = commandId;
    this.#last = last;
  }

  /** The error for an exception that answers a command; undefined if that was no message. */
  refused(commandId: number, exception: Throwable | null): AsyncSendError | undefined {
    const sent = this.#sent.get(commandId) ?? this.#abandoned.get(commandId);
    if (!sent) return undefined;
    this.remove(commandId);
    this.#abandoned.delete(commandId);
    return new AsyncSendError([toMessage(sent)], 1, exception);
  }

  /** The error for an exception that answers no command; undefined if it may be about something else than a message. */
  failed(exception: Throwable | null): AsyncSendError | undefined {
    const suspects = this.#suspects((exception?.message ?? "").slice(0, LONGEST_TEXT));
    const [first] = suspects.keys();
    if (first === undefined) return undefined;
    const messages: SentMessage[] = [];
    for (const sent of suspects.values()) {
      if (messages.length < MOST_IDS) messages.push(toMessage(sent));
      else break;
    }
    const { size } = suspects;
    if (size === 1) this.remove(first);
    return new AsyncSendError(messages, size, exception);
  }

  /** The messages that a text names; if it names none, all that were sent, unless something else was sent, too. */
  #suspects(text: string): Numbered {
    if (text.includes("MessageAck")) return new Map();
    const found: Numbered[] = [];
    for (const [dataType, named] of this.#byDestination) {
      for (const [physicalName, messages] of named) {
        if (namesDestination(text, { dataType, physicalName })) found.push(messages);
      }
    }
    if (found.length > 0) return narrowed(text, joined(found));
    return this.#acknowledgement > this.#over ? new Map() : this.#sent;
  }

  #removeOldest(): void {
    for (const oldest of this.#sent.keys()) return this.remove(oldest);
  }

  #forget(): void {
    this.#sent.clear();
    this.#byDestination.clear();
    this.#acknowledgement =
      this.#over =
      this.#handled =
      this.#last =
        0;
  }
}

function toSent({ messageId, destination, transactionId }: Outgoing): Sent {
  return { messageId, destination, transactionId };
}

/** Messages to several destinations, in the order in which they were sent. */
function joined(parts: readonly Numbered[]): Numbered {
  if (parts.length === 1) return parts[0]!;
  return new Map(parts.flatMap((part) => [...part]).toSorted(([one], [other]) => one - other));
}

/** Those that a text names by their ids or their producers; all if it names none. */
function narrowed(text: string, messages: Numbered): Numbered {
  if (messages.size > MOST_COMPARED) return messages;
  const found = [...messages].filter(([, { messageId }]) => {
    const { producerId } = messageId ?? {};
    const producer = producerId &&
      `${producerId.connectionId}:${producerId.sessionId}:${producerId.value}`;
    return names(text, formatMessageId(messageId)) || names(text, producer ?? "");
  });
  return found.length > 0 ? new Map(found) : messages;
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
