/** Nearly all that the generators make takes the decoder's fast path, whatever the kind. */
import { Decoder, makeRecordBuilder, type Topic } from "@frazil/core"
import { describe, expect, it } from "vitest"
import { kindNames, kinds } from "../../src/generate/Kinds.ts"

const startMs = 1_768_434_300_000
const records = 1_000
const seeds = [1, 2, 3, 42]

describe("the share of the fast path", () => {
  it.each(kindNames)("is at least 99 % of the well-formed records of %s", (name) => {
    const { source, topic } = kinds[name]
    const decoder = Decoder.make(topic as Topic<unknown>) // one of the model's
    let fast = 0
    let wellFormed = 0
    for (const seed of seeds) {
      const { next } = source(seed)
      const builder = makeRecordBuilder()
      for (let index = 0; index < records; index++) {
        const made = next(startMs + index)
        builder.addRange(made.bytes, 0, made.length, made.keyStart, made.keyEnd)
      }
      const batch = { ...builder.take(), offsets: new Float64Array(records), timestamps: new Float64Array(records) }
      const columns = decoder.decode(batch)
      fast += columns.fastRows
      wellFormed += records - columns.failures.length
    }
    expect(wellFormed).toBeGreaterThan(3_800)
    expect(fast / wellFormed).toBeGreaterThanOrEqual(0.99)
  })
})
