/**
 * CEL text → `Syntax`, by @marcbachmann/cel-js's parser: the only file that knows that library.
 *
 * `checkExpr` calls it. Its interpreter is never used on data. **Bounds**: source, nodes and nesting, so that neither the
 * parser nor the passes after it can be made to use much time, memory or stack.
 */
import { Environment, ParseError, type ASTNode } from "@marcbachmann/cel-js"
import { Result } from "effect"
import { type ExprProblem, problemAt } from "./Problem.ts"
import type { ArithmeticOperator, CompareOperator, Syntax } from "./Syntax.ts"

/** An expression's text, in UTF-16 units. */
const sourceCharactersMax = 10_000
/** Literals, names, operators and calls in one expression. */
const nodesMax = 2_000
/** How deep operators, calls and parentheses nest; chains of `&&` or `||` count as one. */
const depthMax = 100

/** Why `a.b` is refused where `a` is no record. */
export const fieldsOfFields = "fields of fields are not supported: name a field of the record alone"

const environment = new Environment({
  limits: {
    maxAstNodes: nodesMax,
    maxDepth: depthMax,
    maxListElements: nodesMax,
    maxCallArguments: 8,
    maxMapEntries: 8
  }
})

/** Reads CEL text. Fails with the first thing that is not CEL, or that no record can be asked with. */
export const parseExpr = (source: string): Result.Result<Syntax, ExprProblem> => {
  if (source.length > sourceCharactersMax) {
    const message = `an expression has at most ${sourceCharactersMax} characters, this one ${source.length}: split it`
    return Result.fail(problemAt(source, 0, 1, message))
  }
  if (!source.isWellFormed()) {
    return Result.fail(problemAt(source, 0, 1, "the text holds half of a surrogate pair: it is no valid Unicode"))
  }
  try {
    return Result.succeed(convert(environment.parse(source).ast, 0, source))
  } catch (error) {
    if (error instanceof Refusal) return Result.fail(problemAt(source, error.start, error.end, error.message))
    if (error instanceof ParseError) return Result.fail(syntaxProblem(source, error))
    throw error
  }
}

/** Leaves the recursion; never leaves this file. */
class Refusal extends Error {
  readonly start: number
  readonly end: number
  constructor(node: { readonly start: number; readonly end: number }, message: string) {
    super(message)
    this.start = node.start
    this.end = node.end
  }
}

const tokenNames: Readonly<Record<string, string>> = {
  EOF: "the end",
  NUMBER: "a number",
  STRING: "a text",
  BOOLEAN: "true or false",
  NULL: "null",
  IDENTIFIER: "a name",
  RPAREN: ")",
  RBRACKET: "]",
  RBRACE: "}",
  LPAREN: "(",
  COLON: ":",
  COMMA: ","
}

/** Turns the library's words into ours, with what people mistype most. */
const syntaxProblem = (source: string, error: ParseError): ExprProblem => {
  const start = error.range?.start ?? 0
  const end = error.range?.end ?? start
  const word = /^[A-Za-z]+/.exec(source.slice(start))?.[0].toLowerCase()
  const at = (message: string) => problemAt(source, start, end, message)
  if (error.code === "limit_exceeded") {
    return at(`the expression is too large: at most ${nodesMax} parts, ${depthMax} levels deep; split it`)
  }
  if (error.code === "unexpected_character" || error.code === "unexpected_token" || error.code === "expected_token") {
    if (source[start] === "=") return at("a single = is no comparison: write ==")
    if (source.startsWith("<>", start - 1)) return at("write != for not equal")
    if (source[start] === "&") return at("write && for and")
    if (source[start] === "|") return at("write || for or")
    if (word === "and") return at("write && for and")
    if (word === "or") return at("write || for or")
    if (word === "is") return at("write == null, != null or has(name)")
    if (word !== undefined || source[start] === '"' || source[start] === "'") return at("an operator is missing here")
  }
  if (error.code === "reserved_identifier")
    return at(`${word ?? "this"} is a reserved word of CEL: no field can be asked by it`)
  const summary = error.summary.replace(/\b[A-Z]{3,}\b/g, (token) => tokenNames[token] ?? token.toLowerCase())
  return at(summary.charAt(0).toLowerCase() + summary.slice(1))
}

