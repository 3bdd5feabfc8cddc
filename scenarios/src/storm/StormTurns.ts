/** What each role of the storm does in a turn, by the library's public functions, as a user would call them. */
import type { Storage } from "@frazil/core"
import {
  append as appendFiles,
  appendRows,
  Catalog,
  commitTable,
  compactTable,
  currentSchema,
  type DuckDb,
  expireSnapshots,
  type FileIO,
  LakeError,
  removeOrphans,
  type SchemaChange,
  type Table,
  updateSchema
} from "@frazil/lake"
import type { Random } from "@frazil/sim"
import { Clock, Effect } from "effect"
import { type Entry, oldestTurnMs } from "./Diary.ts"
import { partitions, type Role, type StormPlace, stormTable } from "./StormPlace.ts"

export interface Turn {
  readonly who: string
  readonly run: number
  readonly turn: number
  /** Which of its role a process is, from 0. */
  readonly number: number
  readonly place: StormPlace
  readonly random: Random
  /** Writes down what the turn is about to do: known however it ends. */
  readonly announce: (said: Said) => void
}

/** What a turn that was acknowledged adds to its entry. */
export type Said = Partial<Omit<Entry, "who" | "run" | "turn" | "came">>

/** Columns that are there from the beginning; all others come and go. */
const ownColumns: ReadonlySet<string> = new Set(["id", "batch", "part", "n"])

export const evolved = ({ metadata }: Table) =>
  currentSchema(metadata).fields.filter(({ name }) => !ownColumns.has(name))

type Failure = LakeError | Effect.Error<ReturnType<typeof appendRows>>

const rowsMax = 200
const evolvedMax = 5

/** `append-3.0.17`: rows of one turn of one process. Retries of a turn are turns of their own. */
const batchOf = ({ run, turn, who }: Turn): string => `${who}.${run}.${turn}`

const load = Catalog.use((catalog) => catalog.loadTable(stormTable))

/** A value of an evolved column says the column's field id, so that none can be taken for another's. */
const rowsSql = (turn: Turn, table: Table, rows: number): string => {
  const batch = batchOf(turn)
  const more = evolved(table).map(({ id, name }) => `'${id}:${batch}.' || i AS "${name}"`)
  const columns = [`'${batch}.' || i AS id`, `'${batch}' AS batch`, `${turn.number % partitions} AS part`, "i AS n"]
  return `SELECT ${[...columns, ...more].join(", ")} FROM range(${rows}) AS t(i)`
}

/** A query that names columns of a schema which is not in force any more: to be asked anew. */
const ofAnotherSchema = (before: Table, error: Failure) =>
  Effect.flatMap(load, (now) => {
    const moved = now.metadata.currentSchemaId !== before.metadata.currentSchemaId
    return Effect.fail(moved ? new LakeError({ reason: "RequirementFailed", message: error.message }) : error)
  })

const append = Effect.fnUntraced(function* (turn: Turn) {
  const rows = 1 + turn.random.below(rowsMax)
  const table = yield* load
  const committed = yield* appendRows(stormTable, rowsSql(turn, table, rows)).pipe(
    Effect.catchIf(
      ({ reason }) => reason === "Invalid",
      (error) => ofAnotherSchema(table, error)
    )
  )
  const { sequenceNumber, snapshotId } = committed!.snapshot! // there were rows
  return { rows, snapshotId: String(snapshotId), sequenceNumber: String(sequenceNumber) } satisfies Said
})

/**
 * A report names its snapshot only, so the table is asked for its place. One that is not there was expired already, or it is
 * lost: it is not for a turn to say which, unless it is too young to have expired.
 */
const compact = Effect.fnUntraced(function* ({ place }: Turn) {
  const { snapshotAgeMsMax } = place.limits
  const startedAtMs = yield* Clock.currentTimeMillis
  const { snapshotId } = yield* compactTable(stormTable, { inputFilesMin: 4 })
  if (snapshotId === undefined) return {} satisfies Said
  const { metadata } = yield* load
  const made = metadata.snapshots.find((each) => String(each.snapshotId) === snapshotId)
  if (made !== undefined) return { snapshotId, sequenceNumber: String(made.sequenceNumber) } satisfies Said
  const ageMs = (yield* Clock.currentTimeMillis) - startedAtMs
  return ageMs > snapshotAgeMsMax
    ? ({ snapshotId } satisfies Said)
    : yield* Effect.die(new Error(`snapshot ${snapshotId} of a compaction is not in the table ${ageMs} ms later`))
})

const expire = Effect.fnUntraced(function* ({ place }: Turn) {
  const { snapshotAgeMsMax } = place.limits
  const { snapshotsExpired } = yield* expireSnapshots(stormTable, { snapshotAgeMsMax, snapshotsKeptMin: 3 })
  return { removed: snapshotsExpired } satisfies Said
})

/** Of a file's time and the clock of who began a turn. */
const clocksApartMs = 1_000

/** Moves the head: a commit that a server still has of somebody who is gone is refused from now on. */
const refuseUnanswered = commitTable({
  table: stormTable,
  actions: () => Effect.succeed([appendFiles([])]),
  // appends come all the time
  retriesMax: 20
})

/**
 * What is older than any attempt and unnamed will never be committed: that is so on any machine, since no time is taken for
 * granted. Turns that go on say since when, files of later ones are younger still, and nothing comes of those that are gone.
 */
const removeOld = Effect.fnUntraced(function* ({ place }: Turn) {
  if (place.servers !== undefined) yield* refuseUnanswered
  const nowMs = yield* Clock.currentTimeMillis
  const attemptMs = nowMs - oldestTurnMs(place, nowMs) + clocksApartMs
  const ageMsMin = Math.max(place.limits.orphanAgeMsMin, attemptMs)
  const { filesAfter, filesBefore } = yield* removeOrphans(stormTable, { ageMsMin })
  return { removed: filesBefore - filesAfter } satisfies Said
})

/** Names are never used twice, so that one name means one field. */
const changeOf = (
  table: Table,
  { random, run, turn }: Turn
): { readonly change: SchemaChange; readonly said: Said } => {
  const columns = evolved(table)
  const column = columns[random.below(Math.max(1, columns.length))]?.name
  const name = `c_${run}_${turn}`
  const choice = random.below(3)
  if (column === undefined || (choice === 0 && columns.length < evolvedMax)) {
    return { change: { _tag: "AddColumn", name, type: { _tag: "string" } }, said: { added: name } }
  }
  return choice === 1
    ? { change: { _tag: "RenameColumn", column, name }, said: { added: name, dropped: column } }
    : { change: { _tag: "DropColumn", column }, said: { dropped: column } }
}

const evolve = Effect.fnUntraced(function* (turn: Turn) {
  const { change, said } = changeOf(yield* load, turn)
  turn.announce(said)
  yield* commitTable({ table: stormTable, actions: () => Effect.succeed([updateSchema(change)]) })
  return said
})

/** One turn; its failures are the library's own. */
export const takeTurn = (role: Role, turn: Turn): Effect.Effect<Said, Failure, Catalog | FileIO | DuckDb | Storage> => {
  switch (role) {
    case "append":
      return append(turn)
    case "compact":
      return compact(turn)
    case "expire":
      return expire(turn)
    case "evolve":
      return evolve(turn)
    case "orphans":
      return removeOld(turn)
  }
}

/** Between turns, at most: those that keep the table in shape come less often. */
export const pauseMsMax: Readonly<Record<Role, number>> = {
  append: 300,
  compact: 1_000,
  expire: 1_000,
  evolve: 1_000,
  orphans: 2_000
}
