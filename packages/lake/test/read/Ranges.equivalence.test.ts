/** What bounds rule out as they lie in a manifest, against the same bounds decoded: for every operator, and values around them. */
import { assert, describe, it } from "@effect/vitest"
import { mayBeWithin, type Operator } from "../../src/read/Filter.ts"
import { rangesOf } from "../../src/read/Ranges.ts"
import { singleValueToBytes, type SingleValue } from "../../src/spec/SingleValue.ts"
import type { PrimitiveType } from "../../src/spec/Type.ts"

const operators: ReadonlyArray<Operator> = ["=", "<", "<=", ">", ">="]
const longs = [-(2n ** 63n), -256n, -1n, 0n, 1n, 255n, 2n ** 63n - 1n]
const ints = [-(2 ** 31), -1, 0, 1, 256, 2 ** 31 - 1]

/** In their order, which is that of code points. */
const cases: ReadonlyArray<readonly [PrimitiveType["_tag"], ReadonlyArray<SingleValue>]> = [
  ["string", ["", "a", "a\u0000", "aa", "b", "é", "\uffee", "😀"]],
  ["long", longs],
  ["time", longs.filter((value) => value >= 0n)],
  ["timestamp", longs],
  ["timestamptz", longs],
  ["timestamp_ns", longs],
  ["int", ints],
  ["date", ints]
]

describe("rangesOf", () => {
  for (const [tag, values] of cases) {
    it(`rules out by bounds of ${tag} what decoded bounds do`, () => {
      const type = { _tag: tag } as PrimitiveType // of the cases, all are simple types
      const columns = new Map([["c", { id: 1, type }]])
      for (const operator of operators) {
        for (const value of values) {
          const [range] = rangesOf(
            { _tag: "And", filters: [{ _tag: "Compare", column: "c", operator, value }] },
            columns
          )
          for (const bound of values) {
            // where bounds lie among other bytes
            const bytes = Uint8Array.of(7, ...singleValueToBytes(type, bound), 7)
            const out = (side: "lower" | "upper") => range![side]?.(bytes, 1, bytes.length - 1) ?? false
            const said = `${String(bound)} ${operator} ${String(value)}`
            assert.strictEqual(out("lower"), !mayBeWithin(bound, undefined, operator, value), said)
            assert.strictEqual(out("upper"), !mayBeWithin(undefined, bound, operator, value), said)
          }
        }
      }
    })
  }

  it("leaves to decoded values what it cannot compare, and what not every row has to meet", () => {
    const types: ReadonlyArray<readonly [string, PrimitiveType]> = [
      ["text", { _tag: "string" }],
      ["wide", { _tag: "long" }],
      ["id", { _tag: "uuid" }],
      ["ratio", { _tag: "double" }]
    ]
    const columns = new Map(types.map(([name, type], id) => [name, { id, type }]))
    const compare = (column: string, value: SingleValue) => ({ _tag: "Compare", column, operator: "=", value }) as const
    for (const filter of [
      compare("text", "\ud83d"),
      compare("id", "f79c3e09-677c-4bbd-a479-3f349cb785e7"),
      compare("ratio", 1),
      compare("nowhere", 1n),
      { _tag: "Not", filter: compare("wide", 1n) } as const,
      { _tag: "Or", filters: [compare("wide", 1n), compare("wide", 2n)] } as const
    ]) {
      assert.deepStrictEqual(rangesOf(filter, columns), [])
    }
    // bytes of a column that was an int are of another length
    const [range] = rangesOf(compare("wide", 5n), columns)
    assert.isFalse(range!.lower?.(new Uint8Array(4).fill(0x7f), 0, 4))
  })
})
