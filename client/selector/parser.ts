/**
 * Makes a tree of a selector's tokens.
 *
 * @module
 */

import { SelectorError } from "./error.ts";
import {
  type ArithmeticOperator,
  type Expression,
  isBoolean,
  type OrderOperator,
} from "./expression.ts";
import { describe, type Token, tokensOf } from "./lexer.ts";
import { LikePattern } from "./like.ts";
import { boolean, string, type Value } from "./value.ts";

/** Deepest tree, so that a hostile selector cannot exhaust the stack. */
const MAX_DEPTH = 250;

/** Characters of a pattern: LIKE takes as many steps for each character of the text, at worst. */
const LONGEST_PATTERN = 1000;

const ORDER: readonly string[] = ["<", "<=", ">", ">="];
const INT_LIMIT = 2n ** 31n;
const LONG_LIMIT = 2n ** 63n;

/** What brokers take in front of a selector: ActiveMQ the first, Artemis both. */
const PREFIXES: readonly string[] = ["convert_string_expressions:", "hyphenated_props:"];

/** Parses a selector. */
export function parse(selector: string): Expression {
  const prefix = PREFIXES.find((prefix) => selector.startsWith(prefix));
  if (prefix !== undefined) throw unsupported(`${prefix} is not supported`, 0);
  return new Parser(tokensOf(selector)).parse();
}

/**
 * The grammar is that of ActiveMQ. Unlike SQL, NOT binds as a sign does: `NOT a = b` is `(NOT a) = b`.
 */
class Parser {
  readonly #tokens: Iterator<Token, void>;
  readonly #depths: Map<Expression, number> = new Map();
  #next: Token;
  #nesting = 0;

  constructor(tokens: Iterator<Token, void>) {
    this.#tokens = tokens;
    this.#next = tokens.next().value!;
  }

  parse(): Expression {
    const start = this.#next;
    const expression = this.#or();
    if (this.#next.kind !== "end") this.#fail("an operator or the end");
    return this.#condition(expression, start);
  }

  #or(): Expression {
    return this.#list("or", () => this.#and());
  }

