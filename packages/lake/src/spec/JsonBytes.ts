/**
 * JSON documents as bytes, for those that are written anew with a little more each time, as a table's metadata is.
 *
 * Members of a document may come printed already: lists that grow keep their bytes and print what is new. Its slow twin is
 * `printJson` of the same document, on one line.
 */
import { printJson, type JsonValue } from "./Json.ts"

/** The UTF-8 text of a JSON value. */
export type PrintedJson = Uint8Array

const utf8 = new TextEncoder()

const bytesMin = 4096

/** What was printed of a list last, and where each member ends in it. */
class PrintedList<A> {
  private readonly toJson: (member: A) => JsonValue
  private readonly members: Array<A> = []
  private readonly ends: Array<number> = []
  private bytes = new Uint8Array(bytesMin)

  constructor(toJson: (member: A) => JsonValue) {
    this.toJson = toJson
  }

  private append(text: string): void {
    const end = this.ends.at(-1) ?? 0
    const added = utf8.encode(text)
    this.makeRoom(end, added.length + 1)
    this.bytes.set(added, end)
    this.ends.push(end + added.length)
  }

  private makeRoom(end: number, more: number): void {
    if (end + more <= this.bytes.length) return
    const bigger = new Uint8Array(Math.max(this.bytes.length * 2, end + more))
    bigger.set(this.bytes.subarray(0, end))
    this.bytes = bigger
  }

  print(members: ReadonlyArray<A>): PrintedJson {
    let same = 0
    while (same < this.members.length && same < members.length && this.members[same] === members[same]) same++
    this.members.length = same
    this.ends.length = same
    for (const member of members.slice(same)) {
      this.append(`${this.members.length === 0 ? "[" : ","}${printJson(this.toJson(member))}`)
      this.members.push(member)
    }
    const end = this.ends.at(-1) ?? 0
    // there is always room for it: `append` sees to that
    this.bytes[end] = 0x5d
    return this.bytes.subarray(0, end + 1)
  }
}

/**
 * A printer of lists whose members never change: of a list that begins as another did, only what is different is printed.
 * **Gotchas**: the bytes are good until the next list is printed.
 */
export const growingList = <A extends object>(
  toJson: (member: A) => JsonValue
): ((members: ReadonlyArray<A>) => PrintedJson) => {
  const printed = new WeakMap<A, PrintedList<A>>()
  return (members) => {
    const [first] = members
    if (first === undefined) return utf8.encode("[]")
    const known = printed.get(first) ?? new PrintedList(toJson)
    printed.set(first, known)
    return known.print(members)
  }
}

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/**
 * A document, some of whose members are printed already: each of these begins a line. There are no other line breaks, since a
 * string's are escaped.
 */
export const printDocument = (document: Readonly<Record<string, JsonValue | PrintedJson>>): Uint8Array => {
  const parts: Array<Uint8Array> = []
  let text = "{"
  let separator = ""
  for (const [key, member] of Object.entries(document)) {
    const isPrinted = member instanceof Uint8Array
    text += `${separator}${isPrinted ? "\n" : ""}${JSON.stringify(key)}:`
    separator = ","
    if (isPrinted) {
      parts.push(utf8.encode(text), member)
      text = ""
    } else text += printJson(member)
  }
  parts.push(utf8.encode(`${text}}`))
  return joined(parts)
}

/** A printer of values that never change and are printed again and again. */
export const printedOnce = <A extends object>(toJson: (value: A) => JsonValue): ((value: A) => string) => {
  const printed = new WeakMap<A, string>()
  return (value) => {
    const known = printed.get(value)
    if (known !== undefined) return known
    const text = printJson(toJson(value))
    printed.set(value, text)
    return text
  }
}

/** A list of values that were printed. */
export const printedList = (texts: ReadonlyArray<string>): PrintedJson => utf8.encode(`[${texts.join(",")}]`)
