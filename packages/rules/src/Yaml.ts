/**
 * YAML text → plain values, with the place of each: the only file that knows the `yaml` library.
 *
 * `Document.ts` calls it with what anybody may have written, so everything is bounded before the library composes it:
 * characters, nesting, nodes. Anchors, aliases, tags and several documents are refused: nothing grows when it is read.
 */
import { Result } from "effect"
import { Composer, type Document, isAlias, isMap, isScalar, isSeq, type Node, LineCounter, Lexer, Parser } from "yaml"
import type { RuleProblem } from "./Problem.ts"

const documentCharactersMax = 65_536
const depthMax = 40
const nodesMax = 20_000
/** More digits than a double holds exactly. */
const numberDigitsMax = 15

export type Path = ReadonlyArray<PropertyKey>

export interface Place {
  readonly line: number
  readonly column: number
}

export interface YamlText {
  /** Objects, arrays, texts, finite numbers, booleans, null. */
  readonly value: unknown
  /** Where the value at a path begins, or where the nearest one around it does. */
  readonly placeOf: (path: Path) => Place
  /** Where the name of a member stands. */
  readonly placeOfName: (path: Path) => Place
  /** Where a character of the text at a path stands; its beginning when escapes or folding hide it. */
  readonly placeInText: (path: Path, offset: number) => Place
}

/** Leaves the walk; never leaves this file. */
class Refusal extends Error {
  readonly offset: number
  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}

interface Walked {
  nodes: number
}

/** Reads one document. Fails with everything that the library or the bounds refuse. */
export const readYaml = (file: string, text: string): Result.Result<YamlText, ReadonlyArray<RuleProblem>> => {
  const fail = (line: number, column: number, message: string) => Result.fail([{ file, line, column, message }])
  if (text.length > documentCharactersMax) {
    return fail(1, 1, `a rule document has at most ${documentCharactersMax} characters, this one has ${text.length}`)
  }
  const counter = new LineCounter()
  const placeAt = (offset: number): Place => {
    const { col, line } = counter.linePos(Math.min(offset, text.length))
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const composed = compose(text, counter)
  if (composed === "too deep") return fail(1, 1, `nested more than ${depthMax} levels deep: a rule needs fewer`)
  const [document, ...others] = composed
  if (document === undefined || document.contents === null) return fail(1, 1, "the document is empty: write a rule")
  if (others.length > 0) return fail(1, 1, "one rule a file: there is more than one YAML document")
  const found = [...document.errors, ...document.warnings].map((error) => ({
    file,
    ...placeAt(error.pos[0]),
    message: firstLine(error.message)
  }))
  if (found.length > 0) return Result.fail(found)
  try {
    const value = valueOf(document.contents as Node, 0, { nodes: 0 }) // composed without options that make other things
    return Result.succeed(located(text, document, value, placeAt))
  } catch (error) {
    if (error instanceof Refusal) return Result.fail([{ file, ...placeAt(error.offset), message: error.message }])
    throw error
  }
}

const firstLine = (message: string) => {
  const [line = ""] = message.split("\n")
  return `no YAML: ${line.replace(/ at line \d+, column \d+:?$/, "").slice(0, 200)}`
}

/** Tokens before documents: nesting is known before anything recurses. */
const compose = (text: string, counter: LineCounter): ReadonlyArray<Document> | "too deep" => {
  counter.addNewLine(0)
  const parser = new Parser(counter.addNewLine)
  const tokens = []
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (parser.stack.length > depthMax) return "too deep"
  }
  for (const token of parser.end()) tokens.push(token)
  const composer = new Composer({ uniqueKeys: true, merge: false, version: "1.2", stringKeys: true })
  // documents that are no errors: what is wrong stands in `errors`
  return [...composer.compose(tokens)] as ReadonlyArray<Document>
}

const offsetOf = (node: Node): number => node.range?.[0] ?? 0

