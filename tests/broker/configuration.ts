/** How the tests' brokers are configured, in a folder, and the commands that start them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrokerUrls } from "./env.ts";
import { STORE_PASSWORD, type Stores } from "./keys.ts";
import type { ActiveMq } from "./provision.ts";
import { SECRET } from "../_secret.ts";

/** Names of the broker's connectors. */
export type Connector = keyof BrokerUrls;

/** What a broker is started with. */
export interface Configuration {
  /** Folder for all that it needs. */
  home: string;
  /** Folder for its data. */
  data: string;
  /** Whether it keeps messages there. */
  persistent: boolean;
  /** Largest Java heap. */
  heap: string;
  /** The ports to listen on. */
  ports: Partial<Record<Connector, number>>;
  /** The files with its keys. */
  stores: Stores;
  /** Whether ActiveMQ has virtual topics. */
  virtualTopics: boolean;
}

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** The connectors with TLS; whether they want a certificate of the client. */
const TLS: ReadonlyMap<Connector, boolean> = new Map([["ssl", false], ["mutualSsl", true]]);

const OPENWIRE: Partial<Record<Connector, string>> = {
  openwire: "wireFormat.maxFrameSize=104857600",
  smallFrame: "wireFormat.maxFrameSize=65536",
  plain: "wireFormat.maxFrameSize=104857600&wireFormat.tightEncodingEnabled=false" +
    "&wireFormat.cacheEnabled=false&wireFormat.maxInactivityDuration=0",
  single: "wireFormat.maxFrameSize=104857600",
};

/** What Artemis needs to take names as ActiveMQ does: of virtual topics in OpenWire, of queues and topics in the others. */
const ACCEPTOR: Record<string, string> = {
  openwire: "virtualTopicConsumerWildcards=Consumer.*.%3E%3B2;",
  stomp: "anycastPrefix=/queue/,queue://,temp-queue://;multicastPrefix=/topic/,topic://;",
  amqp: "anycastPrefix=queue://;multicastPrefix=topic://;",
};

/** The connectors that speak OpenWire. */
export const SPEAKS_OPENWIRE: ReadonlySet<Connector> = new Set(
  Object.keys(OPENWIRE) as Connector[],
);

/** The address of a connector. */
export function urlOf(name: Connector, port: number): string {
  return TLS.has(name) ? `ssl://localhost:${port}` : `tcp://127.0.0.1:${port}`;
}

/** Which connectors a broker has. */
export function connectorsOf({ kind, stomp, amqp }: ActiveMq): Connector[] {
  return [
    "openwire",
    "single",
    ...TLS.keys(),
    ...(kind === "artemis" ? [] : ["smallFrame", "plain"] as const),
    ...(stomp ? ["stomp" as const] : []),
    ...(amqp ? ["amqp" as const] : []),
  ];
}

/** Writes the configuration; returns the command that starts the broker. */
export function configure(activemq: ActiveMq, configuration: Configuration): string[] {
  mkdirSync(configuration.data, { recursive: true });
  const { java } = activemq;
  return [
    java,
    `-Xmx${configuration.heap}`,
    "-XX:+UseSerialGC",
    "-Djava.net.preferIPv4Stack=true",
    `-Djava.io.tmpdir=${configuration.home}`,
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    ...(activemq.kind === "artemis"
      ? artemis(activemq, configuration)
      : classic(activemq, configuration)),
  ];
}

