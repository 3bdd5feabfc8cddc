/**
 * Passing over Avro values by a list of steps that one loop goes through, noting where some fields lie.
 *
 * `AvroSkip.ts` is its slow twin: a function for each part of a schema. A process that plans its first scan runs them for the first
 * time, all of them, and what one loop does is compiled by the first hundred entries. Lengths are checked as there.
 */
import { corrupt } from "../../spec/FormatError.ts"
import type { ByteReader } from "./AvroDecode.ts"
import { avroSkipper, type AvroSkipper } from "./AvroSkip.ts"
import type { AvroType } from "./AvroType.ts"

/** Each step is its kind and two numbers. */
const stepLength = 3
const kinds = {
  long: 0,
  bytes: 1,
  /** As many bytes as the first number says. */
  fixed: 2,
  /** Null when the branch is the first number: the second says how much of the list is passed over then. */
  optional: 3,
  /** Blocks of items; the first number is the place of what passes over those that do not tell their size. */
  items: 4,
  /** The place of the field of the first number begins here. */
  begin: 5,
  end: 6,
  /** What is none of these, by its own function. */
  other: 7
} as const

/** Ids of a field and of the records that it lies in, outermost first. */
export type FieldPath = ReadonlyArray<number>

/** What a list of steps is made of. */
class Steps {
  readonly list: Array<number> = []
  readonly items: Array<AvroSkipper> = []
  readonly others: Array<AvroSkipper> = []
  private readonly noted: ReadonlyArray<FieldPath>

  constructor(noted: ReadonlyArray<FieldPath>) {
    this.noted = noted
  }

  private step(kind: keyof typeof kinds, first = 0, second = 0): void {
    this.list.push(kinds[kind], first, second)
  }

  /** `path`: of the records that the type lies in; undefined below an optional, in which nothing is noted. */
  add(type: AvroType, path: FieldPath | undefined): void {
    switch (type._tag) {
      case "null":
        return
      case "int":
      case "long":
        return this.step("long")
      case "boolean":
        return this.step("fixed", 1)
      case "float":
        return this.step("fixed", 4)
      case "double":
        return this.step("fixed", 8)
      case "fixed":
        return this.step("fixed", type.size)
      case "bytes":
      case "string":
        return this.step("bytes")
      case "record":
        return this.addRecord(type, path)
      case "optional":
        return this.addOptional(type)
      case "array":
        return this.step("items", this.items.push(avroSkipper(type)) - 1)
      case "map":
        return this.step("other", this.others.push(avroSkipper(type)) - 1)
    }
  }

  private addRecord(type: AvroType & { readonly _tag: "record" }, path: FieldPath | undefined): void {
    for (const { fieldId, type: held } of type.fields) {
      const here = path === undefined || fieldId === undefined ? undefined : [...path, fieldId]
      const note = here === undefined ? -1 : this.noted.findIndex((each) => each.join() === here.join())
      if (note >= 0) this.step("begin", note)
      this.add(held, here)
      if (note >= 0) this.step("end", note)
    }
  }

  private addOptional(type: AvroType & { readonly _tag: "optional" }): void {
    this.step("optional", type.nullFirst ? 0 : 1)
    const from = this.list.length
    this.add(type.type, undefined)
    this.list[from - 1] = this.list.length - from
  }
}

/** Where the reader comes to that begins at a place. */
const movedBy = (from: ByteReader, at: number, move: AvroSkipper): number => {
  from.moveTo(at)
  move(from)
  return from.position
}

const skipBytes: AvroSkipper = (from) => from.skip(from.size())
const skipLong: AvroSkipper = (from) => from.skipLongs(1)

/** A union's branch that is not one byte of 0 or 2: damage, or a number that takes more bytes than it needs. */
const branchOf = (from: ByteReader): number => {
  const branch = from.size()
  return branch === 0 || branch === 1 ? branch : corrupt("avro", `a union has no branch ${branch}`)
}

/** Behind a length, which is even as it stands here, and as many bytes. */
const afterBytes = (from: ByteReader, at: number): number => {
  const { data } = from
  const low = data[at]!
  if ((low & 1) === 0) {
    if (low < 0x80) return at + 1 + (low >>> 1)
    const high = data[at + 1]!
    if (high < 0x80) return at + 2 + (((low & 0x7f) | (high << 7)) >>> 1)
  }
  return movedBy(from, at, skipBytes)
}

/** Passes over values of a schema, one after another. */
export class AvroPasser {
  /** By note, where the field of the value that was passed over last begins and ends. */
  readonly begins: Int32Array
  readonly ends: Int32Array
  private readonly list: Int32Array
  private readonly items: ReadonlyArray<AvroSkipper>
  private readonly others: ReadonlyArray<AvroSkipper>

  /** The fields of `noted` are noted by their places in it. */
  constructor(type: AvroType, noted: ReadonlyArray<FieldPath>) {
    const steps = new Steps(noted)
    steps.add(type, [])
    this.list = Int32Array.from(steps.list)
    this.items = steps.items
    this.others = steps.others
    this.begins = new Int32Array(noted.length)
    this.ends = new Int32Array(noted.length)
  }

  /** What is short is passed over here, where it lies; what is longer, or cut off, by the reader, which checks it. */
  pass(from: ByteReader): void {
    const { begins, ends, list } = this
    const { data } = from
    let at = from.position
    for (let step = 0; step < list.length; step += stepLength) {
      const first = list[step + 1]!
      // by number, which is a table's look-up also before anything is compiled
      switch (list[step]) {
        case 0: // long
          if (data[at]! < 0x80) at++
          else at = movedBy(from, at, skipLong)
          break
        case 1: // bytes
          at = afterBytes(from, at)
          break
        case 2: // fixed
          at += first
          break
        case 3: {
          // optional
          let branch = data[at++]! >>> 1
          if (data[at - 1] !== 0 && data[at - 1] !== 2) {
            from.moveTo(at - 1)
            branch = branchOf(from)
            at = from.position
          }
          if (branch === first) step += list[step + 2]!
          break
        }
        case 4: // items
          at = this.afterItems(from, at, first)
          break
        case 5: // begin
          begins[first] = at
          break
        case 6: // end
          ends[first] = at
          break
        default:
          at = movedBy(from, at, this.others[first]!)
      }
    }
    // beyond the end, where anything of it was
    from.moveTo(at)
  }

  /** Behind the blocks of an array, most of which are one that tells its size. */
  private afterItems(from: ByteReader, at: number, first: number): number {
    const count = from.data[at]!
    if (count === 0) return at + 1
    if (count < 0x80 && (count & 1) === 1) {
      const end = afterBytes(from, at + 1)
      if (from.data[end] === 0) return end + 1
    }
    return movedBy(from, at, this.items[first]!)
  }
}
