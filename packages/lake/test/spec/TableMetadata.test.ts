import { assert, describe, it } from "@effect/vitest"
import { parseJson, printJson } from "../../src/spec/Json.ts"
import { applyUpdates, newTableProblems, type MetadataUpdate } from "../../src/spec/MetadataUpdate.ts"
import { partitionSpec } from "../../src/spec/PartitionSpec.ts"
import { branchAt, type Snapshot } from "../../src/spec/Snapshot.ts"
import { unsorted } from "../../src/spec/SortOrder.ts"
import { ancestorsOf, currentSnapshot, type TableMetadata } from "../../src/spec/TableMetadata.ts"
import {
  tableMetadataFromBytes,
  tableMetadataFromJson,
  tableMetadataToBytes
} from "../../src/spec/TableMetadataJson.ts"
import { eventSchema, eventSpec, eventTable } from "../LakeFixtures.ts"

const snapshot = (snapshotId: bigint, parentSnapshotId: bigint | null, sequenceNumber: bigint): Snapshot => ({
  snapshotId,
  parentSnapshotId,
  sequenceNumber,
  timestampMs: 1_700_000_000_000 + Number(sequenceNumber) * 1000,
  manifestList: `file:///warehouse/snap-${snapshotId}.avro`,
  operation: "append",
  summary: new Map([["total-records", "0"]]),
  schemaId: 0
})

const commit = (base: TableMetadata, id: bigint, nowMs: number): TableMetadata => {
  const updates: ReadonlyArray<MetadataUpdate> = [
    { _tag: "AddSnapshot", snapshot: snapshot(id, base.currentSnapshotId, base.lastSequenceNumber + 1n) },
    { _tag: "SetSnapshotRef", name: "main", ref: branchAt(id) }
  ]
  return applyUpdates(base, `file:///warehouse/${base.lastSequenceNumber}.metadata.json`, updates, nowMs)
}

const text = (metadata: TableMetadata): string => new TextDecoder().decode(tableMetadataToBytes(metadata))
const parse = (json: string) => tableMetadataFromBytes(new TextEncoder().encode(json))

const first = commit(eventTable(new Map([["owner", "frazil"]])), 9007199254740993n, 1_700_000_001_000)
const second = commit(first, 9223372036854775807n, 1_700_000_002_000)