function classic(
  { brokerClasspath }: ActiveMq,
  { home, data, persistent, ports, stores, virtualTopics }: Configuration,
): string[] {
  const connectors = Object.entries(ports).map(([name, port]) => {
    const wire = OPENWIRE[name as Connector];
    const asks = TLS.get(name as Connector);
    const scheme = wire ? "tcp" : asks === undefined ? name : "ssl";
    const options = [`maximumConnections=${name === "single" ? 1 : 2000}`];
    if (wire) options.push(wire);
    if (asks) options.push("needClientAuth=true");
    // Else messages of AMQP come to others as their bytes.
    if (name === "amqp") options.push("transport.transformer=jms");
    const query = options.join("&").replaceAll("&", "&amp;");
    return `<transportConnector name="${name}" uri="${scheme}://127.0.0.1:${port}?${query}"/>`;
  });
  fillIn("activemq.xml", join(home, "activemq.xml"), {
    data,
    secret: SECRET,
    persistent: String(persistent),
    virtualTopics: String(virtualTopics),
    ...stores,
    password: STORE_PASSWORD,
    store: persistent
      ? `<persistenceAdapter><kahaDB directory="${data}/kahadb"/></persistenceAdapter>`
      : "",
    connectors: connectors.join("\n      "),
  });
  return [
    `-Dlog4j.configuration=${new URL("log4j.properties", import.meta.url)}`,
    `-Dlog4j.configurationFile=${join(HERE, "log4j2.properties")}`,
    `-Dactivemq.home=${home}`,
    `-Dactivemq.base=${home}`,
    `-Dactivemq.conf=${home}`,
    `-Dactivemq.data=${home}`,
    "-cp",
    [HERE, brokerClasspath].join(delimiter),
    "org.apache.activemq.console.Main",
    "start",
    `xbean:file:${join(home, "activemq.xml")}`,
  ];
}

function artemis(
  { brokerClasspath }: ActiveMq,
  { home, data, persistent, ports, stores }: Configuration,
): string[] {
  const etc = join(home, "etc");
  mkdirSync(etc, { recursive: true });
  fillIn("artemis.xml", join(etc, "broker.xml"), {
    data,
    persistent: String(persistent),
    connectors: Object.entries(ports).map(([name, port]) => {
      const asks = TLS.get(name as Connector);
      const secure = asks !== undefined;
      const protocol = secure || name === "single" ? "openwire" : name;
      return `<acceptor name="${name}">tcp://127.0.0.1:${port}?protocols=${protocol.toUpperCase()};` +
        `securityDomain=openwire;${ACCEPTOR[protocol] ?? ""}${
          secure ? artemisTls(asks, stores) : ""
        }` +
        `connectionsAllowed=${name === "single" ? 1 : 1000}</acceptor>`;
    }).join("\n      "),
  });
  const login = join(etc, "login.config");
  const modules = "org.apache.activemq.artemis.spi.core.security.jaas";
  const option = "org.apache.activemq.jaas";
  writeFileSync(
    login,
    `openwire {
  ${modules}.PropertiesLoginModule sufficient
    baseDir="${etc}"
    ${option}.properties.user="users.properties"
    ${option}.properties.role="roles.properties";
  ${modules}.GuestLoginModule sufficient
    credentialsInvalidate=true
    ${option}.guest.user="anonymous"
    ${option}.guest.role="guests";
};
`,
  );
  writeFileSync(join(etc, "users.properties"), `system=manager\nguest=password\napp=${SECRET}\n`);
  writeFileSync(join(etc, "roles.properties"), "users=system,app\nguests=guest\n");
  return [
    `-Djava.security.auth.login.config=${login}`,
    "-cp",
    brokerClasspath,
    "org.apache.activemq.artemis.core.server.embedded.Main",
    home,
  ];
}

function artemisTls(asks: boolean, { keyStore, trustStore }: Stores): string {
  return [
    "sslEnabled=true",
    `keyStorePath=${keyStore}`,
    `keyStorePassword=${STORE_PASSWORD}`,
    "keyStoreType=PKCS12",
    `trustStorePath=${trustStore}`,
    `trustStorePassword=${STORE_PASSWORD}`,
    "trustStoreType=PKCS12",
    `needClientAuth=${asks}`,
    "",
  ].join(";");
}

/** Fills in what stands between two @. */
function fillIn(template: string, path: string, values: Record<string, string>): void {
  const text = readFileSync(join(HERE, template), "utf8");
  writeFileSync(path, text.replaceAll(/@(\w+)@/g, (_, name: string) => values[name]!));
}
