/** Ids of transactions as text. */

import type { TransactionId } from "../../codec/mod.ts";

/** A transaction's id as text, as Java writes it: `TX:ID:host-1-2-1:1:7` or `XID:[1,globalId=a,branchId=b]`. */
export function formatTransactionId(id: TransactionId): string;
export function formatTransactionId(id: TransactionId | null): string | null;
export function formatTransactionId(id: TransactionId | null): string | null {
  if (id === null) return null;
  if (id.dataType === "LocalTransactionId") return `TX:${id.connectionId?.value}:${id.value}`;
  const [global, branch] = [id.globalTransactionId, id.branchQualifier].map(hex);
  return `XID:[${id.formatId},globalId=${global},branchId=${branch}]`;
}

/** Java writes each byte as an int with a sign, without leading zeros. */
function hex(bytes: Uint8Array | null): string {
  return Array.from(bytes ?? [], (byte) => (byte << 24 >> 24 >>> 0).toString(16)).join("");
}
