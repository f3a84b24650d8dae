/**
 * Where the tests' brokers come from. ActiveMQ 5: Debian's package, installed if it can be; else Maven Central.
 * ActiveMQ 6 and Artemis: Maven Central.
 *
 * `OPENWIRE_TEST_ACTIVEMQ=debian|maven` allows that way only for ActiveMQ 5, `none` allows no broker.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { platform } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { cacheDir } from "./cache.ts";
import type { BrokerKind } from "./kinds.ts";
import { javaTool, lastLine, run } from "./command.ts";
import { jarsFromMaven } from "./maven_jars.ts";

/** An installed broker. */
export interface ActiveMq {
  /** Which one. */
  kind: BrokerKind;
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

/** The newest ones for Java 17, as artifacts: not all of their archives are on Maven Central. */
const NEWER = {
  activemq6: {
    product: "ActiveMQ",
    version: "6.3.1",
    artifacts: [
      { id: "org.apache.activemq:activemq-broker:6.3.1" },
      { id: "org.apache.activemq:activemq-kahadb-store:6.3.1" },
      { id: "org.apache.activemq:activemq-spring:6.3.1" },
      { id: "org.apache.activemq:activemq-console:6.3.1" },
      { id: "org.apache.activemq:activemq-jaas:6.3.1" },
      { id: "org.apache.activemq:activemq-stomp:6.3.1" },
      { id: "org.apache.activemq:activemq-amqp:6.3.1" },
      { id: "org.springframework:spring-context:6.2.19" },
      { id: "org.slf4j:slf4j-simple:2.0.18" },
    ],
  },
  artemis: {
    product: "Artemis",
    version: "2.55.0",
    artifacts: [
      // Of its other client the broker needs one class. Not everywhere is there one of 2.55.0.
      {
        id: "org.apache.artemis:artemis-openwire-protocol:2.55.0",
        without: "org.apache.artemis:artemis-jms-client",
      },
      { id: "org.apache.artemis:artemis-jms-client:2.54.0", without: "*:*" },
      { id: "org.apache.artemis:artemis-stomp-protocol:2.55.0" },
      { id: "org.apache.artemis:artemis-amqp-protocol:2.55.0" },
      { id: "org.slf4j:slf4j-simple:2.0.18" },
    ],
  },
};
const DEBIAN_HOME = "/usr/share/activemq";
const MINUTES = 60_000;

const provisioned = new Map<BrokerKind, ActiveMq | string>();

/** Finds or installs a broker; a string is the reason why there is none. */
export function provision(kind: BrokerKind = "activemq5"): ActiveMq | string {
  let found = provisioned.get(kind);
  if (found === undefined) {
    const only = process.env.OPENWIRE_TEST_ACTIVEMQ;
    found = kind === "activemq5" ? look(only) : fromMaven(kind, only);
    provisioned.set(kind, found);
  }
  return found;
}

function fromMaven(kind: keyof typeof NEWER, only: string | undefined): ActiveMq | string {
  const { product, version, artifacts } = NEWER[kind];
  if (only === "none") return `no ${product}: OPENWIRE_TEST_ACTIVEMQ is none`;
  const java = javaTool("java");
  if (!java) return `no ${product}: no java command`;
  const lib = jarsFromMaven(`${product} ${version}`, artifacts);
  if (typeof lib !== "string") return `no ${product}: ${lib.failed}`;
  const javac = javaTool("javac");
  const classpath = join(lib, "*");
  return {
    kind,
    from: "maven",
    version,
    java,
    ...(javac ? { javac } : {}),
    brokerClasspath: classpath,
    classpath,
    stomp: true,
    amqp: true,
  };
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
    kind: "activemq5",
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
