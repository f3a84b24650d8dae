// Node has no import map: gives it the test libraries under the names that deno.json gives them.
import { registerHooks } from "node:module";

const names = {
  "@std/assert": "deno-std/assert/mod.js",
  "@std/bytes": "deno-std/bytes/mod.js",
};

registerHooks({
  resolve: (specifier, context, next) => next(names[specifier] ?? specifier, context),
});
