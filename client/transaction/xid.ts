/**
 * Ids of distributed transactions.
 *
 * @module
 */

import { numberText } from "../../errors.ts";
import { createXATransactionId, type XATransactionId } from "../../codec/mod.ts";

/**
 * The id of a branch: the part of a distributed transaction that one resource manager does.
 *
 * @example
 * ```ts
 * import type { Xid } from "../../mod.ts";
 *
 * const xid: Xid = {
 *   formatId: 1,
 *   globalTransactionId: Uint8Array.of(1, 2, 3),
 *   branchQualifier: Uint8Array.of(1),
 * };
 * ```
 */
export interface Xid {
  /** Who gives out the ids and how; an integer of 32 bits other than -1. */
  readonly formatId: number;
  /** The distributed transaction; 1 to 64 bytes. */
  readonly globalTransactionId: Uint8Array;
  /** The branch within it; 0 to 64 bytes. */
  readonly branchQualifier: Uint8Array;
}

/** The format of ids that are made here: "OWTS". */
const FORMAT_ID = 0x4f575453;

/**
 * Makes an id: of a new transaction, or with a `globalTransactionId` of a new branch of that.
 *
 * @param given What is known; the rest is random.
 * @returns The id.
 * @throws {RangeError} When a number or length is out of range.
 * @throws {TypeError} When something is of a wrong kind.
 *
 * @example
 * ```ts
 * import { createXid } from "../../mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const one = createXid();
 * const other = createXid({ globalTransactionId: one.globalTransactionId });
 * assertEquals(other.globalTransactionId, one.globalTransactionId);
 * ```
 */
export function createXid(given: Partial<Xid> = {}): Xid {
  const random = (): Uint8Array => crypto.getRandomValues(new Uint8Array(16));
  const xid = {
    formatId: given.formatId ?? FORMAT_ID,
    globalTransactionId: given.globalTransactionId ?? random(),
    branchQualifier: given.branchQualifier ?? random(),
  };
  return toXid(toTransactionId(xid));
}

/** The transaction id on the wire. The bytes are copied: the caller may change its arrays. */
export function toTransactionId(xid: Xid): XATransactionId {
  const { formatId, globalTransactionId, branchQualifier } = xid;
  if (!Number.isInteger(formatId) || (formatId | 0) !== formatId || formatId === -1) {
    throw new RangeError(
      `Cannot use ${
        numberText(formatId)
      } as formatId: an integer of 32 bits other than -1 is expected`,
    );
  }
  return createXATransactionId({
    formatId,
    globalTransactionId: checkBytes("globalTransactionId", globalTransactionId, 1),
    branchQualifier: checkBytes("branchQualifier", branchQualifier, 0),
  });
}

/** The id for one from the wire. */
export function toXid({ formatId, globalTransactionId, branchQualifier }: XATransactionId): Xid {
  return {
    formatId,
    globalTransactionId: globalTransactionId?.slice() ?? new Uint8Array(),
    branchQualifier: branchQualifier?.slice() ?? new Uint8Array(),
  };
}

/** An id as text, such as `1:0a0b:01`. */
export function formatXid({ formatId, globalTransactionId, branchQualifier }: Xid): string {
  return `${formatId}:${hex(globalTransactionId)}:${hex(branchQualifier)}`;
}

function checkBytes(name: string, bytes: Uint8Array, minimum: number): Uint8Array {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(`Cannot use a ${typeof bytes} as ${name}: a Uint8Array is expected`);
  }
  if (bytes.length < minimum || bytes.length > 64) {
    throw new RangeError(
      `Cannot use ${bytes.length} bytes as ${name}: ${minimum} to 64 are expected`,
    );
  }
  return bytes.slice();
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
