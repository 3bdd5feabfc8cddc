/**
 * JSON that keeps 64-bit integers: table metadata holds snapshot ids that a double cannot.
 *
 * `parseJson` gives integers outside the safe range of a number as bigint, everything else as JSON.parse does;
 * `printJson` writes bigint as digits. Field readers (`JsonRead.ts`) then ask for the width they need.
 */
import { corrupt } from "./FormatError.ts"

export type JsonValue = null | boolean | number | bigint | string | ReadonlyArray<JsonValue> | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/**
 * Takes the members of a list of the document as they stand in the text, so that they need not be parsed (`TextList.ts`).
 * What it refuses is parsed and handed to it.
 */
export interface ListTaker {
  /** Its member of the document begins, maybe again: of several with one name the last counts. */
  readonly begin: () => void
  /** The members of a list follow. */
  readonly list: () => void
  /** Where the member ends that begins at `at`, if it is taken; -1 for one that is not. */
  readonly take: (text: string, at: number) => number
  readonly parsed: (value: JsonValue) => void
}

/** Nesting deeper than this is refused, so that a damaged file cannot exhaust the stack. */
const nestingMax = 200

const quote = 0x22
const backslash = 0x5c
const openingBracket = 0x5b

/** Of the members of a list that is a member of the document. */
const memberDepth = 2

const nobody: ReadonlyMap<string, ListTaker> = new Map()

class Parser {
  private readonly text: string
  private readonly takers: ReadonlyMap<string, ListTaker>
  private at = 0

  constructor(text: string, takers: ReadonlyMap<string, ListTaker>) {
    this.text = text
    this.takers = takers
  }

  document(): JsonValue {
    const value = this.value(0)
    this.space()
    if (this.at < this.text.length) this.fail("text after the end")
    return value
  }

  private fail(what: string): never {
    return corrupt(`JSON at character ${this.at}`, what)
  }

  private space(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at)
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return
      this.at++
    }
  }

  private value(depth: number): JsonValue {
    if (depth > nestingMax) this.fail(`nested deeper than ${nestingMax}`)
    this.space()
    switch (this.text[this.at]) {
      case "{":
        return this.object(depth)
      case "[":
        return this.list(depth)
      case '"':
        return this.string()
      case "t":
        return this.word("true", true)
      case "f":
        return this.word("false", false)
      case "n":
        return this.word("null", null)
      case undefined:
        return this.fail("ends too early")
      default:
        return this.number()
    }
  }

  private word<A>(word: string, value: A): A {
    if (!this.text.startsWith(word, this.at)) this.fail("no value here")
    this.at += word.length
    return value
  }

  private object(depth: number): JsonObject {
    // Without a prototype, a key called "__proto__" is a key like any other.
    const out: Record<string, JsonValue> = Object.create(null)
    this.at++
    this.space()
    if (this.text[this.at] === "}") {
      this.at++
      return out
    }
    for (;;) {
      this.space()
      if (this.text[this.at] !== '"') this.fail("expected a key")
      const key = this.string()
      this.space()
      if (this.text[this.at] !== ":") this.fail("expected a colon")
      this.at++
      const taker = depth === 0 ? this.takers.get(key) : undefined
      if (taker === undefined || !this.taken(taker)) out[key] = this.value(depth + 1)
      else delete out[key]
      if (this.endOf("}")) return out
    }
  }

  /** Whether a list was here, which then was taken. */
  private taken(taker: ListTaker): boolean {
    taker.begin()
    this.space()
    if (this.text.charCodeAt(this.at) !== openingBracket) return false
    taker.list()
    this.members(() => {
      this.space()
      const end = taker.take(this.text, this.at)
      if (end < 0) taker.parsed(this.value(memberDepth))
      else this.at = end
    })
    return true
  }

  private list(depth: number): ReadonlyArray<JsonValue> {
    const out: Array<JsonValue> = []
    this.members(() => out.push(this.value(depth + 1)))
    return out
  }

  /** Crosses a list, of which `cross` crosses one member after the other. */
  private members(cross: () => void): void {
    this.at++
    this.space()
    if (this.text[this.at] === "]") {
      this.at++
      return
    }
    do cross()
    while (!this.endOf("]"))
  }

  /** Crosses a comma (false) or the closing bracket (true). */
  private endOf(close: string): boolean {
    this.space()
    const c = this.text[this.at]
    if (c !== "," && c !== close) this.fail(c === undefined ? "ends too early" : `expected a comma or ${close}`)
    this.at++
    return c === close
  }

  private string(): string {
    const start = this.at
    for (let i = start + 1; ; i++) {
      const c = this.text.charCodeAt(i)
      if (c === quote) {
        this.at = i + 1
        return this.text.slice(start + 1, i)
      }
      if (c === backslash) return this.escapedString(start)
      if (!(c >= 0x20)) this.fail("string is not closed")
    }
  }

  private escapedString(start: number): string {
    for (let i = start + 1; i < this.text.length; i++) {
      const c = this.text.charCodeAt(i)
      if (c === backslash) i++
      else if (c === quote) {
        this.at = i + 1
        try {
          const value: unknown = JSON.parse(this.text.slice(start, i + 1))
          if (typeof value === "string") return value
        } catch {
          // Said below, with the place.
        }
        break
      }
    }
    this.at = start
    return this.fail("string is not well formed")
  }

  private number(): number | bigint {
    const match = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
    match.lastIndex = this.at
    const found = match.exec(this.text)
    if (found === null) return this.fail("no value here")
    this.at += found[0].length
    const number = Number(found[0])
    const integer = found[1] === undefined && found[2] === undefined
    return integer && !Number.isSafeInteger(number) ? BigInt(found[0]) : number
  }
}

/**
 * Reads one JSON document; throws FormatError with the character position. Of its members, lists that `takers` names are left
 * to them and are not in the result.
 */
export const parseJson = (text: string, takers = nobody): JsonValue => new Parser(text, takers).document()

/** Writes JSON without spaces; bigint as digits. A number that JSON cannot hold is a bug, hence a defect. */
export const printJson = (value: JsonValue): string => {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value)
    case "bigint":
      return value.toString()
    case "number":
      if (!Number.isFinite(value)) throw new Error(`JSON cannot hold ${value}`)
      return String(value)
    case "boolean":
      return value ? "true" : "false"
    default:
      return value === null ? "null" : printNested(value)
  }
}

const isList = (value: ReadonlyArray<JsonValue> | JsonObject): value is ReadonlyArray<JsonValue> => Array.isArray(value)

const printNested = (value: ReadonlyArray<JsonValue> | JsonObject): string => {
  if (isList(value)) return `[${value.map(printJson).join(",")}]`
  const parts: Array<string> = []
  for (const key of Object.keys(value)) {
    const member = value[key]
    if (member !== undefined) parts.push(`${JSON.stringify(key)}:${printJson(member)}`)
  }
  return `{${parts.join(",")}}`
}
