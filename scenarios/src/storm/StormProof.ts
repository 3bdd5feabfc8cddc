/**
 * What must hold after a storm: the diaries of its processes held against the table, its history, its files, and what
 * PyIceberg reads.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Storage } from "@frazil/core"
import {
  Catalog,
  commitTable,
  listSnapshots,
  planScan,
  readTable,
  removeOrphans,
  setProperties,
  type Table
} from "@frazil/lake"
import { s3Keys } from "@frazil/sim/servers"
import { Effect, Stream } from "effect"
import { type Finding, found } from "../Scenario.ts"
import { type Entry, readDiaries, tried } from "./Diary.ts"
import { catalogFile, roles, type StormPlace, stormTable, warehouseOf } from "./StormPlace.ts"
import { evolved } from "./StormTurns.ts"

const load = Catalog.use((catalog) => catalog.loadTable(stormTable))

interface Batch {
  readonly batch: string
  readonly rows: number
  /** Rows whose id is their own. */
  readonly distinct: number
}

const batchesQuery = `SELECT batch, count(*)::INTEGER AS rows,
  (count(DISTINCT id) FILTER (WHERE id = batch || '.' || n))::INTEGER AS own FROM t GROUP BY batch`

const batchesOf = Effect.fnUntraced(function* (table: Table) {
  const { rows } = yield* readTable(table, { query: batchesQuery })
  return rows.map((row): Batch => ({
    batch: String(row["batch"]),
    rows: Number(row["rows"]),
    distinct: Number(row["own"])
  }))
})

/** Acknowledged rows are there once; of others whole batches, once, or nothing. */
const judgeRows = (batches: ReadonlyArray<Batch>, done: ReadonlyArray<Entry>): ReadonlyArray<Finding> => {
  const there = new Map(batches.map((each) => [each.batch, each]))
  const acknowledged = new Map<string, number>(
    done.flatMap(({ rows, run, turn, who }) => (rows === undefined ? [] : [[`${who}.${run}.${turn}`, rows] as const]))
  )
  const lost = [...acknowledged].filter(([batch, rows]) => there.get(batch)?.rows !== rows)
  const doubled = batches.filter(({ distinct, rows }) => distinct !== rows)
  const others = batches.filter(({ batch }) => !acknowledged.has(batch))
  const rows = [...acknowledged.values()].reduce((sum, count) => sum + count, 0)
  return [
    found(
      acknowledged.size > 0 && lost.length === 0,
      `${acknowledged.size} acknowledged appends of ${rows} rows, of which ${lost.length} are not in the table row by row: ${lost.slice(0, 3).join(" ")}`
    ),
    found(
      doubled.length === 0,
      `${doubled.length} of ${batches.length} appends have a row twice; ${others.length} are there that nobody acknowledged, each once`
    )
  ]
}

/** The line from the head back has no gap, so that what was acknowledged is in it, or older than all of it. */
const judgeHistory = (table: Table, done: ReadonlyArray<Entry>): ReadonlyArray<Finding> => {
  const { metadata } = table
  const kept = new Set(metadata.snapshots.map(({ snapshotId }) => String(snapshotId)))
  const oldest = metadata.snapshots.reduce(
    (least, { sequenceNumber }) => (sequenceNumber < least ? sequenceNumber : least),
    metadata.lastSequenceNumber + 1n
  )
  const named = done.filter(({ snapshotId }) => snapshotId !== undefined)
  const compactions = named.filter(
    ({ sequenceNumber, who }) => sequenceNumber !== undefined && who.startsWith("compact-")
  )
  const sequences = named.flatMap(({ sequenceNumber }) => sequenceNumber ?? [])
  const lost = named.filter(
    ({ sequenceNumber, snapshotId }) =>
      !kept.has(snapshotId!) && sequenceNumber !== undefined && BigInt(sequenceNumber) >= oldest
  )
  const parents = new Set([...kept, null])
  const gaps = metadata.snapshots
    .slice(1)
    .filter(({ parentSnapshotId }) => !parents.has(parentSnapshotId === null ? null : String(parentSnapshotId)))
  return [
    found(
      compactions.length > 0 && lost.length === 0 && gaps.length === 0 && new Set(sequences).size === sequences.length,
      `${named.length} acknowledged snapshots, ${compactions.length} of them compactions: ${named.filter(({ snapshotId }) => kept.has(snapshotId!)).length} kept, ${lost.length} neither kept nor expired, ${sequences.length - new Set(sequences).size} at another's place, ${gaps.length} gaps in a line of ${kept.size}`
    )
  ]
}

