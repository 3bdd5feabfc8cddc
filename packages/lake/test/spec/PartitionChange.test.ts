import { assert, describe, it } from "@effect/vitest"
import { evolvePartitionSpec, type PartitionChange } from "../../src/spec/PartitionChange.ts"
import { eventSchema, eventSpec } from "../LakeFixtures.ts"

const evolve = (specs: ReadonlyArray<typeof eventSpec>, ...changes: ReadonlyArray<PartitionChange>) =>
  evolvePartitionSpec({ specs, current: specs.at(-1)!, schema: eventSchema, lastPartitionId: 1000 }, changes)

const hour = { _tag: "AddPartitionField", column: "event_timestamp", transform: { _tag: "hour" } } as const
const day = { _tag: "AddPartitionField", column: "event_timestamp", transform: { _tag: "day" } } as const
const noDay = { _tag: "RemovePartitionField", name: "event_timestamp_day" } as const

describe("evolvePartitionSpec", () => {
  it("adds, removes and renames fields in a new spec, with ids of its own", () => {
    const { lastPartitionId, spec } = evolve([eventSpec], noDay, hour, {
      _tag: "AddPartitionField",
      column: "event_id",
      transform: { _tag: "bucket", buckets: 16 },
      name: "shard"
    })
    assert.deepStrictEqual(
      spec.fields.map(({ fieldId, name, sourceId }) => [fieldId, name, sourceId]),
      [
        [1001, "event_timestamp_hour", 2],
        [1002, "shard", 1]
      ]
    )
    assert.deepStrictEqual([spec.specId, lastPartitionId], [1, 1002])
  })

  it("gives a field that comes back its old id, and a spec that comes back its old id", () => {
    const { spec } = evolve([eventSpec], noDay, hour)
    const back = evolve([eventSpec, spec], { _tag: "RemovePartitionField", name: "event_timestamp_hour" }, day)
    assert.deepStrictEqual(back.spec, eventSpec)
    const both = evolve([eventSpec, spec], day)
    assert.deepStrictEqual(
      both.spec.fields.map(({ fieldId }) => fieldId),
      [1001, 1000]
    )
  })

  it("leaves a table unpartitioned when every field goes", () => {
    assert.deepStrictEqual(evolve([eventSpec], noDay).spec, { specId: 1, fields: [] })
  })

  const refused: ReadonlyArray<readonly [RegExp, PartitionChange]> = [
    [/no partition field nope/, { _tag: "RemovePartitionField", name: "nope" }],
    [/no column nope/, { _tag: "AddPartitionField", column: "nope", transform: { _tag: "identity" } }],
    [/by day of event_timestamp already/, { ...day, name: "again" }],
    [/hour does not take/, { _tag: "AddPartitionField", column: "amount", transform: { _tag: "hour" } }],
    [/a column has this name/, { _tag: "RenamePartitionField", name: "event_timestamp_day", to: "amount" }]
  ]
  for (const [message, change] of refused) {
    it(`refuses ${JSON.stringify(change)}`, () => assert.throws(() => evolve([eventSpec], change), message))
  }
})
