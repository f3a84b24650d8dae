/** The checksum of a stream: CRC-32 as in zip and gzip (ISO-HDLC), because WebCrypto has none that goes on. */

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/**
 * Goes on with a checksum.
 *
 * @param bytes What comes next.
 * @param before The checksum of all before; 0 at the start.
 * @returns An integer of 32 bits without a sign.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let value = ~before;
  for (let i = 0; i < bytes.length; i++) {
    value = (value >>> 8) ^ TABLE[(value ^ bytes[i]!) & 0xff]!;
  }
  return ~value >>> 0;
}
