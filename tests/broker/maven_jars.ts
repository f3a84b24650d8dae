/** Artifacts of Maven Central with all that they need, in a folder of the cache. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { cacheDir } from "./cache.ts";
import { lastLine, run } from "./command.ts";

/** What to fetch. */
export interface Artifact {
  /** `group:artifact:version`. */
  id: string;
  /** `group:artifact` of what it asks for and does not need. */
  without?: string;
}

const MINUTES = 60_000;

/** The folder with the jars, fetched if need be, or why there is none. */
export function jarsFromMaven(
  title: string,
  artifacts: readonly Artifact[],
): string | { failed: string } {
  const pom = project(artifacts);
  const hash = createHash("sha256").update(pom).digest("hex").slice(0, 8);
  const home = join(cacheDir(), `${title.toLowerCase().replaceAll(" ", "-")}-${hash}`);
  if (existsSync(home)) return home;
  if (run(["mvn", "--version"], MINUTES).status !== 0) return { failed: "no mvn command" };
  process.stderr.write(`Getting ${title} from Maven Central\n`);
  mkdirSync(cacheDir(), { recursive: true });
  // Another run may do the same now: fetch aside, then rename.
  const aside = mkdtempSync(join(cacheDir(), "fetch-"));
  try {
    writeFileSync(join(aside, "pom.xml"), pom);
    const jars = join(aside, "jars");
    const done = run([
      "mvn",
      "--batch-mode",
      "--quiet",
      `--file=${join(aside, "pom.xml")}`,
      "dependency:copy-dependencies",
      `-DoutputDirectory=${jars}`,
    ], 10 * MINUTES);
    if (done.status !== 0) return { failed: `mvn failed: ${lastLine(done)}` };
    if (!existsSync(home)) renameSync(jars, home);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return home;
}

function project(artifacts: readonly Artifact[]): string {
  const dependencies = artifacts.map(({ id, without }) => {
    const [group, artifact, version] = id.split(":");
    const [otherGroup, other] = without?.split(":") ?? [];
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>` +
      `<version>${version}</version>` +
      (without
        ? `<exclusions><exclusion><groupId>${otherGroup}</groupId>` +
          `<artifactId>${other}</artifactId></exclusion></exclusions>`
        : "") +
      "</dependency>";
  });
  return '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>' +
    "<groupId>openwire.tests</groupId><artifactId>brokers</artifactId><version>1</version>" +
    `<packaging>pom</packaging><dependencies>${dependencies.join("")}</dependencies></project>\n`;
}