const convert = (node: ASTNode, depth: number, source: string): Syntax => {
  if (depth > depthMax) throw new Refusal(node, `more than ${depthMax} levels deep: split the expression`)
  const at = { start: node.start, end: node.end }
  const next = (child: ASTNode) => convert(child, depth + 1, source)
  switch (node.op) {
    case "value":
      return literal(node, source)
    case "id":
      return { _tag: "Name", name: node.args, ...at }
    case "!_":
      return { _tag: "Not", operand: next(node.args), ...at }
    case "-_": {
      const operand = next(node.args)
      if (operand._tag !== "Number" || operand.text.startsWith("-")) return { _tag: "Negate", operand, ...at }
      return { _tag: "Number", text: `-${operand.text}`, ...at }
    }
    case "&&":
    case "||":
      return { _tag: node.op === "&&" ? "And" : "Or", terms: chain(node, node.op).map(next), ...at }
    case "?:":
      return {
        _tag: "If",
        condition: next(node.args[0]),
        then: next(node.args[1]),
        otherwise: next(node.args[2]),
        ...at
      }
    case "in": {
      const list = node.args[1]
      if (list.op !== "list") throw new Refusal(list, 'after "in" comes a list of literals: country in ["DE", "FR"]')
      return { _tag: "In", value: next(node.args[0]), items: list.args.map(next), ...at }
    }
    case "call":
      return { _tag: "Call", name: node.args[0], receiver: undefined, args: calls(node, node.args[1], next), ...at }
    case "rcall":
      return {
        _tag: "Call",
        name: node.args[0],
        receiver: next(node.args[1]),
        args: calls(node, node.args[2], next),
        ...at
      }
    case "list":
      throw new Refusal(node, 'a list can stand only after "in"')
    case "map":
      throw new Refusal(node, "maps are not supported: records have plain fields")
    case ".": {
      const [of, field] = node.args
      // which records it is asked of says whether there is such a name
      if (of.op === "id") return { _tag: "Name", name: `${of.args}.${field}`, ...at }
      throw new Refusal(node, fieldsOfFields)
    }
    case ".?":
    case "[]":
    case "[?]":
      throw new Refusal(node, fieldsOfFields)
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return compare(node.op, next(node.args[0]), next(node.args[1]), at)
    default:
      return { _tag: "Arithmetic", op: arithmetic(node.op), left: next(node.args[0]), right: next(node.args[1]), ...at }
  }
}

const compare = (op: CompareOperator, left: Syntax, right: Syntax, at: { start: number; end: number }): Syntax => {
  // CEL reads a < b < c as (a < b) < c, which nobody means
  const nested = left._tag === "Compare" && op !== "==" && op !== "!=" ? left : undefined
  if (nested !== undefined) throw new Refusal(at, "comparisons do not chain: write a < b && b < c")
  return { _tag: "Compare", op, left, right, ...at }
}

const arithmetic = (op: ArithmeticOperator): ArithmeticOperator => op

/** The terms of `a && b && c`, however the parser nested them: walked without recursion. */
const chain = (node: ASTNode, op: "&&" | "||"): ReadonlyArray<ASTNode> => {
  const terms: Array<ASTNode> = []
  const open: Array<ASTNode> = [node]
  for (let current = open.pop(); current !== undefined; current = open.pop()) {
    if (current.op === op) open.push(current.args[1], current.args[0])
    else terms.push(current)
  }
  return terms
}

const macros = new Set(["all", "exists", "exists_one", "filter", "map"])

const calls = (
  node: ASTNode & { op: "call" | "rcall" },
  args: ReadonlyArray<ASTNode>,
  next: (arg: ASTNode) => Syntax
) => {
  if (node.op === "rcall" && macros.has(node.args[0])) {
    throw new Refusal(node, `${node.args[0]}() works on lists, and records hold none`)
  }
  return args.map(next)
}

const literal = (node: Extract<ASTNode, { op: "value" }>, source: string): Syntax => {
  const at = { start: node.start, end: node.end }
  const value = node.args
  if (value === null) return { _tag: "Null", ...at }
  if (typeof value === "string") return { _tag: "Text", value, ...at }
  if (typeof value === "boolean") return { _tag: "Bool", value, ...at }
  // hexadecimal digits say nothing about decimals
  if (typeof value === "bigint") return { _tag: "Number", text: value.toString(), ...at }
  if (typeof value === "number") return { _tag: "Number", text: source.slice(node.start, node.end), ...at }
  if (value instanceof Uint8Array) throw new Refusal(node, "bytes are not supported: write a text in quotes")
  throw new Refusal(node, "unsigned literals are not supported: leave the u out")
}
