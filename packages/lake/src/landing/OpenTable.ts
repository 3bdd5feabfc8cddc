/**
 * Finds or makes a landing's table, and says whether it may be landed into.
 *
 * Called at the start, when idle, and after a moved mark. A new table is made with all its marks, so that a partition
 * without one is known to be new (protocol, rule 15).
 */
import { Log, type RecordInForce, type TopicInfo } from "@frazil/engine"
import { Effect } from "effect"
import { Catalog, type Table } from "../catalog/Catalog.ts"
import type { LakeError } from "../LakeError.ts"
import { checkAgainstLog, checkIdentity, type LandedState, tableGone } from "./CheckMarks.ts"
import { checkSchema } from "./CheckSchema.ts"
import type { Landing } from "./Landing.ts"
import { LandingError } from "./LandingError.ts"
import { fingerprintOf, type Mark, type Marks, writeMarks } from "./Mark.ts"
import { marksBorneOut } from "./MarksBorneOut.ts"

/** A table that may be landed into, and from where on. */
export interface OpenedTable {
  readonly table: Table
  readonly marks: Marks
}

/** What the landing's record in force holds besides positions. */
export interface LandingDetail {
  /** Undefined until the first swap. */
  readonly landed: LandedState | null
}

export const openTable = Effect.fnUntraced(function* (
  landing: Landing,
  topic: TopicInfo,
  inForce: RecordInForce | undefined
) {
  const catalog = yield* Catalog
  const table = yield* catalog.loadTable(landing).pipe(
    Effect.catchTag("LakeError", (error): Effect.Effect<Table, LakeError | LandingError, Catalog> => {
      if (error.reason !== "TableMissing") return Effect.fail(error)
      return inForce === undefined ? makeTable(landing, topic) : Effect.fail(tableGone(landing))
    })
  )
  // written by this landing in every record in force
  const detail = inForce?.detail as LandingDetail | undefined
  const wrong = checkIdentity(landing, table.metadata, detail?.landed ?? undefined) ?? checkSchema(landing, table)
  if (wrong !== undefined) return yield* wrong
  const marks = yield* marksBorneOut(landing, table)
  if (marks instanceof LandingError) return yield* marks
  const log = yield* Log
  const bounds = yield* log.bounds(topic.name)
  const positions = new Map(inForce?.positions.map((position, partition) => [partition, position.offset]))
  const astray = checkAgainstLog(landing, marks, topic, bounds, positions)
  if (astray !== undefined) return yield* astray
  yield* checkFingerprints(landing, topic, marks, new Map(bounds.map(({ partition, start }) => [partition, start])))
  return { table, marks: completed(marks, topic) } satisfies OpenedTable
})

const firstMark = (topic: TopicInfo): Mark => ({ topicId: topic.id, next: 0, fingerprint: "" })

/** Marks for partitions that came later start at 0. */
const completed = (marks: Marks, topic: TopicInfo): Marks =>
  new Map(
    Array.from({ length: topic.partitions }, (_, partition) => [partition, marks.get(partition) ?? firstMark(topic)])
  )

const makeTable = Effect.fnUntraced(function* (landing: Landing, topic: TopicInfo) {
  const catalog = yield* Catalog
  return yield* catalog
    .createTable({
      identifier: landing,
      schema: landing.schema,
      partitionSpec: landing.spec,
      properties: new Map([
        ["write.format.default", "parquet"],
        ["write.parquet.compression-codec", "zstd"],
        ...writeMarks(landing.uid, landing.branch, completed(new Map(), topic))
      ])
    })
    .pipe(
      Effect.catchIf(
        (error) => error.reason === "TableExists",
        () => catalog.loadTable(landing)
      )
    )
})

/** The record before each mark is still the one that was landed (rule 13); one that retention removed cannot be asked. */
const checkFingerprints = Effect.fnUntraced(function* (
  landing: Landing,
  topic: TopicInfo,
  marks: Marks,
  starts: ReadonlyMap<number, number>
) {
  const log = yield* Log
  for (const [partition, mark] of marks) {
    if (mark.next <= (starts.get(partition) ?? 0)) continue
    const batch = yield* log.read(topic.name, partition, mark.next - 1, { recordsMax: 1, bytesMax: 1 })
    if (batch.length > 0 && fingerprintOf(batch, 0) === mark.fingerprint) continue
    return yield* new LandingError({
      reason: "TopicRecreated",
      message: `table ${landing.table}: the record at offset ${mark.next - 1} of partition ${partition} of ${topic.name} is not the one that was landed: this is another log. Give the log that belongs to this warehouse`
    })
  }
})