  #and(): Expression {
    return this.#list("and", () => this.#equality());
  }

  /** Conditions side by side, which make the tree no deeper. */
  #list(kind: "and" | "or", part: () => Expression): Expression {
    let start = this.#next;
    const first = part();
    if (this.#next.kind !== kind.toUpperCase()) return first;
    const operands = [this.#condition(first, start)];
    while (this.#take(kind.toUpperCase())) {
      start = this.#next;
      operands.push(this.#condition(part(), start));
    }
    return this.#node({ kind, operands }, operands);
  }

  #equality(): Expression {
    const start = this.#next;
    let left = this.#comparison();
    for (;;) {
      const operator = this.#next;
      if (this.#take("=")) {
        left = this.#equal(left, start, operator);
      } else if (this.#take("<>")) {
        left = this.#not(this.#equal(left, start, operator));
      } else if (this.#take("IS")) {
        const negated = this.#take("NOT");
        if (!this.#take("NULL")) this.#fail(negated ? "NULL" : "NULL or NOT NULL");
        const missing = this.#node({ kind: "equal", left, right: NULL }, [left]);
        left = negated ? this.#not(missing) : missing;
      } else {
        return left;
      }
    }
  }

  #equal(left: Expression, leftStart: Token, operator: Token): Expression {
    const rightStart = this.#next;
    const right = this.#comparison();
    for (const [operand, token] of [[left, leftStart], [right, rightStart]] as const) {
      if (operand.kind !== "constant" || operand.value !== null) continue;
      throw new SelectorError("NULL can only be compared with IS NULL", token.position);
    }
    if (
      left.kind === "constant" && right.kind === "constant" && isBoolean(left) && !isBoolean(right)
    ) {
      throw new SelectorError(
        "a boolean cannot be compared with another literal",
        operator.position,
      );
    }
    return this.#node({ kind: "equal", left, right }, [left, right]);
  }

  #comparison(): Expression {
    const start = this.#next;
    let left = this.#sum();
    for (;;) {
      const operator = this.#next;
      if (ORDER.includes(operator.kind)) {
        this.#advance();
        const rightStart = this.#next;
        left = this.#ordered(operator.kind as OrderOperator, left, start, this.#sum(), rightStart);
        continue;
      }
      const negated = this.#take("NOT");
      if (this.#take("LIKE")) {
        left = this.#like(left);
        if (negated) left = this.#not(left);
      } else if (this.#take("BETWEEN")) {
        left = this.#between(left, start, negated);
      } else if (this.#take("IN")) {
        left = this.#in(left, start, negated);
      } else if (negated) {
        this.#fail("LIKE, BETWEEN or IN");
      } else {
        return left;
      }
    }
  }

  #ordered(
    operator: OrderOperator,
    left: Expression,
    leftStart: Token,
    right: Expression,
    rightStart: Token,
  ): Expression {
    this.#orderable(left, leftStart);
    this.#orderable(right, rightStart);
    return this.#node({ kind: "order", operator, left, right }, [left, right]);
  }

  #orderable(operand: Expression, { position }: Token): void {
    if (isBoolean(operand)) {
      throw new SelectorError("a number is expected, got a condition", position);
    }
    if (operand.kind === "constant" && operand.value!.type === "string") {
      throw new SelectorError("a number is expected, got a string", position);
    }
  }

  #like(operand: Expression): Expression {
    const { position } = this.#next;
    const pattern = this.#string();
    if (pattern.length > LONGEST_PATTERN) {
      throw unsupported(
        `a pattern of ${LONGEST_PATTERN} characters at most is expected, got ${pattern.length}`,
        position,
      );
    }
    let escape: string | undefined;
    if (this.#take("ESCAPE")) {
      const { position } = this.#next;
      escape = this.#string();
      if (escape.length !== 1) {
        throw new SelectorError(
          `one escape character is expected, got ${escape.length}`,
          position,
        );
      }
    }
    return this.#node(
      { kind: "like", operand, pattern: new LikePattern(pattern, escape) },
      [operand],
    );
  }

  #between(operand: Expression, start: Token, negated: boolean): Expression {
    const lowStart = this.#next;
    const low = this.#sum();
    if (!this.#take("AND")) this.#fail("AND");
    const highStart = this.#next;
    const high = this.#sum();
    const operands = [
      this.#ordered(negated ? "<" : ">=", operand, start, low, lowStart),
      this.#ordered(negated ? ">" : "<=", operand, start, high, highStart),
    ];
    return this.#node({ kind: negated ? "or" : "and", operands }, operands);
  }

  #in(operand: Expression, start: Token, negated: boolean): Expression {
    if (operand.kind !== "property") {
      throw new SelectorError("a property is expected on the left of IN", start.position);
    }
    if (!this.#take("(")) this.#fail('"("');
    const values = new Set([this.#string()]);
    while (this.#take(",")) values.add(this.#string());
    if (!this.#take(")")) this.#fail('"," or ")"');
    return this.#node({ kind: "in", operand, values, negated }, [operand]);
  }

  #sum(): Expression {
    return this.#chain(["+", "-"], () => this.#product());
  }

  #product(): Expression {
    return this.#chain(["*", "/", "%"], () => this.#unary());
  }

  #chain(operators: readonly ArithmeticOperator[], part: () => Expression): Expression {
    let left = part();
    for (;;) {
      const operator = operators.find((operator) => this.#take(operator));
      if (operator === undefined) return left;
      const right = part();
      left = this.#node({ kind: "arithmetic", operator, left, right }, [left, right]);
    }
  }

  #unary(): Expression {
    if (this.#take("+")) return this.#nested(() => this.#unary());
    if (this.#take("-")) {
      const operand = this.#nested(() => this.#unary());
      return this.#node({ kind: "negate", operand }, [operand]);
    }
    if (this.#take("NOT")) {
      const start = this.#next;
      return this.#not(this.#condition(this.#nested(() => this.#unary()), start));
    }
    return this.#primary();
  }

  #primary(): Expression {
    const token = this.#next;
    const { kind, text, position } = token;
    if (kind === "XPATH" || kind === "XQUERY") {
      throw unsupported(`${kind} is not supported`, position);
    }
    if (this.#take("identifier")) {
      if (this.#next.kind === "(") {
        throw unsupported(`functions such as ${describe(token)} are not supported`, position);
      }
      return { kind: "property", name: text };
    }
    if (this.#take("(")) {
      const inner = this.#nested(() => this.#or());
      if (!this.#take(")")) this.#fail('an operator or ")"');
      return inner;
    }
    const value = literal(this.#next);
    if (value === undefined) this.#fail("a property, a literal, NOT, a sign or (");
    this.#advance();
    return { kind: "constant", value };
  }

  #string(): string {
    const { text } = this.#next;
    if (!this.#take("string")) this.#fail("a string");
    return text;
  }

  /** What stands where a condition has to. */
  #condition(expression: Expression, { position }: Token): Expression {
    if (isBoolean(expression)) return expression;
    if (expression.kind !== "property") {
      throw new SelectorError("a condition is expected, got a value", position);
    }
    return this.#node({ kind: "truth", operand: expression }, [expression]);
  }

  #not(operand: Expression): Expression {
    return this.#node({ kind: "not", operand }, [operand]);
  }

  #nested(part: () => Expression): Expression {
    if (++this.#nesting > MAX_DEPTH) this.#tooDeep();
    const inner = part();
    this.#nesting--;
    return inner;
  }

  #node(node: Expression, operands: readonly Expression[]): Expression {
    let depth = 1;
    for (const operand of operands) depth = Math.max(depth, 1 + (this.#depths.get(operand) ?? 1));
    if (depth > MAX_DEPTH) this.#tooDeep();
    this.#depths.set(node, depth);
    return node;
  }

  #tooDeep(): never {
    throw unsupported(
      `expressions are nested deeper than ${MAX_DEPTH}`,
      this.#next.position,
    );
  }

  #take(kind: string): boolean {
    if (this.#next.kind !== kind) return false;
    this.#advance();
    return true;
  }

  /** Never goes beyond the end, which nothing takes. */
  #advance(): void {
    this.#next = this.#tokens.next().value!;
  }

  #fail(expected: string): never {
    throw new SelectorError(
      `${expected} is expected, got ${describe(this.#next)}`,
      this.#next.position,
    );
  }
}

