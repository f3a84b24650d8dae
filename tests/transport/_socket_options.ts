/** The options that the operating system knows of a socket: no runtime tells them. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";

/** Options of a TCP socket. */
export interface TcpOptions {
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
}

/** Why the options can't be read; `false` if they can. The numbers in the program are those of Linux. */
export const unreadable: string | false = existsSync("/proc/self/net/tcp") &&
    spawnSync("perl", ["-e", "1"]).status === 0
  ? false
  : "no Linux with perl";

/** getsockopt() of SO_KEEPALIVE and TCP_NODELAY, of the socket that the program inherits. */
const PROGRAM = `open(S, "+<&=3") or die $!;
print join ",", map { unpack "i", getsockopt(S, $_->[0], $_->[1]) } [6, 1], [1, 9];`;

/** The options of the socket of this process with these ports; of one with TLS, too. */
export function tcpOptions(ports: { local?: number; remote?: number }): TcpOptions {
  const socket = descriptors().get(inode(ports));
  if (socket === undefined) throw new Error(`This process has no socket ${JSON.stringify(ports)}`);
  const { stdout, stderr } = spawnSync("perl", ["-e", PROGRAM], {
    stdio: ["ignore", "pipe", "pipe", socket],
    encoding: "utf8",
  });
  const values = /^([01]),([01])$/.exec(stdout);
  if (!values) throw new Error(`perl could not read the options: ${stderr}`);
  return { noDelay: values[1] === "1", keepAlive: values[2] === "1" };
}

/** The port of a `host:port`. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

/** Finds an open connection over IPv4 of this process. */
function inode({ local, remote }: { local?: number; remote?: number }): string | undefined {
  const own = descriptors();
  const established = "01";
  return readFileSync("/proc/self/net/tcp", "utf8").split("\n").slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === established)
    .filter(([, from]) => local === undefined || parseInt(from!.split(":")[1]!, 16) === local)
    .filter(([, , to]) => remote === undefined || parseInt(to!.split(":")[1]!, 16) === remote)
    .map((fields) => fields[9]!)
    .find((inode) => own.has(inode));
}

/** The sockets of this process: their descriptors by their inodes. */
function descriptors(): Map<string | undefined, number> {
  const found = new Map<string | undefined, number>();
  for (const descriptor of readdirSync("/proc/self/fd")) {
    try {
      const link = readlinkSync(`/proc/${process.pid}/fd/${descriptor}`);
      const socket = /^socket:\[(\d+)\]$/.exec(link);
      if (socket) found.set(socket[1], Number(descriptor));
    } catch {
      // It was closed meanwhile, such as that of the folder itself.
    }
  }
  return found;
}
