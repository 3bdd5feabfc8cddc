/**
 * Reads the regular expressions that `matches` takes.
 *
 * A subset that RE2 (CEL's), Java (Flink's) and JavaScript read alike: literals, `.`, classes, `\d \w \s` and their
 * opposites (ASCII), groups, `|`, `^ $` (start and end of the text), `* + ? {n} {n,} {n,m}`, lazy ones too. No
 * back-references and no look-around: they need more than linear time.
 */
import { Result } from "effect"

/** Inclusive ranges of code points: lowest, highest, lowest, highest, …; sorted, apart. */
export type CharacterSet = ReadonlyArray<number>

export type PatternNode =
  | { readonly _tag: "Empty" | "Start" | "End" }
  | { readonly _tag: "Character"; readonly set: CharacterSet }
  | { readonly _tag: "Sequence"; readonly parts: ReadonlyArray<PatternNode> }
  | { readonly _tag: "Choice"; readonly options: ReadonlyArray<PatternNode> }
  | { readonly _tag: "Repeat"; readonly part: PatternNode; readonly min: number; readonly max: number | undefined }

/** What is wrong with a pattern, and where in it (UTF-16 units). */
interface PatternProblem {
  readonly at: number
  readonly message: string
}

/** A pattern's text, in UTF-16 units. */
const patternCharactersMax = 500
const repeatMax = 100
const groupsDeepMax = 20

const codeMax = 0x10ffff
const digits: CharacterSet = [0x30, 0x39]
const words: CharacterSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a]
const spaces: CharacterSet = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20]

const inverted = (set: CharacterSet): CharacterSet => {
  const out: Array<number> = []
  let from = 0
  for (let at = 0; at < set.length; at += 2) {
    if (set[at]! > from) out.push(from, set[at]! - 1)
    from = set[at + 1]! + 1
  }
  if (from <= codeMax) out.push(from, codeMax)
  return out
}

const united = (ranges: ReadonlyArray<readonly [number, number]>): CharacterSet => {
  const out: Array<number> = []
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = out.length - 1
    if (last > 0 && low <= out[last]! + 1) out[last] = Math.max(out[last]!, high)
    else out.push(low, high)
  }
  return out
}

const anyCharacter = inverted([0x0a, 0x0a])
const escapedSets: ReadonlyMap<string, CharacterSet> = new Map([
  ["d", digits],
  ["D", inverted(digits)],
  ["w", words],
  ["W", inverted(words)],
  ["s", spaces],
  ["S", inverted(spaces)]
])
const escapedCharacters: ReadonlyMap<string, number> = new Map([
  ["t", 0x09],
  ["n", 0x0a],
  ["f", 0x0c],
  ["r", 0x0d]
])

class Refusal extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

interface Reader {
  readonly source: string
  at: number
}

export const parsePattern = (source: string): Result.Result<PatternNode, PatternProblem> => {
  if (source.length > patternCharactersMax) {
    return Result.fail({ at: 0, message: `a pattern has at most ${patternCharactersMax} characters` })
  }
  const reader: Reader = { source, at: 0 }
  try {
    const node = choice(reader, 0)
    if (reader.at < source.length) throw new Refusal(reader.at, "this ) closes nothing: write \\) for the character")
    return Result.succeed(node)
  } catch (error) {
    if (error instanceof Refusal) return Result.fail({ at: error.at, message: error.message })
    throw error
  }
}

const choice = (reader: Reader, deep: number): PatternNode => {
  const options = [sequence(reader, deep)]
  while (reader.source[reader.at] === "|") {
    reader.at++
    options.push(sequence(reader, deep))
  }
  return options.length === 1 ? options[0]! : { _tag: "Choice", options }
}

const sequence = (reader: Reader, deep: number): PatternNode => {
  const parts: Array<PatternNode> = []
  for (let next = reader.source[reader.at]; next !== undefined && next !== "|" && next !== ")";) {
    const part = repeated(reader, atom(reader, deep))
    if (part._tag !== "Empty") parts.push(part)
    next = reader.source[reader.at]
  }
  return parts.length === 0 ? { _tag: "Empty" } : parts.length === 1 ? parts[0]! : { _tag: "Sequence", parts }
}

const counted = /\{([0-9]{1,3})(,([0-9]{1,3})?)?\}/y

