/** Text of a peer in our own messages. */

export { harmless, harmlessError, harmlessValue } from "../errors.ts";
