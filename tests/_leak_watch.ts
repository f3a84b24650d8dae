/**
 * Is loaded before the tests: looks at the message of each error that is made, whoever catches it, for the password of the
 * tests. What it finds it writes, and `run.ts` looks at what is written.
 */

import process from "node:process";
import { leakIn } from "./_secret.ts";

const LOOKED_AT = ["Error", "TypeError", "RangeError", "SyntaxError", "AggregateError"] as const;

for (const name of LOOKED_AT) {
  const real = globalThis[name] as ErrorConstructor & {
    captureStackTrace?(error: Error, above: unknown): void;
  };
  const handler: ProxyHandler<ErrorConstructor> & { construct: unknown; apply: unknown } = {
    construct(target, args, newTarget) {
      const error = Reflect.construct(target, args, newTarget === watched ? target : newTarget);
      look(error);
      // Nobody wants to see this function where an error comes from.
      real.captureStackTrace?.(error, handler.construct);
      return error;
    },
    apply(target, self, args) {
      const error = Reflect.apply(target, self, args);
      look(error);
      real.captureStackTrace?.(error, handler.apply);
      return error;
    },
  };
  const watched = new Proxy<ErrorConstructor>(real, handler);
  Object.defineProperty(globalThis, name, { value: watched, writable: true, configurable: true });
}

function look(error: Error): void {
  if (leakIn(error.message) === undefined) return;
  // Of an error of the tests themselves nobody but a developer knows.
  process.stderr.write(`\nThis error has a password: ${error.stack ?? error.message}\n`);
}