/** Of turns that ended so, nothing is in the table. */
const refused: ReadonlySet<string> = new Set(["CommitConflict", "RequirementFailed"])

/**
 * What acknowledged turns made of the schema is in force: columns that came are there unless a turn may have dropped them, and
 * those that went are not. None is there that nobody asked for.
 */
const changesLost = (
  current: ReadonlySet<string>,
  entries: ReadonlyArray<Entry>,
  done: ReadonlyArray<Entry>
): ReadonlyArray<string> => {
  const turnOf = ({ run, turn, who }: Entry) => `${who}.${run}.${turn}`
  const nothing = new Set(entries.filter(({ came }) => refused.has(came)).map(turnOf))
  const perhaps = entries.filter((entry) => !nothing.has(turnOf(entry)))
  const asked = new Set(perhaps.flatMap(({ added }) => added ?? []))
  const mayBeGone = new Set(perhaps.flatMap(({ dropped }) => dropped ?? []))
  return [
    ...done.flatMap(({ added }) =>
      added === undefined || current.has(added) || mayBeGone.has(added) ? [] : `${added} is not there`
    ),
    ...done.flatMap(({ dropped }) =>
      dropped === undefined || !current.has(dropped) ? [] : `${dropped} is still there`
    ),
    ...Array.from(current).flatMap((name) => (asked.has(name) ? [] : `${name} is from nobody`))
  ]
}

const judgeSchema = Effect.fnUntraced(function* (
  table: Table,
  entries: ReadonlyArray<Entry>,
  done: ReadonlyArray<Entry>
) {
  const current = evolved(table)
  const lost = changesLost(new Set(current.map(({ name }) => name)), entries, done)
  const wrong = current.map(({ id, name }) => `"${name}" <> '${id}:' || id`)
  const query = `SELECT count(*)::INTEGER AS n FROM t WHERE ${["false", ...wrong].join(" OR ")}`
  const { rows } = yield* readTable(table, { query })
  const changes = done.filter(({ added, dropped }) => added !== undefined || dropped !== undefined).length
  return [
    found(
      changes > 0 && lost.length === 0,
      `${changes} acknowledged changes of the schema, ${lost.length} lost: ${lost.slice(0, 3).join(", ")}`
    ),
    found(
      rows[0]?.["n"] === 0,
      `${String(rows[0]?.["n"])} rows with another column's value, in ${current.length} columns that came and stayed`
    )
  ]
})

/** Every snapshot that is kept has the rows that its manifests promise, read from the files themselves. */
const judgeFiles = Effect.fnUntraced(function* (table: Table) {
  let [files, wrong] = [0, 0]
  for (const { snapshotId } of listSnapshots(table.metadata)) {
    const asOf = { _tag: "SnapshotId", snapshotId } as const
    const { entries } = yield* planScan(table, { asOf })
    const promised = entries.reduce((sum, { dataFile }) => sum + Number(dataFile.recordCount), 0)
    // a checksum of all columns: the count alone would come from footers
    const { rows } = yield* readTable(table, {
      asOf,
      query: "SELECT count(*)::INTEGER AS n, sum(hash(t))::VARCHAR AS h FROM t"
    })
    files += entries.length
    if (rows[0]?.["n"] !== promised) wrong++
  }
  return found(
    wrong === 0,
    `${wrong} of ${table.metadata.snapshots.length} kept snapshots have not the rows of their ${files} files`
  )
})

const infra = process.env["FRAZIL_INFRA"] ?? join(import.meta.dirname, "../../../../shared/infra")

