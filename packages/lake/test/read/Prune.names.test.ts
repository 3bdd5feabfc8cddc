/** Columns of filters by their full names, which another engine's tables may give to two fields. */
import { assert, describe, it } from "@effect/vitest"
import { mayMatch, type Filter } from "../../src/read/Filter.ts"
import { pruner } from "../../src/read/Prune.ts"
import { singleValueToBytes } from "../../src/spec/SingleValue.ts"
import type { NestedField } from "../../src/spec/Type.ts"

const int = { _tag: "int" } as const
const field = (id: number, name: string, type: NestedField["type"]): NestedField => ({
  id,
  name,
  required: false,
  type
})

const bound = (value: number) => new Map([2, 3, 5].map((id) => [id, singleValueToBytes(int, value)]))
const ones = new Map([2, 3, 5].map((id) => [id, 1n]))
const none = new Map<number, bigint>()
const facts = {
  partition: [],
  valueCounts: ones,
  nullValueCounts: none,
  nanValueCounts: none,
  lowerBounds: bound(1),
  upperBounds: bound(1)
}

describe("pruner", () => {
  it("leaves out nothing by a name that two fields have, whichever is first", () => {
    const struct = field(1, "a", { _tag: "struct", fields: [field(2, "b", int)] })
    const flat = field(3, "a.b", int)
    const other = field(4, "c", { _tag: "struct", fields: [field(5, "d", int)] })
    for (const fields of [
      [struct, flat, other],
      [flat, struct, other]
    ]) {
      const { file } = pruner({ schemaId: 0, identifierFieldIds: [], fields })
      const seven = (column: string): Filter => ({ _tag: "Compare", column, operator: "=", value: 7 })
      assert.isTrue(mayMatch(seven("a.b"), file([], facts)))
      assert.isFalse(mayMatch(seven("c.d"), file([], facts)))
    }
  })
})
