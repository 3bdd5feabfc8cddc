/**
 * Passing over Avro values without making them: one function is made per schema, then called per value.
 *
 * Lengths are checked as in `AvroDecode.ts`, so that damage is an error here too; what the bytes say is not looked at.
 */
import { corrupt } from "../../spec/FormatError.ts"
import type { ByteReader } from "./AvroDecode.ts"
import type { AvroType } from "./AvroType.ts"

export type AvroSkipper = (from: ByteReader) => void

/** Passes over so many values that follow each other. */
type RunSkipper = (from: ByteReader, count: number) => void

/** Integers that a value is made of and nothing else; undefined when it is more. Most maps of a manifest are of such. */
const longsOf = (type: AvroType): number | undefined => {
  if (type._tag === "int" || type._tag === "long") return 1
  if (type._tag !== "record") return undefined
  return type.fields.reduce<number | undefined>((sum, field) => {
    const own = longsOf(field.type)
    return sum === undefined || own === undefined ? undefined : sum + own
  }, 0)
}

const isKeyedBytes = (type: AvroType): boolean => {
  if (type._tag !== "record" || type.fields.length !== 2) return false
  const [key, value] = type.fields.map((field) => field.type._tag)
  return (key === "int" || key === "long") && (value === "bytes" || value === "string")
}

const runSkipper = (type: AvroType): RunSkipper => {
  const longs = longsOf(type)
  if (longs !== undefined) return (from, count) => from.skipLongs(count * longs)
  if (isKeyedBytes(type)) return (from, count) => from.skipKeyedBytes(count)
  const skip = avroSkipper(type)
  return (from, count) => {
    for (let i = 0; i < count; i++) skip(from)
  }
}

/** Passes over the blocks of an array or map; a block that tells its size is not looked into. */
const skipBlocks =
  (items: RunSkipper): AvroSkipper =>
  (from) => {
    for (;;) {
      const count = from.size()
      if (count === 0) return
      if (count < 0) from.skip(from.size())
      else {
        // as in decoding: more entries than bytes is damage
        if (count > from.left) corrupt("avro", `a block of ${count} entries where ${from.left} bytes are left`)
        items(from, count)
      }
    }
  }

const skipBytes: AvroSkipper = (from) => from.skip(from.size())

/** A record's fields one after another. */
const skipAll = (skippers: ReadonlyArray<AvroSkipper>): AvroSkipper => {
  const [first, second] = skippers
  // a pair, as entries of maps are: without a list to go through
  if (first !== undefined && second !== undefined && skippers.length === 2)
    return (from) => {
      first(from)
      second(from)
    }
  return (from) => {
    for (const skip of skippers) skip(from)
  }
}

/** The function that passes over values of `type`. */
export const avroSkipper = (type: AvroType): AvroSkipper => {
  switch (type._tag) {
    case "null":
      return () => undefined
    case "boolean":
      return (from) => from.skip(1)
    case "int":
    case "long":
      return (from) => from.skipLongs(1)
    case "float":
      return (from) => from.skip(4)
    case "double":
      return (from) => from.skip(8)
    case "bytes":
    case "string":
      return skipBytes
    case "fixed":
      return (from) => from.skip(type.size)
    case "record":
      return skipAll(type.fields.map((field) => avroSkipper(field.type)))
    case "array":
      return skipBlocks(runSkipper(type.items))
    case "map": {
      const value = avroSkipper(type.values)
      return skipBlocks((from, count) => {
        for (let i = 0; i < count; i++) {
          skipBytes(from)
          value(from)
        }
      })
    }
    case "optional": {
      const skip = avroSkipper(type.type)
      const nullBranch = type.nullFirst ? 0 : 1
      return (from) => {
        const branch = from.size()
        if (branch !== 0 && branch !== 1) corrupt("avro", `a union has no branch ${branch}`)
        if (branch !== nullBranch) skip(from)
      }
    }
  }
}