describe("TableMetadata", () => {
  it("keeps everything through JSON, 64-bit ids to the last digit", () => {
    assert.deepStrictEqual(parse(text(second)), second)
    assert.include(text(second), '"current-snapshot-id":9223372036854775807')
    assert.include(text(second), '"parent-snapshot-id":9007199254740993')
  })

  it("writes every field that Java requires, and nothing that it rejects", () => {
    const json = JSON.parse(text(eventTable()))
    for (const key of [
      "format-version",
      "table-uuid",
      "location",
      "last-sequence-number",
      "last-updated-ms",
      "last-column-id",
      "current-schema-id",
      "schemas",
      "default-spec-id",
      "partition-specs",
      "last-partition-id",
      "default-sort-order-id",
      "sort-orders",
      "current-snapshot-id"
    ]) {
      assert.property(json, key)
    }
    assert.strictEqual(json["current-snapshot-id"], -1)
    const snapshots = JSON.parse(text(second)).snapshots
    assert.notProperty(snapshots[0], "parent-snapshot-id")
    assert.strictEqual(snapshots[0].summary.operation, "append")
  })

  it("follows snapshots in log, refs and ancestors", () => {
    assert.strictEqual(currentSnapshot(second)?.snapshotId, 9223372036854775807n)
    assert.deepStrictEqual(
      second.snapshotLog.map((entry) => entry.snapshotId),
      [9007199254740993n, 9223372036854775807n]
    )
    assert.deepStrictEqual(
      Array.from(ancestorsOf(second, second.currentSnapshotId), (each) => each.snapshotId),
      [9223372036854775807n, 9007199254740993n]
    )
    assert.deepStrictEqual(second.metadataLog.at(-1), {
      timestampMs: first.lastUpdatedMs,
      metadataFile: "file:///warehouse/1.metadata.json"
    })
  })

  it("never goes back in time, whatever the clock says", () => {
    const set: MetadataUpdate = { _tag: "SetProperties", properties: new Map([["a", "1"]]) }
    const later = applyUpdates(second, "file:///x", [set], 1_800_000_000_000)
    assert.strictEqual(later.lastUpdatedMs, 1_800_000_000_000)
    assert.strictEqual(applyUpdates(later, "file:///y", [set], 1_600_000_000_000).lastUpdatedMs, 1_800_000_000_000)
    // Java rejects metadata that is older than its own log.
    const third = commit(second, 5n, 1_600_000_000_000)
    assert.strictEqual(third.lastUpdatedMs, third.snapshotLog.at(-1)?.timestampMs)
  })

  it("remembers at most 100 earlier metadata files, or as many as the property says", () => {
    let many = first
    let few = applyUpdates(
      first,
      "file:///x",
      [{ _tag: "SetProperties", properties: new Map([["write.metadata.previous-versions-max", "3"]]) }],
      0
    )
    for (let i = 0; i < 120; i++) {
      many = commit(many, BigInt(100 + i), 0)
      few = commit(few, BigInt(100 + i), 0)
    }
    assert.lengthOf(many.metadataLog, 100)
    assert.lengthOf(few.metadataLog, 3)
    assert.strictEqual(many.snapshots.length, 121)
  })

  it("sets and removes properties", () => {
    const set = applyUpdates(
      first,
      "file:///x",
      [
        { _tag: "SetProperties", properties: new Map([["a", "1"]]) },
        { _tag: "RemoveProperties", names: ["owner"] }
      ],
      0
    )
    assert.deepStrictEqual(Array.from(set.properties), [["a", "1"]])
  })

  it("takes a missing refs map and -1 for what they mean", () => {
    const again = tableMetadataFromJson({ ...Object(parseJson(text(first))), refs: null })
    assert.strictEqual(again.refs.get("main")?.snapshotId, 9007199254740993n)
    assert.strictEqual(parse(text(eventTable())).currentSnapshotId, null)
  })

  const damaged: ReadonlyArray<readonly [string, (json: string) => string, RegExp]> = [
    [
      "a rounded current-snapshot-id",
      (json) => json.replace(/("current-snapshot-id":)\d+/, "$19007199254740992"),
      /refs\.main/
    ],
    [
      "a ref to nowhere",
      (json) => json.replaceAll("9223372036854775807", "1").replace('"snapshot-id":1,', '"snapshot-id":2,'),
      /not in the table|refs/
    ],
    ["no schemas", (json) => json.replace('"schemas"', '"schemes"'), /schemas: expected a list, found missing/],
    [
      "a schema id that is not there",
      (json) => json.replace('"current-schema-id":0', '"current-schema-id":4'),
      /schema 4 is not in it/
    ],
    [
      "a spec id that is not there",
      (json) => json.replace('"default-spec-id":0', '"default-spec-id":4'),
      /partition spec 4/
    ],
    ["text cut short", (json) => json.slice(0, json.length - 10), /JSON at character/],
    [
      "a numeric summary",
      (json) => json.replace('"total-records":"0"', '"total-records":0'),
      /summary\.total-records: expected a string/
    ],
    ["version 3 without row ids", (json) => json.replace('"format-version":2', '"format-version":3'), /next-row-id/],
    ["version 4", (json) => json.replace('"format-version":2', '"format-version":4'), /format version 4/],
    ["keys of encryption", (json) => json.replace(/^\{/, '{"encryption-keys":[{"key-id":"a"}],'), /encrypted/]
  ]
  for (const [what, damage, message] of damaged) {
    it(`gives one clear error for ${what}`, () => {
      assert.throws(() => parse(damage(text(second))), message)
    })
  }

  it("refuses a table with reserved or unknown columns before it is made", () => {
    const table = { schema: eventSchema, partitionSpec: eventSpec, sortOrder: unsorted, properties: new Map() }
    assert.deepStrictEqual(newTableProblems(table), [])
    const spec = partitionSpec(eventSchema, [{ column: "nowhere", transform: { _tag: "day" } }])
    assert.match(newTableProblems({ ...table, partitionSpec: spec }).join(), /nowhere_day/)
    const hours = partitionSpec(eventSchema, [{ column: "event_id", transform: { _tag: "hour" } }])
    assert.match(newTableProblems({ ...table, partitionSpec: hours }).join(), /hour does not take/)
  })

  it("reads what it prints as JSON.parse does", () => {
    assert.deepStrictEqual(JSON.parse(printJson(parseJson(text(first)))), JSON.parse(text(first)))
  })
})
