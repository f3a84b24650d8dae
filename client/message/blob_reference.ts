/**
 * Bodies that are kept elsewhere.
 *
 * @module
 */

/**
 * Where the body of a blob message is kept (Java: ActiveMQBlobMessage). The client does not fetch the body: the URL comes from
 * the sender, so check it before you use it.
 *
 * @example
 * ```ts
 * import type { BlobReference, Message } from "../../mod.ts";
 *
 * async function fetchBlob({ blob }: Message): Promise<ArrayBuffer | null> {
 *   if (blob?.url?.startsWith("https://files.example.com/") !== true) return null;
 *   return await (await fetch(blob.url)).arrayBuffer();
 * }
 * ```
 */
export interface BlobReference {
  /** Where the body is, as the sender gave it; null if the sender gave none. */
  readonly url: string | null;
  /** The last part of the URL's path, decoded; null if there is none. OpenWire does not carry the name that Java knows. */
  readonly name: string | null;
  /** Media type of the body; null if the sender gave none. */
  readonly mimeType: string | null;
  /** Whether the broker deletes the body when it deletes the message. */
  readonly deletedByBroker: boolean;
}

/** The name in a URL. */
export function nameOfUrl(url: string | null): string | null {
  const name = URL.parse(url ?? "")?.pathname.split("/").at(-1);
  if (!name) return null;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
