/** The names of the options of transports. */

import { OptionNames } from "../option_names.ts";
import type { TlsOptions } from "./tls_options.ts";
import type { DialOptions, ListenOptions } from "./transport.ts";

export const DIAL_OPTIONS: OptionNames<DialOptions> = new OptionNames<DialOptions>({
  tls: true,
  signal: true,
  connectTimeout: true,
  noDelay: true,
  keepAlive: true,
});

export const LISTEN_OPTIONS: OptionNames<ListenOptions> = new OptionNames<ListenOptions>({
  hostname: true,
  port: true,
  noDelay: true,
});

export const TLS_OPTIONS: OptionNames<TlsOptions> = new OptionNames<TlsOptions>({
  caCerts: true,
  cert: true,
  key: true,
  verifyHostName: true,
  insecureSkipVerify: true,
});
