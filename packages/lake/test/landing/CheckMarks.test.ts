/**
 * When marks can be trusted: each way in which table and log can have come apart, and each that is legal.
 */
import { assert, describe, it } from "@effect/vitest"
import { Field, Topic } from "@frazil/core"
import type { TopicInfo } from "@frazil/engine"
import { Schema } from "effect"
import { checkAgainstLog, checkIdentity, marksInForce } from "../../src/landing/CheckMarks.ts"
import { Landing } from "../../src/landing/Landing.ts"
import { LandingError } from "../../src/landing/LandingError.ts"
import { type Mark, type Marks, writeMarks } from "../../src/landing/Mark.ts"
import type { Snapshot } from "../../src/spec/Snapshot.ts"
import type { TableMetadata } from "../../src/spec/TableMetadata.ts"
import { eventTable } from "../LakeFixtures.ts"

const topic: TopicInfo = { name: "events", id: "log.1", partitions: 2, createdAt: 0 }
const landing = Landing.make(
  Topic.make("events", { schema: Schema.Struct({ id: Field.text() }), key: "id", partitions: 2 }),
  { table: "test.events" }
)

const mark = (next: number, topicId = topic.id): Mark => ({ topicId, next, fingerprint: next === 0 ? "" : `f${next}` })
const marksAt = (...nexts: ReadonlyArray<number>): Marks =>
  new Map(nexts.map((next, partition) => [partition, mark(next)]))
const textOf = (marks: Marks) => writeMarks(landing.uid, landing.branch, marks)

/** A snapshot of id `id`; without marks it is another engine's. */
const snapshot = (id: bigint, parent: bigint | null, marks?: Marks): Snapshot => ({
  snapshotId: id,
  parentSnapshotId: parent,
  sequenceNumber: id,
  timestampMs: Number(id),
  manifestList: `file:///warehouse/${id}.avro`,
  operation: "append",
  summary: marks === undefined ? new Map() : textOf(marks),
  schemaId: 0
})

const table = (properties: Marks, head: bigint | null, ...snapshots: ReadonlyArray<Snapshot>): TableMetadata => ({
  ...eventTable(textOf(properties)),
  snapshots,
  currentSnapshotId: head
})

const reasonOf = (outcome: Marks | LandingError | undefined) =>
  outcome instanceof LandingError ? outcome.reason : undefined

describe("marks in force", () => {
  const [first, second] = [marksAt(5, 3), marksAt(9, 3)]
  const legal: ReadonlyArray<readonly [what: string, metadata: TableMetadata, marks: Marks]> = [
    ["of a table that was just made", table(marksAt(0, 0), null), marksAt(0, 0)],
    ["of the newest snapshot", table(second, 2n, snapshot(1n, null, first), snapshot(2n, 1n, second)), second],
    [
      "below what other engines appended",
      table(first, 3n, snapshot(1n, null, first), snapshot(2n, 1n), snapshot(3n, 2n)),
      first
    ],
    [
      "above what was there before the first landing",
      table(first, 2n, snapshot(1n, null), snapshot(2n, 1n, first)),
      first
    ],
    [
      "of a table that others filled before anything landed",
      table(marksAt(0, 0), 1n, snapshot(1n, null)),
      marksAt(0, 0)
    ],
    ["whose older snapshots expired", table(second, 2n, snapshot(2n, 1n, second)), second],
    ["of a table without marks", table(new Map(), 1n, snapshot(1n, null)), new Map()]
  ]
  it.each(legal)("are those %s", (_, metadata, marks) => {
    assert.deepStrictEqual(marksInForce(landing, metadata), marks)
  })

  const illegal: ReadonlyArray<readonly [what: string, metadata: TableMetadata]> = [
    ["the table was rolled back", table(second, 1n, snapshot(1n, null, first), snapshot(2n, 1n, second))],
    [
      "the table was rolled back, and others appended",
      table(second, 3n, snapshot(1n, null, first), snapshot(2n, 1n, second), snapshot(3n, 1n))
    ],
    [
      "the table was rolled back to before the first landing",
      table(first, 1n, snapshot(1n, null), snapshot(2n, 1n, first))
    ],
    ["a mark was edited", table(marksAt(6, 3), 1n, snapshot(1n, null, first))],
    [
      "a fingerprint was edited",
      table(new Map([...first, [0, { ...mark(5), fingerprint: "x" }]]), 1n, snapshot(1n, null, first))
    ],
    ["a mark was removed", table(marksAt(5), 1n, snapshot(1n, null, first))],
    ["all marks were removed", table(new Map(), 1n, snapshot(1n, null, first))],
    ["a mark was added", table(marksAt(5, 3, 0), 1n, snapshot(1n, null, first))],
    ["the only snapshot that carried them has expired", table(first, 2n, snapshot(2n, 1n))],
    ["every snapshot is gone", table(first, null)]
  ]
  it.each(illegal)("are none when %s", (_, metadata) => {
    assert.strictEqual(reasonOf(marksInForce(landing, metadata)), "TableRolledBack")
  })

  it("are none when a mark cannot be read, in the properties or in a summary", () => {
    const spoil = (texts: ReadonlyMap<string, string>) => new Map([...texts].map(([name]) => [name, "{"]))
    const sound = table(first, 1n, snapshot(1n, null, first))
    const spoiled = { ...snapshot(1n, null), summary: spoil(textOf(first)) }
    assert.strictEqual(
      reasonOf(marksInForce(landing, { ...sound, properties: spoil(sound.properties) })),
      "TableRolledBack"
    )
    assert.strictEqual(reasonOf(marksInForce(landing, { ...sound, snapshots: [spoiled] })), "TableRolledBack")
  })
})

