/** The names of the options of the broker. */

import { OptionNames } from "../option_names.ts";
import type { MemoryBrokerListenOptions } from "./memory_broker_options.ts";

export const MEMORY_BROKER_OPTIONS: OptionNames<MemoryBrokerListenOptions> = new OptionNames<
  MemoryBrokerListenOptions
>({
  port: true,
  hostname: true,
  users: true,
  allowAnonymous: true,
  wireFormat: true,
  brokerName: true,
  schedulerSupport: true,
  topicPolicies: true,
  advisorySupport: true,
  statisticsPlugin: true,
  anonymousProducerAdvisorySupport: true,
  advisoryPolicies: true,
});
