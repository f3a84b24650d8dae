/**
 * Where the tests' ActiveMQ comes from: Debian's package, installed if it can be; else Maven Central.
 *
 * `OPENWIRE_TEST_ACTIVEMQ=debian|maven|none` allows that way only.
 */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir, platform } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";

/** An installed ActiveMQ. */
export interface ActiveMq {
  /** Which way it was found. */
  from: "debian" | "maven";
  /** The broker's version. */
  version: string;
  /** The `java` command to run it with. */
  java: string;
  /** The `javac` command, where there is one: Java peers need it. */
  javac?: string;
  /** Class path that starts the broker. */
  brokerClasspath: string;
  /** Class path of Java clients and of the marshallers, without a logger. */
  classpath: string;
  /** Whether the broker can speak STOMP. */
  stomp: boolean;
  /** Whether the broker can speak AMQP 1.0. */
  amqp: boolean;
}

/** Maven Central has no archive of 5.17.2, Debian's version. */
const MAVEN_VERSION = "5.17.6";
const DEBIAN_HOME = "/usr/share/activemq";
const MINUTES = 60_000;

/** Folder for what the tests keep between runs, outside the source tree. */
export function cacheDir(): string {
  const base = process.env.XDG_CACHE_HOME ||
    (platform() === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache"));
  return join(base, "openwire-tests");
}

/** The command of the Java tool `name`, or `undefined` when it does not run. */
export function javaTool(name: "java" | "javac"): string | undefined {
  const home = process.env.JAVA_HOME;
  const candidates = home ? [join(home, "bin", name), name] : [name];
  return candidates.find((command) => run([command, "-version"], MINUTES).status === 0);
}

let provisioned: ActiveMq | string | undefined;

/** Finds or installs ActiveMQ; a string is the reason why there is none. */
export function provision(): ActiveMq | string {
  return provisioned ??= look(process.env.OPENWIRE_TEST_ACTIVEMQ);
}

function look(only: string | undefined): ActiveMq | string {
  if (only === "none") return "no ActiveMQ: OPENWIRE_TEST_ACTIVEMQ is none";
  if (only && only !== "debian" && only !== "maven") {
    return `no ActiveMQ: OPENWIRE_TEST_ACTIVEMQ is ${only}, not debian, maven or none`;
  }
  const reasons: string[] = [];
  for (const way of [debian, maven]) {
    if (only && way.name !== only) continue;
    const found = way();
    if (typeof found !== "string") return found;
    reasons.push(`${way.name}: ${found}`);
  }
  return `no ActiveMQ: ${reasons.join("; ")}`;
}

function debian(): ActiveMq | string {
  if (debianVersion() === undefined) {
    if (platform() !== "linux" || run(["apt-get", "--version"], MINUTES).status !== 0) {
      return "not on Debian";
    }
    if (process.getuid?.() !== 0) {
      return "the package activemq is not installed, and we are not root";
    }
    const failed = aptInstall();
    if (failed) return failed;
  }
  const java = javaTool("java");
  if (!java) return "no java command";
  const version = debianVersion();
  if (version === undefined) return "the package activemq has no broker jar";
  return describe("debian", version, java, DEBIAN_HOME);
}

function debianVersion(): string | undefined {
  if (!existsSync(join(DEBIAN_HOME, "lib", "activemq-broker.jar"))) return undefined;
  return versionOf(names("/usr/share/java"));
}

/** Installs the package. It starts no service: its init script runs only instances that an administrator enabled. */
function aptInstall(): string | undefined {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  process.stderr.write("Installing Debian's package activemq\n");
  const packages = javaTool("javac") ? ["activemq"] : ["activemq", "default-jdk-headless"];
  for (
    const command of [
      ["apt-get", "update"],
      [
        "apt-get",
        "install",
        "-y",
        "--no-install-recommends",
        "-oDPkg::Lock::Timeout=120",
        ...packages,
      ],
    ]
  ) {
    const done = run(command, 10 * MINUTES, env);
    if (done.status !== 0) return `${command.slice(0, 2).join(" ")} failed: ${lastLine(done)}`;
  }
}

function maven(): ActiveMq | string {
  const java = javaTool("java");
  if (!java) return "no java command";
  const home = join(cacheDir(), `apache-activemq-${MAVEN_VERSION}`);
  if (!existsSync(home)) {
    const failed = mavenInstall(home);
    if (failed) return failed;
  }
  return describe("maven", MAVEN_VERSION, java, home);
}

function mavenInstall(home: string): string | undefined {
  if (run(["mvn", "--version"], MINUTES).status !== 0) return "no mvn command";
  process.stderr.write(`Getting ActiveMQ ${MAVEN_VERSION} from Maven Central\n`);
  mkdirSync(cacheDir(), { recursive: true });
  // Another run may do the same now: unpack aside, then rename.
  const aside = mkdtempSync(join(cacheDir(), "unpack-"));
  try {
    const name = `apache-activemq-${MAVEN_VERSION}`;
    for (
      const command of [
        [
          "mvn",
          "--batch-mode",
          "--quiet",
          "dependency:copy",
          `-Dartifact=org.apache.activemq:apache-activemq:${MAVEN_VERSION}:tar.gz:bin`,
          `-DoutputDirectory=${aside}`,
        ],
        ["tar", "-xzf", join(aside, `${name}-bin.tar.gz`), "-C", aside, `${name}/lib`],
      ]
    ) {
      const done = run(command, 10 * MINUTES);
      if (done.status !== 0) return `${command[0]} failed: ${lastLine(done)}`;
    }
    if (!existsSync(home)) renameSync(join(aside, name), home);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function describe(
  from: ActiveMq["from"],
  version: string,
  java: string,
  home: string,
): ActiveMq | string {
  const lib = join(home, "lib");
  const optional = join(lib, "optional");
  const all = [...names(lib), ...names(optional)];
  const peers = [
    /^activemq-(client|broker|openwire-legacy)\b/,
    /^geronimo-(jms|j2ee-management)_?-?1\.1[-_]spec/,
    /^hawtbuf\b/,
    /^slf4j-api/,
  ];
  const jars: string[] = [];
  for (const pattern of peers) {
    const found = names(lib).filter((jar) => pattern.test(jar));
    if (found.length === 0) return `no jar ${pattern.source} in ${lib}`;
    jars.push(...found.map((jar) => join(lib, jar)));
  }
  const quiet = "/usr/share/java/slf4j-nop.jar";
  if (from === "debian" && existsSync(quiet)) jars.push(quiet);
  const javac = javaTool("javac");
  return {
    from,
    version,
    java,
    ...(javac ? { javac } : {}),
    brokerClasspath: [join(lib, "*"), join(optional, "*")].join(delimiter),
    classpath: jars.join(delimiter),
    stomp: all.some((jar) => jar.startsWith("activemq-stomp")),
    amqp: all.some((jar) => jar.startsWith("activemq-amqp")),
  };
}

function names(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".jar")) : [];
}

function versionOf(jars: string[]): string | undefined {
  for (const jar of jars) {
    const version = /^activemq-broker-(\d[\w.]*)\.jar$/.exec(jar)?.[1];
    if (version) return version;
  }
}

function run(
  [command, ...args]: string[],
  timeout: number,
  env: Record<string, string> = {},
): SpawnSyncReturns<string> {
  return spawnSync(command!, args, {
    encoding: "utf8",
    timeout,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
}

function lastLine({ error, stderr, stdout }: SpawnSyncReturns<string>): string {
  const lines = `${stdout ?? ""}\n${stderr ?? ""}`.split("\n").filter((line) => line.trim());
  // Maven's last lines are advice: its first error says what happened.
  return lines.find((line) => line.includes("ERROR")) ?? lines.at(-1) ?? String(error);
}