/** The error for what a broker may evaluate. */
function unsupported(problem: string, position: number): SelectorError {
  return new SelectorError(problem, position, "UNSUPPORTED");
}

const NULL: Expression = { kind: "constant", value: null };

/** The value of a literal; `undefined` if the token is none. */
function literal(token: Token): Value | null | undefined {
  const { kind, text, position } = token;
  switch (kind) {
    case "string":
      return string(text);
    case "TRUE":
    case "FALSE":
      return boolean(kind === "TRUE");
    case "NULL":
      return null;
    case "float":
      return { type: "double", value: Number(text) };
    case "decimal":
      return integer(BigInt(text.replace(/l$/i, "")));
    case "hex":
    case "octal": {
      const value = BigInt(kind === "hex" ? text : `0o${text}`);
      if (value >= LONG_LIMIT) {
        throw new SelectorError(`${describe(token)} is above the largest long`, position);
      }
      return integer(value);
    }
  }
}

/** An `int` if it fits, as in Java, whether or not an L is behind it. */
function integer(value: bigint): Value {
  // ActiveMQ looks at the lower 64 bits only.
  const low = BigInt.asIntN(64, value);
  if (low >= -INT_LIMIT && low < INT_LIMIT) return { type: "int", value: Number(low) };
  return { type: value < LONG_LIMIT ? "long" : "decimal", value };
}