const repeated = (reader: Reader, part: PatternNode): PatternNode => {
  const at = reader.at
  const mark = reader.source[at]
  if (mark === undefined || !"*+?{".includes(mark)) return part
  let [min, max]: [number, number | undefined] = mark === "?" ? [0, 1] : [mark === "+" ? 1 : 0, undefined]
  reader.at++
  if (mark === "{") {
    counted.lastIndex = at
    const match = counted.exec(reader.source)
    if (match === null) throw new Refusal(at, "write {2}, {2,} or {2,5}, or \\{ for the character")
    min = Number(match[1])
    max = match[2] === undefined ? min : match[3] === undefined ? undefined : Number(match[3])
    if (min > repeatMax || (max ?? 0) > repeatMax) throw new Refusal(at, `at most ${repeatMax} repetitions`)
    if (max !== undefined && max < min) throw new Refusal(at, "the larger number of repetitions comes second")
    reader.at = counted.lastIndex
  }
  // lazy or greedy decides what is captured, not whether it matches
  if (reader.source[reader.at] === "?") reader.at++
  if ("*+?{".includes(reader.source[reader.at] ?? " ")) throw new Refusal(reader.at, "a repetition cannot be repeated")
  // nothing, however often, is nothing: what is left emits instructions, so that their bound bounds the work
  return part._tag === "Empty" || max === 0 ? { _tag: "Empty" } : { _tag: "Repeat", part, min, max }
}

const atom = (reader: Reader, deep: number): PatternNode => {
  const at = reader.at
  const code = reader.source.codePointAt(at)!
  const next = String.fromCodePoint(code)
  reader.at += next.length
  switch (next) {
    case "^":
      return { _tag: "Start" }
    case "$":
      return { _tag: "End" }
    case ".":
      return { _tag: "Character", set: anyCharacter }
    case "[":
      return { _tag: "Character", set: characterClass(reader, at) }
    case "(":
      return group(reader, at, deep)
    case "\\":
      return { _tag: "Character", set: escaped(reader, at) }
    case "*":
    case "+":
    case "?":
    case "{":
      throw new Refusal(at, `there is nothing to repeat: write \\${next} for the character`)
    case "]":
    case "}":
      throw new Refusal(at, `write \\${next} for the character`)
    default:
      return { _tag: "Character", set: [code, code] }
  }
}

const group = (reader: Reader, at: number, deep: number): PatternNode => {
  if (deep >= groupsDeepMax) throw new Refusal(at, `groups nest at most ${groupsDeepMax} deep`)
  if (reader.source[reader.at] === "?") {
    if (reader.source[reader.at + 1] !== ":")
      throw new Refusal(at, "only plain groups and (?:…): no look-around, names or flags")
    reader.at += 2
  }
  const node = choice(reader, deep + 1)
  if (reader.source[reader.at] !== ")") throw new Refusal(at, "this ( is not closed")
  reader.at++
  return node
}

/** After a backslash: a set, or the one character it stands for. */
const escaped = (reader: Reader, at: number): CharacterSet => {
  const next = reader.source[reader.at]
  if (next === undefined) throw new Refusal(at, "a backslash ends the pattern")
  reader.at++
  const set = escapedSets.get(next)
  if (set !== undefined) return set
  const code = escapedCharacters.get(next) ?? (/[!-/:-@[-`{-~]/.test(next) ? next.charCodeAt(0) : undefined)
  if (code !== undefined) return [code, code]
  throw new Refusal(at, `\\${next} is not supported: no back-references, boundaries or classes besides \\d \\w \\s`)
}

const characterClass = (reader: Reader, at: number): CharacterSet => {
  const negated = reader.source[reader.at] === "^"
  if (negated) reader.at++
  const ranges: Array<readonly [number, number]> = []
  while (reader.source[reader.at] !== "]") {
    const from = reader.at
    const low = classMember(reader, at)
    if (reader.source[reader.at] === "-" && reader.source[reader.at + 1] !== "]") {
      reader.at++
      const high = classMember(reader, at)
      if (low.length !== 2 || high.length !== 2 || low[0] !== low[1] || high[0] !== high[1] || low[0]! > high[0]!) {
        throw new Refusal(from, "a range goes from a lower character to a higher one")
      }
      ranges.push([low[0]!, high[0]!])
    } else {
      for (let range = 0; range < low.length; range += 2) ranges.push([low[range]!, low[range + 1]!])
    }
  }
  reader.at++
  if (ranges.length === 0) throw new Refusal(at, "an empty class matches nothing")
  const set = united(ranges)
  return negated ? inverted(set) : set
}

const classMember = (reader: Reader, at: number): CharacterSet => {
  const next = reader.source.codePointAt(reader.at)
  if (next === undefined) throw new Refusal(at, "this [ is not closed")
  if (next === 0x5b) throw new Refusal(reader.at, "write \\[ for the character")
  reader.at += next > 0xffff ? 2 : 1
  return next === 0x5c ? escaped(reader, reader.at - 1) : [next, next]
}
