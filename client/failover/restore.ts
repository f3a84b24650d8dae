/** Opens again over another connection what was open over one that was lost. */

import type { ConsumerInfo, DestinationInfo, ProducerInfo, SessionInfo } from "../../codec/mod.ts";
import { formatDestination } from "../destination/destination.ts";
import { BrokerError } from "../errors.ts";
import type { Command, Response } from "../link/commands.ts";

/** What may be refused. */
export interface Owner {
  refused(reason: Error): void;
}

/** What was open. */
export interface State {
  readonly temporaryDestinations: readonly DestinationInfo[];
  readonly sessions: readonly { readonly info: SessionInfo }[];
  readonly producers: readonly (Owner & { readonly info: ProducerInfo })[];
  readonly consumers: readonly (Owner & { readonly info: ConsumerInfo })[];
}

/** What the broker did not take. */
export interface Refusal {
  readonly error: BrokerError;
  /** Who is to be told; undefined if nobody has it. */
  readonly owner: Owner | undefined;
}

/**
 * Opens it, in the order in which each needs the others, and waits for all answers.
 *
 * @param state What was open.
 * @param request Sends a command over the new connection, and waits for the answer.
 * @returns What the broker refuses.
 * @throws When the connection is lost, too, or the broker refuses a session.
 */
export async function restore(
  { temporaryDestinations, sessions, producers, consumers }: State,
  request: (command: Command, action: string) => Promise<Response>,
): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  const ask = async (command: Command, action: string, owner?: Owner): Promise<void> => {
    try {
      await request(command, action);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      refusals.push({ error, owner });
    }
  };
  // They are sent in this order; to wait for each answer would take as many times as long.
  await Promise.all([
    ...temporaryDestinations.map((info) => ask(info, `Cannot create ${nameOf(info)} again`)),
    ...sessions.map(({ info }) => request(info, "Cannot open a session again")),
    ...producers.map((owner) => ask(owner.info, "Cannot open a producer again", owner)),
    ...consumers.map((owner) => {
      const { info } = owner;
      return ask(info, `Cannot open a consumer for ${nameOf(info)} again`, owner);
    }),
  ]);
  return refusals;
}

function nameOf({ destination }: DestinationInfo | ConsumerInfo): string {
  return destination ? formatDestination(destination) : "";
}
