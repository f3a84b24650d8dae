/** A broker that says nothing any more from some point on. */

import {
  type ActiveMQDestination,
  type BaseCommand,
  type ConsumerId,
  createActiveMQMessage,
  createActiveMQTopic,
  createDestinationInfo,
  createMessageDispatch,
} from "../../codec/mod.ts";
import type { ConnectOptions } from "../../mod.ts";
import { type InterceptAction, MemoryBroker } from "../../testing/mod.ts";
import type { Scene } from "./_outcomes.ts";

/** A broker in memory that can be made silent. */
export class SilentBroker implements Scene {
  readonly broker: MemoryBroker;
  readonly options: ConnectOptions;
  readonly #failover: boolean;
  /** Commands that are still handled; then there is silence. */
  #left = Infinity;
  #silent = false;
  readonly #introduced: PromiseWithResolvers<void> = Promise.withResolvers();
  /** The consumers of advisories, and what they were told of last. */
  readonly #watchers: ConsumerId[] = [];

  private constructor(broker: MemoryBroker, options: ConnectOptions, failover: boolean) {
    this.#failover = failover;
    this.broker = broker;
    this.options = options;
    broker.intercept((command, { direction }) => this.#decide(command, direction));
  }

  /**
   * @param options Options of the connections to it.
   * @param failover Whether a lost connection is replaced.
   */
  static async open(options: ConnectOptions = {}, failover = false): Promise<SilentBroker> {
    return new SilentBroker(await MemoryBroker.listen(), options, failover);
  }

  get url(): string {
    return this.#failover ? `failover:(${this.broker.url})` : this.broker.url;
  }

  /** Whether something was kept back. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Resolves when a client has introduced itself in vain. */
  get introduced(): Promise<void> {
    return this.#introduced.promise;
  }

  /** Says nothing any more, after it has handled some more commands that want an answer. */
  silence(after = 0): void {
    this.#left = after;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.broker.close();
  }

  #decide(command: BaseCommand, direction: string): InterceptAction | undefined {
    if (this.#left <= 0) {
      if (command.dataType === "ConnectionInfo") this.#introduced.resolve();
      this.#silent = true;
      return "drop";
    }
    if (direction === "to-client") return undefined;
    if (command.responseRequired) this.#left--;
    this.#tell(command);
    return undefined;
  }

  /** Tells of temporary destinations, which the broker in memory doesn't. */
  #tell(command: BaseCommand): void {
    if (command.dataType === "ConsumerInfo") {
      const name = command.destination?.physicalName ?? "";
      if (name.includes("ActiveMQ.Advisory.TempQueue")) this.#watchers.push(command.consumerId!);
    } else if (command.dataType === "DestinationInfo" && command.operationType === 0) {
      for (const watcher of this.#watchers) this.#advise(watcher, command.destination!);
    }
  }

  #advise(consumerId: ConsumerId, destination: ActiveMQDestination): void {
    const topic = createActiveMQTopic({ physicalName: "ActiveMQ.Advisory.TempQueue" });
    this.broker.sendToClients(createMessageDispatch({
      consumerId,
      destination: topic,
      message: createActiveMQMessage({
        destination: topic,
        dataStructure: createDestinationInfo({ destination }),
      }),
    }));
  }
}
