/** Where the tests keep what they fetch and compile. */
import { homedir, platform } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Folder for what the tests keep between runs, outside the source tree. */
export function cacheDir(): string {
  const base = process.env.XDG_CACHE_HOME ||
    (platform() === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache"));
  return join(base, "openwire-tests");
}
