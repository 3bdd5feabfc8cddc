/**
 * Lists of a JSON document whose members stay text until they are asked for: a table's snapshots, of which a reader wants one.
 *
 * A member is told by a regular expression: text that matches is well formed and all that its decoder relies on, so that a
 * member which nobody asks for cannot be damaged without notice. Engines compile regular expressions to a loop over the text,
 * which costs a tenth of parsing it, and less than that in a process that has just begun. Members of any other form are parsed
 * and read with the document. The slow twin is `read` of each member's JSON.
 */
import type { JsonValue, ListTaker } from "./Json.ts"
import { readList, readOptional, type Read } from "./JsonRead.ts"

export interface MemberForm<A, N> {
  /** Sticky, without groups. Matches only JSON of which `read` makes what `decode` makes of `parts`' match. */
  readonly whole: RegExp
  /** The same with groups. */
  readonly parts: RegExp
  readonly decode: (found: RegExpExecArray) => A
  /** What is kept at once of a member that begins at `at`. */
  readonly noteAt: (text: string, at: number) => N
  readonly read: Read<A>
  readonly noteOf: (member: A) => N
}

/**
 * The form of members whose text `pattern` matches: one that has no parentheses but those of groups, which are made only of
 * members that are asked for.
 */
export const memberForm = <A, N>(
  pattern: string,
  form: Pick<MemberForm<A, N>, "decode" | "noteAt" | "read" | "noteOf">
): MemberForm<A, N> => ({
  ...form,
  whole: new RegExp(pattern.replaceAll(/\((?!\?)/g, "(?:"), "y"),
  parts: new RegExp(pattern, "y")
})

/** The member that begins at `at` in the text; undefined when it has another form. */
export const memberAt = <A, N>({ decode, parts }: MemberForm<A, N>, text: string, at: number): A | undefined => {
  parts.lastIndex = at
  const found = parts.exec(text)
  return found === null ? undefined : decode(found)
}

/** Parts of patterns, each a group: JSON integers that are not negative, of so few digits that their types hold them. */
export const digits9 = String.raw`(0|[1-9]\d{0,8})`
export const digits15 = String.raw`(0|[1-9]\d{0,14})`

/** Those of 64 bits: as many digits as `longMax` has, of which the first that differs is smaller, or fewer digits. */
const longMax = "9223372036854775807"
const belowLongMax = Array.from(longMax, (digit, index) => {
  const smaller = index === 0 ? `[1-${Number(digit) - 1}]` : `[0-${Number(digit) - 1}]`
  return digit === "0" ? [] : [`${longMax.slice(0, index)}${smaller}\\d{${longMax.length - index - 1}}`]
}).flat()
export const digitsLong = `(${[longMax, ...belowLongMax, String.raw`[1-9]\d{0,17}`, "0"].join("|")})`

/** A JSON string in which nothing is escaped. */
export const plainString = String.raw`"[^"\\\u0000-\u001f]*"`

/** Where a member begins in the text; what was not taken has been read and begins nowhere. */
const nowhere = -1

export class TextList<A extends object, N> implements ListTaker {
  private readonly form: MemberForm<A, N>
  private text = ""
  private begins: Array<number> = []
  private values: Array<JsonValue> = []
  private members: Array<A | undefined> = []
  private whole: ReadonlyArray<A> | undefined
  private isList = false
  /** Of each member, in their order, once they have been read. */
  notes: Array<N> = []

  constructor(form: MemberForm<A, N>) {
    this.form = form
  }

  readonly begin = (): void => {
    this.isList = false
    this.begins = []
    this.values = []
    this.notes = []
  }

  readonly list = (): void => {
    this.isList = true
  }

  readonly take = (text: string, at: number): number => {
    const { noteAt, whole } = this.form
    whole.lastIndex = at
    if (!whole.test(text)) return nowhere
    this.text = text
    this.notes[this.begins.length] = noteAt(text, at)
    this.begins.push(at)
    return whole.lastIndex
  }

  readonly parsed = (value: JsonValue): void => {
    this.values[this.begins.length] = value
    this.begins.push(nowhere)
  }

  /** Reads what was not taken: members of other forms, or all of `value`, the document's member. FormatError as `read` says. */
  read(value: JsonValue | undefined, where: string): this {
    if (!this.isList) {
      this.whole = readOptional(value, where, (list) => readList(list, where, this.form.read)) ?? []
      this.notes = this.whole.map(this.form.noteOf)
      return this
    }
    for (let index = 0; index < this.begins.length; index++) {
      if (this.begins[index] !== nowhere) continue
      const member = this.form.read(this.values[index], `${where}[${index}]`)
      this.members[index] = member
      this.notes[index] = this.form.noteOf(member)
    }
    this.values = []
    return this
  }

  /** Is told of the member at `index`, which was decoded elsewhere, before it is asked for. */
  know(index: number, member: A): void {
    if (this.begins[index] !== undefined) this.members[index] = member
  }

  /** The member at `index`; undefined beyond the end. */
  at(index: number): A | undefined {
    return this.whole === undefined ? this.decoded(index) : this.whole[index]
  }

  private decoded(index: number): A | undefined {
    const known = this.members[index]
    const begin = this.begins[index]
    if (known !== undefined || begin === undefined) return known
    const member = memberAt(this.form, this.text, begin)
    if (member === undefined) throw new Error("a member was taken that does not match")
    return (this.members[index] = member)
  }

  /** All members; always the same list, and those that `at` gives. */
  all(): ReadonlyArray<A> {
    if (this.whole !== undefined) return this.whole
    const all: Array<A> = []
    for (let index = 0; index < this.begins.length; index++) {
      const member = this.decoded(index)
      if (member !== undefined) all.push(member)
    }
    this.whole = all
    // nothing of it is needed any longer
    this.text = ""
    this.begins = []
    this.members = []
    return all
  }
}
