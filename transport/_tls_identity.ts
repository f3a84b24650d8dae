/** What `node:tls` has, on Node and Bun. */
export interface IdentityChecker {
  checkServerIdentity(hostname: string, certificate: object): Error | undefined;
}

/**
 * What is wrong with a certificate for a host; undefined when it is for that host. Its common name does not count, which Node
 * and Bun take for a name if there is no other (RFC 9525, 6.2): Deno never does.
 */
export function identityProblem(
  { checkServerIdentity }: IdentityChecker,
  hostname: string,
  certificate: object,
): Error | undefined {
  return checkServerIdentity(hostname, { ...certificate, subject: {} });
}