/** The count and how many ids, as PyIceberg reads them; undefined where it is not. */
const countForeign = (place: StormPlace): Effect.Effect<unknown> => {
  const script = join(infra, "pylake.sh")
  if (!existsSync(script)) return Effect.undefined
  const request = {
    table: `${stormTable.namespace}.${stormTable.name}`,
    properties:
      place.servers === undefined
        ? { type: "sql", uri: `sqlite:///${catalogFile(place)}`, warehouse: warehouseOf(place) }
        : {
            type: "rest",
            uri: place.servers.catalog,
            "s3.endpoint": place.servers.store,
            "s3.access-key-id": s3Keys.accessKeyId,
            "s3.secret-access-key": s3Keys.secretAccessKey,
            "s3.region": s3Keys.region
          }
  }
  return Effect.callback((resume) => {
    const child = execFile("bash", [script, "py", join(import.meta.dirname, "count_rows.py")], (error, out, err) =>
      // printed by count_rows.py, compared with text and numbers only
      resume(error === null ? Effect.succeed(JSON.parse(out) as unknown) : Effect.succeed(`failed: ${err.slice(-500)}`))
    )
    child.stdin?.end(JSON.stringify(request))
  })
}

const judgeForeign = Effect.fnUntraced(function* (place: StormPlace, batches: ReadonlyArray<Batch>) {
  const rows = batches.reduce((sum, each) => sum + each.rows, 0)
  const said = yield* countForeign(place)
  // who says where it is wants it asked
  if (said === undefined) {
    const wanted = process.env["FRAZIL_INFRA"] !== undefined
    return found(
      !wanted,
      `PyIceberg was not asked: ${infra} has no pylake.sh; set FRAZIL_INFRA to the folder that has it`
    )
  }
  const expected = JSON.stringify({ rows, ids: rows })
  return found(JSON.stringify(said) === expected, `PyIceberg reads ${JSON.stringify(said)} of ${expected}`)
})

/** With everybody gone, whatever nothing names may go: what is left must be the table. */
const judgeOrphans = Effect.fnUntraced(function* (place: StormPlace, batches: ReadonlyArray<Batch>) {
  // a commit that was killed may have left metadata newer than the catalog's: the next one settles it
  const over = setProperties(new Map([["storm", "over"]]))
  yield* commitTable({ table: stormTable, actions: () => Effect.succeed([over]) })
  const removed = yield* removeOrphans(stormTable, { ageMsMin: 0 })
  const storage = yield* Storage
  const left = yield* Stream.runCount(storage.list(`${warehouseOf(place)}/`))
  const after = yield* batchesOf(yield* load)
  const same = JSON.stringify([...after].sort(byName)) === JSON.stringify([...batches].sort(byName))
  return found(
    same && removed.error === undefined,
    `${removed.filesBefore} orphans removed in the end, ${left} files left, the rows ${same ? "unchanged" : "CHANGED"}`
  )
})

const byName = (one: Batch, other: Batch): number => (one.batch < other.batch ? -1 : 1)

/** What was tried, by role: how often it was done, and why not. Roles that did nothing prove nothing. */
const judgeTurns = (entries: ReadonlyArray<Entry>): ReadonlyArray<Finding> =>
  roles.map((role) => {
    const turns = entries.filter(({ came, who }) => came !== tried && who.startsWith(`${role}-`))
    const counts = new Map<string, number>()
    for (const { came } of turns) counts.set(came, (counts.get(came) ?? 0) + 1)
    const removed = turns.reduce((sum, turn) => sum + (turn.removed ?? 0), 0)
    const said = Array.from(counts, ([came, count]) => `${count} ${came}`).join(", ")
    return found(counts.has("done"), `${role}: ${said}${removed > 0 ? `; ${removed} removed` : ""}`)
  })

/** What cannot even be read was not kept. */
const orNot = <R>(judged: Effect.Effect<Finding, { readonly message: string }, R>) =>
  judged.pipe(Effect.catch(({ message }) => Effect.succeed(found(false, message))))

export const judgeStorm = Effect.fnUntraced(function* (place: StormPlace) {
  const entries = readDiaries(place)
  const done = entries.filter(({ came }) => came === "done")
  const table = yield* load
  const batches = yield* batchesOf(table)
  return [
    ...judgeTurns(entries),
    ...judgeRows(batches, done),
    ...judgeHistory(table, done),
    ...(yield* judgeSchema(table, entries, done)),
    yield* orNot(judgeFiles(table)),
    yield* judgeForeign(place, batches),
    yield* orNot(judgeOrphans(place, batches))
  ]
})
