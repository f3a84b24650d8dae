/** Promises that need not be looked at. */

/** A promise whose failure need not be looked at. */
export function silent(): PromiseWithResolvers<void> {
  const deferred = Promise.withResolvers<void>();
  deferred.promise.catch(() => {});
  return deferred;
}
