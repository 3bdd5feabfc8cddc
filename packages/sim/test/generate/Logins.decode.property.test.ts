import { assert, describe, it } from "@effect/vitest"
import { Decoder, KeyScanner, makeRecordBuilder } from "@frazil/core"
import { Authentication } from "@frazil/model"
import { Schema } from "effect"
import { makeLogins } from "../../src/generate/Logins.ts"

const startMs = 1_768_434_300_000
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))

describe("generated logins", () => {
  it.prop(
    "decode on the fast path, as many of guessing as asked for, each guessing by one address with its failures in a row",
    [Seed],
    ([seed]) => {
      const count = 4_000
      const source = makeLogins({ seed, guessShare: 0.1 })
      const builder = makeRecordBuilder()
      const { keyOf } = KeyScanner.make(Authentication)
      const text = new TextDecoder()
      const guesses = new Map<string, number>()
      for (let index = 0; index < count; index++) {
        const made = source.next(startMs + index)
        const key = text.decode(made.bytes.subarray(made.keyStart, made.keyEnd))
        assert.strictEqual(key, keyOf(made.bytes, 0, made.length))
        if (made.label === "guessing") guesses.set(key, (guesses.get(key) ?? 0) + 1)
        builder.addRange(made.bytes, 0, made.length, made.keyStart, made.keyEnd)
      }
      const batch = { ...builder.take(), offsets: new Float64Array(count), timestamps: new Float64Array(count) }
      const decoder = Decoder.make(Authentication)
      const columns = decoder.decode(batch)
      assert.deepStrictEqual(columns.failures, [])
      assert.strictEqual(columns.fastRows, count)
      const share = [...guesses.values()].reduce((sum, each) => sum + each, 0) / count
      assert.isTrue(Math.abs(share - 0.1) < 0.03, `${share}, seed ${seed}`)
      const records = Array.from({ length: count }, (_, row) => decoder.record(columns, row))
      // the last one may not be over yet
      for (const [ip, tries] of [...guesses].slice(0, -1)) {
        const own = records.filter((record) => record.ip === ip)
        assert.strictEqual(own.length, tries)
        assert.isTrue(own.slice(0, -1).every(({ result }) => result === "failed"))
        assert.isAtLeast(tries, 4)
      }
      const succeeded = [...guesses.keys()].filter(
        (ip) => records.findLast((record) => record.ip === ip)?.result === "success"
      )
      assert.isAbove(succeeded.length, 2)
    },
    { arbitrary: { runs: 10, seed: 1 } }
  )
})
