/** The public members that give something to wait for, as the TypeScript compiler sees them. Deno only. */
import ts from "typescript";

const ROOT = new URL("../../", import.meta.url).pathname;
const ENTRIES = ["mod.ts", "codec/mod.ts", "transport/mod.ts", "testing/mod.ts"];

/** Members that our classes and interfaces inherit from those of the platform. */
const PROMISED = /^__@async(Iterator|Dispose)@|^(readable|writable)$/;

/** A public function, method or property that gives something to wait for. */
export interface AsyncMember {
  /** Such as `Connection.createSession`, or `connect`. */
  readonly name: string;
  /** Whether its caller can say how long to wait, and end the wait. */
  readonly takes: string;
}

/** Finds all of them, by name. */
export function asyncSurface(): Map<string, AsyncMember> {
  const configPath = `${ROOT}tsconfig.json`;
  const { config } = ts.readConfigFile(configPath, (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const program = ts.createProgram(ENTRIES.map((path) => ROOT + path), options);
  const checker = program.getTypeChecker();
  const found = new Map<string, AsyncMember>();
  const seen = new Set<ts.Symbol>();

  for (const entry of ENTRIES) {
    const file = checker.getSymbolAtLocation(program.getSourceFile(ROOT + entry)!)!;
    for (const exported of checker.getExportsOfModule(file)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias
        ? checker.getAliasedSymbol(exported)
        : exported;
      if (seen.has(symbol)) continue;
      seen.add(symbol);
      visit(symbol);
    }
  }
  return found;

  function visit(symbol: ts.Symbol): void {
    const { name, flags } = symbol;
    if (flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable)) {
      add(name, checker.getTypeOfSymbol(symbol), true);
    }
    if (flags & ts.SymbolFlags.Class) {
      const statics = checker.getTypeOfSymbol(symbol);
      for (const member of checker.getPropertiesOfType(statics)) {
        if (member.name !== "prototype") visitMember(name, member);
      }
    }
    if (flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) {
      const type = checker.getDeclaredTypeOfSymbol(symbol);
      for (const member of checker.getPropertiesOfType(type)) visitMember(name, member);
    }
  }

  function visitMember(prefix: string, member: ts.Symbol): void {
    const [node] = member.declarations ?? [];
    if (!node || !isOurs(member, node)) return;
    if (member.getJsDocTags(checker).some(({ name }) => name === "ignore")) return;
    const { name } = node as ts.NamedDeclaration;
    if (name && ts.isPrivateIdentifier(name)) return;
    const symbol = /^__@(\w+)@/.exec(member.name)?.[1];
    const path = symbol ? `${prefix}[Symbol.${symbol}]` : `${prefix}.${member.name}`;
    add(path, checker.getNonNullableType(checker.getTypeOfSymbol(member)), false);
  }

  /** Whether we have made it, or our class or interface promises it by what it extends. */
  function isOurs(member: ts.Symbol, node: ts.Declaration): boolean {
    const { fileName } = node.getSourceFile();
    if (fileName.startsWith(ROOT) && !fileName.includes("/node_modules/")) return true;
    return PROMISED.test(member.name);
  }

  function add(name: string, type: ts.Type, callOnly: boolean): void {
    const signatures = type.getCallSignatures();
    const waits = signatures.length > 0
      ? signatures.some((signature) => isAsync(signature.getReturnType()))
      : !callOnly && isAsync(type);
    if (!waits) return;
    const takes = new Set<string>();
    for (const signature of signatures) {
      for (const parameter of signature.getParameters()) {
        const type = checker.getNonNullableType(checker.getTypeOfSymbol(parameter));
        for (const option of ["timeout", "signal"]) {
          if (checker.getPropertyOfType(type, option)) takes.add(option);
        }
      }
    }
    found.set(name, { name, takes: [...takes].sort().reverse().join(", ") });
  }

  /** Whether it is waited for: a promise, an iteration, a stream. */
  function isAsync(type: ts.Type): boolean {
    const parts = type.isUnion() ? type.types : [type];
    return parts.some((part) => {
      if (!(part.flags & ts.TypeFlags.Object)) return false;
      const next = part.getProperty("next");
      return ["then", "getReader", "getWriter"].some((name) => part.getProperty(name)) ||
        (next !== undefined &&
          checker.getTypeOfSymbol(next).getCallSignatures()
            .some((signature) => isAsync(signature.getReturnType())));
    });
  }
}
