/** Names the protocol of a peer that does not speak OpenWire, because a wrong port is the most common mistake. */

const openings: readonly (readonly [protocol: string, opening: string])[] = [
  ["HTTP", "HTTP"],
  ["AMQP", "AMQP"],
  ["STOMP", "ERRO"],
  ["STOMP", "CONN"],
  ["SSH", "SSH-"],
  ["Redis", "-ERR"],
  ["SMTP or FTP", "220 "],
  ["HTTP", "<!DO"],
  ["HTTP", "<htm"],
];

/**
 * Looks at the first bytes of a peer, of which there are at least four.
 *
 * @returns The protocol's name, or undefined when it isn't known.
 */
export function identifyProtocol(bytes: Uint8Array): string | undefined {
  const opening = String.fromCharCode(...bytes.subarray(0, 4));
  // A TLS alert (21) or handshake (22) record of version 3.x.
  if ((bytes[0] === 21 || bytes[0] === 22) && bytes[1] === 3 && bytes[2]! <= 4) return "TLS";
  return openings.find(([, start]) => start === opening)?.[0];
}