const valueOf = (node: Node | null, depth: number, walked: Walked): unknown => {
  if (node === null) return null
  const at = offsetOf(node)
  if (++walked.nodes > nodesMax) throw new Refusal(at, `more than ${nodesMax} values: a rule needs fewer`)
  if (depth > depthMax) throw new Refusal(at, `nested more than ${depthMax} levels deep: a rule needs fewer`)
  if (isAlias(node)) throw new Refusal(at, "aliases (*name) are not read: write the value again")
  if (node.anchor !== undefined) throw new Refusal(at, "anchors (&name) are not read: leave it out")
  if (node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:")) {
    throw new Refusal(at, "tags (!name) are not read: leave it out")
  }
  if (isScalar(node)) return scalarOf(node.value, node.source, at)
  if (isSeq(node)) return node.items.map((item) => valueOf(item as Node | null, depth + 1, walked)) // composed, not made by hand
  if (isMap(node)) {
    // own properties whatever they are named
    return Object.fromEntries(
      node.items.map(({ key, value }) => {
        if (!isScalar(key)) throw new Refusal(at, "a name must be a plain text")
        return [String(key.value), valueOf(value as Node | null, depth + 1, walked)] // as above
      })
    )
  }
  throw new Refusal(at, "only maps, lists, texts, numbers, true, false and null are read")
}

const scalarOf = (value: unknown, source: string | undefined, at: number): unknown => {
  if (typeof value === "number") {
    const digits = (source ?? "")
      .replace(/[eE].*$/, "")
      .replace(/[^0-9]/g, "")
      .replace(/^0+/, "")
    if (!Number.isFinite(value) || digits.length > numberDigitsMax) {
      throw new Refusal(at, `a number has at most ${numberDigitsMax} digits: write a longer one in quotes`)
    }
    return value
  }
  if (value === null || typeof value === "string" || typeof value === "boolean") return value
  throw new Refusal(at, "only texts, numbers, true, false and null are read")
}

const located = (text: string, document: Document, value: unknown, placeAt: (offset: number) => Place): YamlText => {
  const nodeAt = (path: Path): Node | undefined => {
    for (let length = path.length; length >= 0; length--) {
      const found: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
      if (isScalar(found) || isMap(found) || isSeq(found)) return found
    }
    return undefined
  }
  const placeOf = (path: Path): Place => placeAt(offsetOf(nodeAt(path) as Node)) // the document's own contents at least
  return {
    value,
    placeOf,
    placeOfName: (path) => {
      const around = nodeAt(path.slice(0, -1))
      const pair = isMap(around)
        ? around.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1))
        : undefined
      return isScalar(pair?.key) ? placeAt(offsetOf(pair.key)) : placeOf(path)
    },
    placeInText: (path, offset) => {
      const node = nodeAt(path)
      if (!isScalar(node) || typeof node.value !== "string" || node.range === undefined || node.range === null)
        return placeOf(path)
      const start = node.range[0]
      const first = text.indexOf(node.value, start)
      if (first >= 0 && first < node.range[1]) return placeAt(first + offset)
      return inBlock(text, node.value, start, node.range[1], offset, placeAt) ?? placeOf(path)
    }
  }
}

/** A place in a block of lines that the document indents. */
const inBlock = (
  text: string,
  value: string,
  start: number,
  end: number,
  offset: number,
  placeAt: (offset: number) => Place
): Place | undefined => {
  if (text[start] !== "|") return undefined
  const before = value.slice(0, offset).split("\n")
  let at = text.indexOf("\n", start) + 1
  for (let skipped = 1; skipped < before.length; skipped++) at = text.indexOf("\n", at) + 1
  // a line's own indentation beyond the block's is part of the value
  const own = /^ */.exec(value.split("\n")[before.length - 1] ?? "")?.[0].length ?? 0
  const indent = (/^ */.exec(text.slice(at, end))?.[0].length ?? 0) - own
  return placeAt(at + indent + before.at(-1)!.length)
}
