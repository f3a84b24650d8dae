/** Options that stand in the URLs of others: of brokers' configurations, of Artemis' own client, of NMS and CMS. */

/** Options of a transportConnector in activemq.xml. */
const CONNECTOR = new Set([
  "maximumConnections",
  "maximumConsumersAllowedPerConnection",
  "maximumProducersAllowedPerConnection",
  "allowLinkStealing",
  "backlog",
  "needClientAuth",
  "wantClientAuth",
  "rebalanceClusterClients",
  "updateClusterClients",
  "updateClusterClientsOnRemove",
  "enableStatusMonitor",
]);

/** Options of an acceptor in broker.xml. */
const ACCEPTOR = new Set([
  "protocols",
  "tcpSendBufferSize",
  "tcpReceiveBufferSize",
  "useEpoll",
  "useKQueue",
  "useNio",
  "amqpCredits",
  "amqpLowCredits",
  "amqpMinLargeMessageSize",
  "amqpDuplicateDetection",
  "supportAdvisory",
  "suppressInternalManagementObjects",
  "anycastPrefix",
  "multicastPrefix",
  "virtualTopicConsumerWildcards",
  "connectionsAllowed",
  "openwireMaxPacketSize",
]);

const several = "several brokers are written failover:(tcp://a:61616,tcp://b:61616)";
const tls = "TLS is another scheme, ssl://host:61617";
const authorities = `${tls}, and private authorities are the option \`tls.caCerts\` of connect()`;
const certificate =
  `${tls}, and a client's certificate the options \`tls.cert\` and \`tls.key\` of connect()`;

/** Options of Artemis' own client, and what to write instead; nothing where there is no equivalent. */
const ARTEMIS: ReadonlyMap<string, string> = new Map([
  ["ha", several],
  ["failoverOnInitialConnection", several],
  ["reconnectAttempts", `${several}?maxReconnectAttempts=…`],
  ["initialConnectAttempts", `${several}?startupMaxReconnectAttempts=…`],
  ["retryInterval", `${several}?initialReconnectDelay=…`],
  ["retryIntervalMultiplier", `${several}?reconnectDelayExponent=…`],
  ["maxRetryInterval", `${several}?maxReconnectDelay=…`],
  ["sslEnabled", tls],
  ["trustStorePath", authorities],
  ["trustStorePassword", authorities],
  ["keyStorePath", certificate],
  ["keyStorePassword", certificate],
  ["verifyHost", `${tls}, and write socket.verifyHostName=…`],
  ["user", "write jms.userName=…"],
  ["clientID", "write jms.clientID=…"],
  ["consumerWindowSize", "write jms.prefetchPolicy.all=…, which counts messages"],
  ["producerWindowSize", "write jms.producerWindowSize=…"],
  ["callTimeout", "write jms.requestTimeout=…"],
  ["connectionTTL", "write wireFormat.maxInactivityDuration=…"],
  ["compressLargeMessages", "write jms.useCompression=…"],
  ["blockOnDurableSend", "write jms.useAsyncSend=…, which is the opposite"],
  ["blockOnNonDurableSend", "write jms.alwaysSyncSend=…"],
  ["confirmationWindowSize", ""],
  ["clientFailureCheckPeriod", ""],
  ["useTopologyForLoadBalancing", ""],
  ["type", ""],
]);

/** What to say of an option of somebody else; undefined for names that are none of these. */
export function foreignOption(name: string): string | undefined {
  if (CONNECTOR.has(name) || name.startsWith("auto.")) {
    return `the option ${name} is one of a transportConnector of the broker: leave it out`;
  }
  if (ACCEPTOR.has(name)) {
    return `the option ${name} is one of an acceptor of Artemis: leave it out`;
  }
  const instead = ARTEMIS.get(name);
  if (instead !== undefined) {
    return `the option ${name} is one of Artemis' own client: ${instead || "leave it out"}`;
  }
  if (name === "wireFormat") return "the option wireFormat is one of CMS: leave it out";
  if (/^(?:nms|connection)\./.test(name)) {
    return `the option ${name} is one of NMS or CMS: here such have the prefix jms.`;
  }
  return undefined;
}
