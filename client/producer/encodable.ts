/** Whether commands can be sent, before any of them is. */

import { OpenWireEncoder, OpenWireFormat, type WireFormatSettings } from "../../codec/mod.ts";
import type { Command } from "../link/commands.ts";

/**
 * Encodes commands to see whether they can be.
 *
 * @throws {EncodeError} When the broker could not take one.
 */
export function checkEncodable(commands: readonly Command[], settings: WireFormatSettings): void {
  const encoder = new OpenWireEncoder(OpenWireFormat.fixed({ ...settings, cacheEnabled: false }));
  for (const command of commands) encoder.encode(command);
}