describe("the table's identity", () => {
  const uuid = eventTable().tableUuid
  const line = [snapshot(1n, null), snapshot(2n, 1n), snapshot(3n, 2n)]

  it("holds while the table descends from the snapshot that was landed last", () => {
    assert.isUndefined(checkIdentity(landing, table(new Map(), 3n, ...line), undefined))
    for (const snapshotId of ["1", "2", "3"]) {
      assert.isUndefined(checkIdentity(landing, table(new Map(), 3n, ...line), { tableUuid: uuid, snapshotId }))
    }
  })

  it("holds when that snapshot has expired", () => {
    const expired = table(new Map(), 3n, ...line.slice(1))
    assert.isUndefined(checkIdentity(landing, expired, { tableUuid: uuid, snapshotId: "1" }))
  })

  it("is lost when the table is another, and when its branch left that snapshot", () => {
    const last = { tableUuid: uuid, snapshotId: "3" }
    const reason = (metadata: TableMetadata, known = last) => reasonOf(checkIdentity(landing, metadata, known))
    assert.strictEqual(reason(table(new Map(), 3n, ...line), { ...last, tableUuid: "another" }), "TableReplaced")
    assert.strictEqual(reason(table(new Map(), 2n, ...line)), "TableRolledBack")
    assert.strictEqual(reason(table(new Map(), 4n, ...line, snapshot(4n, 2n))), "TableRolledBack")
    assert.strictEqual(reason(table(new Map(), null)), "TableRolledBack")
  })
})

describe("marks against the log", () => {
  const bounds = (...ends: ReadonlyArray<readonly [start: number, end: number]>) =>
    ends.map(([start, end], partition) => ({ partition, start, end }))
  const reason = (marks: Marks, log: ReturnType<typeof bounds>, positions: ReadonlyArray<number> = []) =>
    reasonOf(checkAgainstLog(landing, marks, topic, log, new Map(positions.map((offset, index) => [index, offset]))))

  it("fit anywhere from the log's start to its end", () => {
    for (const next of [4, 5, 8]) assert.isUndefined(reason(marksAt(next, 0), bounds([4, 8], [0, 0])))
  })

  it("may be missing for a partition that is new, not for one whose first records are gone", () => {
    assert.isUndefined(reason(marksAt(2), bounds([0, 8], [0, 3])))
    assert.strictEqual(reason(marksAt(2), bounds([0, 8], [1, 3])), "MarkAheadOfLog")
  })

  it("do not fit a log that is older than the table, or that lost records which had not landed", () => {
    assert.strictEqual(reason(marksAt(9, 0), bounds([0, 8], [0, 0])), "MarkAheadOfLog")
    assert.strictEqual(reason(marksAt(3, 0), bounds([4, 8], [0, 0])), "MarkAheadOfLog")
  })

  it("do not fit another topic of that name, however far it is", () => {
    const marks = new Map([...marksAt(2, 0), [0, mark(2, "log.2")]])
    assert.strictEqual(reason(marks, bounds([0, 8], [0, 0])), "TopicRecreated")
  })

  it("do not lie below what had landed already: an older catalog was restored", () => {
    assert.strictEqual(reason(marksAt(2, 0), bounds([0, 8], [0, 0]), [3, 0]), "TableRolledBack")
    assert.isUndefined(reason(marksAt(4, 1), bounds([0, 8], [0, 8]), [3, 0]))
  })

  it("say which table, which partition and what to do", () => {
    const error = checkAgainstLog(landing, marksAt(9, 0), topic, bounds([0, 8], [0, 0]), new Map())
    assert.match(
      error?.message ?? "",
      /^table test\.events: .* partition 0 of events is 9, the log holds 0 to 8: .* restore/
    )
  })
})
