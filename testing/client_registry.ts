/**
 * Who is connected: credentials, client ids, and connections that come back.
 *
 * @module
 */

import type { ConnectionInfo } from "../codec/mod.ts";
import { BrokerException, jmsException, required } from "./exceptions.ts";

/** Who may connect. */
export interface Credentials {
  /** Passwords by user name. Without it everybody may connect. */
  readonly users?: Readonly<Record<string, string>> | undefined;
  /** Whether a client may come without a user name although there are users. */
  readonly allowAnonymous?: boolean | undefined;
}

/** A client's link, as far as others have to do with it. */
export interface ClientLink {
  /** Where the client is, for messages. */
  readonly address: string;
  /** Ends it, because the same connection comes over another link. */
  disconnect(): void;
}

interface Registered {
  readonly info: ConnectionInfo;
  readonly link: ClientLink;
}

/** The open connections of a broker. */
export class ClientRegistry {
  readonly #brokerName: string;
  readonly #credentials: Credentials;
  readonly #byConnectionId: Map<string, Registered> = new Map();

  constructor(brokerName: string, credentials: Credentials) {
    this.#brokerName = brokerName;
    this.#credentials = credentials;
  }

  /** Open connections. */
  get size(): number {
    return this.#byConnectionId.size;
  }

  /** Lets a client in, or refuses it. One that lost its link, and comes again with the same id, takes its own place. */
  add(info: ConnectionInfo, link: ClientLink): void {
    this.#authenticate(info);
    if (info.clientId === null) {
      throw jmsException(
        "No clientID specified for connection request",
        "InvalidClientIDException",
      );
    }
    const id = connectionKey(info);
    const before = this.#byConnectionId.get(id)?.link;
    if (before !== link) before?.disconnect();
    for (const other of this.#byConnectionId.values()) {
      if (other.info.clientId !== info.clientId) continue;
      throw jmsException(
        `Broker: ${this.#brokerName} - Client: ${info.clientId} already connected from ${other.link.address}`,
        "InvalidClientIDException",
      );
    }
    this.#byConnectionId.set(id, { info, link });
  }

  /** Forgets a client. */
  remove(info: ConnectionInfo): void {
    const id = connectionKey(info);
    if (this.#byConnectionId.get(id)?.info === info) this.#byConnectionId.delete(id);
  }

  #authenticate({ userName, password }: ConnectionInfo): void {
    const { users, allowAnonymous } = this.#credentials;
    if (users === undefined) return;
    if (allowAnonymous && userName === null) return;
    const known = userName !== null && Object.hasOwn(users, userName);
    if (known && users[userName] === password) return;
    throw new BrokerException(
      "java.lang.SecurityException",
      `User name [${userName}] or password is invalid.`,
    );
  }
}

/** The id of a connection. */
export function connectionKey({ connectionId }: ConnectionInfo): string {
  return required(required(connectionId, "connectionId").value, "connectionId.value");
}
