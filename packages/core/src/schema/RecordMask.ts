/**
 * Records as people may see them: JSON with every personal value as `(personal)`.
 *
 * Commands print with it. **Guarantees**: of a topic that has personal fields, a value is shown only if the contract names its
 * field, does not mark it, and takes the value: fields that nobody declared, values that their field would refuse, and whatever
 * is no JSON object are masked, since records that do not decode are looked at, too. What is shown stands as it was written, so that
 * no number is rounded.
 */
import type { FieldType } from "./FieldType.ts"
import { ProblemFound, readDate, readDecimal, readNumber, readText, readTimestamp } from "./FieldValue.ts"
import type { RecordShape } from "./RecordShape.ts"

/** What stands for a personal value. */
export const personalText = "(personal)"

const masked = JSON.stringify(personalText)
const utf8 = new TextDecoder("utf-8", { fatal: true })
const whiteSpace = new Set([" ", "\n", "\r", "\t"])

const skipSpace = (text: string, from: number): number => {
  let at = from
  while (whiteSpace.has(text[at] ?? "")) at++
  return at
}

/** Behind the text that begins at `from`. */
const textEnd = (text: string, from: number): number => {
  let at = from + 1
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1
  return at + 1
}

/** Behind the value that begins at `from`. */
const valueEnd = (text: string, from: number): number => {
  if (text[from] === '"') return textEnd(text, from)
  let at = from
  let depth = 0
  do {
    const mark = text[at]
    if (mark === '"') at = textEnd(text, at)
    else {
      if (mark === "{" || mark === "[") depth++
      else if (mark === "}" || mark === "]") depth--
      at++
    }
  } while (depth > 0 || !(text[at] === "," || text[at] === "}" || whiteSpace.has(text[at] ?? "")))
  return at
}

interface Member {
  /** As it was written, with its quotes. */
  readonly name: string
  readonly value: string
}

/** The members of an object in the order in which they stand, repeated ones too. `text` is JSON of an object. */
const membersOf = (text: string): ReadonlyArray<Member> => {
  const members: Array<Member> = []
  let at = skipSpace(text, text.indexOf("{") + 1)
  while (text[at] !== "}") {
    const nameEnd = textEnd(text, at)
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = valueEnd(text, start)
    members.push({ name: text.slice(at, nameEnd), value: text.slice(start, end) })
    const next = skipSpace(text, end)
    at = text[next] === "," ? skipSpace(text, next + 1) : next
  }
  return members
}

const isObject = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** Whether a field takes the value: one that it does not may be anybody's in the wrong place. */
const takes = (type: FieldType, value: unknown): boolean => {
  switch (type._tag) {
    case "Text":
      return !(readText(type, value) instanceof ProblemFound)
    case "Decimal":
      return !(readDecimal(type, value) instanceof ProblemFound)
    case "Int":
    case "Double":
      return !(readNumber(type, value) instanceof ProblemFound)
    case "Timestamp":
      return !(readTimestamp(value) instanceof ProblemFound)
    case "Date":
      return !(readDate(value) instanceof ProblemFound)
    case "Boolean":
      return typeof value === "boolean"
    case "Json":
      return true
  }
}

const shows = (shape: RecordShape, name: string, value: string): boolean => {
  const field = shape.byName.get(name)
  return field !== undefined && !field.personal && takes(field.type, JSON.parse(value))
}

/** Makes the mask of a shape's records: from a record's bytes to JSON on one line. Undefined when nothing is personal. */
export const makeRecordMask = (shape: RecordShape): ((bytes: Uint8Array) => string) | undefined => {
  if (!shape.fields.some(({ personal }) => personal)) return undefined
  const member = ({ name, value }: Member): string =>
    `${name}:${value === "null" || shows(shape, String(JSON.parse(name)), value) ? value : masked}`
  return (bytes) => {
    let text: string
    try {
      text = utf8.decode(bytes)
    } catch {
      return masked
    }
    if (!isObject(text)) return masked
    // line breaks of a JSON text are white space between its tokens
    return `{${membersOf(text).map(member).join(",")}}`.replaceAll(/[\r\n]+/g, " ")
  }
}
