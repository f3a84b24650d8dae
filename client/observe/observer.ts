/** Calls the user's hooks. There is one for each connection that has hooks. */

import { toError } from "../../errors.ts";
import type { MessagingHooks } from "./hooks.ts";
import type { Message } from "../message/message.ts";
import { Giving, Operation, type Peer, Sending, type Subject } from "./operation.ts";
import { Transacting, type TransactionStep } from "./transacting.ts";

/** What an {@linkcode Observer} needs. */
export interface ObserverOptions {
  readonly hooks: MessagingHooks;
  readonly peer: Peer;
  /** Tells of a failure that answers no call. */
  report(error: Error): void;
}

type Hook<T> = (operation: T, next: () => Promise<void>) => unknown;

/** Does work within the hooks of a user. */
export class Observer {
  readonly #hooks: MessagingHooks;
  readonly #peer: Peer;
  readonly #report: (error: unknown) => void;

  constructor({ hooks, peer, report }: ObserverOptions) {
    this.#hooks = hooks;
    this.#peer = peer;
    this.#report = (error) => report(toError(error));
  }

  /** Sends a message. */
  send<T extends { readonly messageId: string }>(
    subject: Subject,
    work: () => Promise<T>,
  ): Promise<T> {
    const hook = this.#hooks.send;
    if (!hook) return work();
    const operation = new Sending(subject, this.#peer);
    return this.#around(hook, operation, async () => {
      operation.begin();
      const result = await work();
      operation.sent(result.messageId);
      return result;
    });
  }

  /** Gives a message to a handler. */
  handle<T>(message: Message, subject: Subject, work: () => Promise<T>): Promise<T> {
    const hook = this.#hooks.process;
    if (!hook) return work();
    return this.#around(hook, new Giving("process", message, subject, this.#peer), work);
  }

  /** Gives a message to whoever has asked for it. */
  receive(message: Message, subject: Subject): void {
    const hook = this.#hooks.receive;
    if (!hook) return;
    const operation = new Giving("receive", message, subject, this.#peer);
    this.#call(() => hook.call(this.#hooks, operation), this.#report);
  }

  /** Settles a message. */
  settle<T>(name: string, subject: Subject, work: () => Promise<T>): Promise<T> {
    const hook = this.#hooks.settle;
    if (!hook) return work();
    return this.#around(hook, new Operation("settle", name, subject, this.#peer), work);
  }

  /** Does a step of a transaction. */
  transact<T>(step: TransactionStep, work: () => Promise<T>): Promise<T> {
    const hook = this.#hooks.transact;
    if (!hook) return work();
    return this.#around(hook, new Transacting(step, this.#peer), work);
  }

  /** Does some work once, within a hook if that wants it. */
  #around<O extends { failed(error: unknown): void }, T>(
    hook: Hook<O>,
    operation: O,
    work: () => Promise<T>,
  ): Promise<T> {
    let begun: Promise<T> | undefined;
    let failure: { readonly error: unknown } | undefined;
    const begin = (): Promise<T> =>
      begun ??= work().catch((error) => {
        failure = { error };
        operation.failed(error);
        throw error;
      });
    const next = (): Promise<void> => {
      const done = begin().then(() => {});
      // The hook need not wait for it.
      done.catch(() => {});
      return done;
    };
    this.#call(() => hook.call(this.#hooks, operation, next), (error) => {
      // What it has got of the work it may pass on: whoever has asked for the work is told.
      if (failure?.error !== error) this.#report(error);
    });
    return begin();
  }

  /** Calls a hook, whatever it does. */
  #call(hook: () => unknown, failed: (error: unknown) => void): void {
    try {
      Promise.resolve(hook()).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
