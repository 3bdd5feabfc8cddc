/**
 * What must hold of every table after every swap, whoever made it: each record below its marks that decodes is one row,
 * nothing else is, every file is there, once; what a kept snapshot reaches stays, and reads as it did when it was made.
 *
 * Read with the lake's own planner, from storage as it is at that moment.
 */
import { crc32 } from "node:zlib"
import { Decoder, layerMemory, Storage, type Topic } from "@frazil/core"
import {
  Catalog,
  type Landing,
  planScan,
  readMarks,
  readRowFile,
  rowFileWriter,
  type ScanPlan,
  type StoredRow,
  type Table,
  type TableIdentifier
} from "@frazil/lake"
import { Cause, Effect, Exit, Layer } from "effect"
import type { Durable } from "../Durable.ts"
import { lakeServices } from "../lake/LakeServices.ts"
import { noDuckDb } from "../lake/NoDuckDb.ts"
import { packKept } from "../log/KeptRecord.ts"
import type { LogState } from "../log/LogState.ts"
import { type Caller, openDoor } from "../Port.ts"
import { makeKeptFiles, wrongMarks } from "./KeptFiles.ts"

const placeOf = (row: StoredRow): string => `${row["source_partition"]}/${row["source_offset"]}`

/** A row as text, and the record that it is of. */
interface PlacedRow {
  readonly place: string
  readonly partition: number
  readonly offset: number
  readonly text: string
}

const placed = (row: StoredRow): PlacedRow => ({
  place: placeOf(row),
  partition: Number(row["source_partition"]),
  offset: Number(row["source_offset"]),
  text: JSON.stringify(row)
})

/** Files are read once: what is changed in them from outside are other bytes. */
const rowsRead = new WeakMap<Uint8Array, ReadonlyArray<PlacedRow>>()

/** Throws when the bytes are not of a file of rows. */
const rowsOf = (bytes: Uint8Array): ReadonlyArray<PlacedRow> => {
  const known = rowsRead.get(bytes)
  if (known !== undefined) return known
  const rows = readRowFile(bytes).map(placed)
  rowsRead.set(bytes, rows)
  return rows
}

/** The rows that records become, by the landing's own columns, each at its place. Records are decoded once. */
const makeExpected = (landing: Landing, log: LogState) => {
  const decoder = Decoder.make(landing.topic as unknown as Topic<unknown>) // read through its shape only
  const rows = new Map<string, PlacedRow>()
  const decoded: Array<number> = []
  const write = Effect.fnUntraced(function* () {
    const storage = yield* Storage
    const writer = yield* rowFileWriter.open({
      schema: landing.schema,
      spec: landing.spec,
      shape: landing.topic.shape,
      sourceTopic: landing.topic.name,
      targetDirectory: "file:///expected",
      filePrefix: "rows"
    })
    for (const [partition, { records }] of (log.topics.get(landing.topic.name)?.partitions ?? []).entries()) {
      const from = decoded[partition] ?? 0
      decoded[partition] = records.length
      if (records.length > from) yield* writer.write(decoder.decode(packKept(records.slice(from))), partition)
    }
    for (const file of yield* writer.finish) {
      for (const row of readRowFile(yield* storage.read(file.filePath))) rows.set(placeOf(row), placed(row))
    }
  })
  const waiting = () =>
    (log.topics.get(landing.topic.name)?.partitions ?? []).some(
      ({ records }, partition) => records.length > (decoded[partition] ?? 0)
    )
  return (): ReadonlyMap<string, PlacedRow> => {
    if (!waiting()) return rows
    Effect.runSync(Effect.scoped(write()).pipe(Effect.provide(Layer.mergeAll(layerMemory, noDuckDb))))
    return rows
  }
}

interface Seen {
  readonly uuid: string
  readonly next: ReadonlyMap<number, number>
}

export interface TableChecks {
  /** Files that tables in force name, those of every snapshot they keep included. */
  readonly isReferenced: (uri: string) => boolean
  /** Rows of all tables. */
  readonly rows: () => number
  /** Checks every table once more, that it holds all of its topic, and that kept snapshots read as they did. */
  readonly atEnd: () => void
  /** Files below a table's location that it does not name, but for what a creation left that came to nothing. */
  readonly unnamed: (table: string) => ReadonlyArray<string>
}

/** Watches the catalog; `violated` is told what broke, at once. */
export const watchTables = (
  landings: ReadonlyArray<Landing>,
  durable: Durable,
  caller: Caller,
  violated: (what: string) => void
): TableChecks => {
  const { log, pointers, storage } = durable
  const seen = new Map<string, Seen>()
  const referenced = new Map<string, ReadonlySet<string>>()
  const locations = new Map<string, string>()
  const rowCounts = new Map<string, number>()
  /** What snapshots held when they were made. */
  const heldBy = new Map<bigint, number>()
  const expectedOf = new Map(landings.map((landing) => [landing.table, makeExpected(landing, log)]))
  const services = Effect.runSync(Effect.scoped(Layer.build(lakeServices(openDoor, caller, durable))))
  const keptFiles = makeKeptFiles()
  const load = Effect.fnUntraced(function* (identifier: TableIdentifier) {
    const table = yield* (yield* Catalog).loadTable(identifier)
    return { table, plan: yield* planScan(table), files: yield* keptFiles(table) }
  })

  /** The rows of a plan's files; undefined after telling what is wrong with one. */
  const readPlan = (name: string, plan: ScanPlan): ReadonlyArray<PlacedRow> | undefined => {
    const uris = plan.entries.map(({ dataFile }) => dataFile.filePath)
    if (new Set(uris).size !== uris.length) violated(`table ${name}: a file is referenced twice`)
    const rows: Array<PlacedRow> = []
    for (const uri of new Set(uris)) {
      const bytes = storage.bytesOf(uri)
      if (bytes === undefined) {
        violated(`table ${name}: file ${uri} is referenced and not there`)
        return undefined
      }
      try {
        rows.push(...rowsOf(bytes))
      } catch {
        violated(`table ${name}: file ${uri} is referenced and not whole`)
        return undefined
      }
    }
    return rows
  }

  const checkMarks = (name: string, landing: Landing, table: Table): ReadonlyMap<number, number> => {
    const marks = readMarks(landing.uid, landing.branch, table.metadata.properties) ?? new Map<number, never>()
    const next = new Map([...marks].map(([partition, mark]) => [partition, mark.next]))
    const before = seen.get(name)
    if (before !== undefined && before.uuid !== table.metadata.tableUuid) violated(`table ${name} was made anew`)
    for (const [partition, offset] of before?.next ?? []) {
      if ((next.get(partition) ?? 0) < offset) violated(`table ${name}: the mark of partition ${partition} went back`)
    }
    seen.set(name, { uuid: table.metadata.tableUuid, next })
    const wrong = wrongMarks(table)
    if (wrong !== undefined) violated(`table ${name}: ${wrong}`)
    return next
  }

  const compare = (landing: Landing, table: Table, plan: ScanPlan) => {
    const name = landing.table
    const next = checkMarks(name, landing, table)
    const rows = readPlan(name, plan)
    if (rows === undefined) return
    const expected = expectedOf.get(name)!()
    const places = new Set<string>()
    for (const { place, text } of rows) {
      if (places.has(place)) violated(`table ${name}: record ${place} is in it twice`)
      if (expected.get(place)?.text !== text) violated(`table ${name}: row ${place} is not its record`)
      places.add(place)
    }
    rowCounts.set(name, places.size)
    const { currentSnapshotId } = table.metadata
    if (currentSnapshotId !== null && !heldBy.has(currentSnapshotId)) heldBy.set(currentSnapshotId, digest(rows))
    let below = 0
    for (const { offset, partition, place } of expected.values()) {
      if (offset >= (next.get(partition) ?? 0)) continue
      below++
      if (!places.has(place)) below = Number.NaN
    }
    if (places.size !== below) {
      violated(`table ${name}: its ${places.size} rows are not the records below its marks that decode`)
    }
  }

  const check = (identifier: TableIdentifier): void => {
    const landing = landings.find((each) => each.namespace === identifier.namespace && each.name === identifier.name)
    if (landing === undefined) return
    const exit = Effect.runSyncExit(Effect.provide(load(identifier), services))
    if (Exit.isFailure(exit)) {
      violated(`table ${landing.table} cannot be read: ${Cause.pretty(exit.cause).split("\n")[0]}`)
      return
    }
    const { files, plan, table } = exit.value
    referenced.set(landing.table, files)
    locations.set(landing.table, table.metadata.location)
    compare(landing, table, plan)
  }

  /** Whoever reads a snapshot that is kept reads what it held when it was made. */
  const checkKept = (landing: Landing): void => {
    const exit = Effect.runSyncExit(
      Effect.gen(function* () {
        const table = yield* (yield* Catalog).loadTable(landing)
        for (const { snapshotId } of table.metadata.snapshots) {
          const rows = readPlan(landing.table, yield* planScan(table, { asOf: { _tag: "SnapshotId", snapshotId } }))
          const held = heldBy.get(snapshotId)
          if (rows !== undefined && held !== undefined && digest(rows) !== held) {
            violated(`table ${landing.table}: snapshot ${snapshotId} does not hold what it did`)
          }
        }
      }).pipe(Effect.provide(services))
    )
    if (Exit.isFailure(exit)) {
      violated(`table ${landing.table}: a kept snapshot cannot be read: ${Cause.pretty(exit.cause).split("\n")[0]}`)
    }
  }

  pointers.changed = check
  return {
    isReferenced: (uri) => [...referenced.values()].some((uris) => uris.has(uri)),
    rows: () => [...rowCounts.values()].reduce((sum, count) => sum + count, 0),
    atEnd: () => {
      for (const landing of landings) {
        check(landing)
        checkKept(landing)
        for (const [partition, { end }] of (log.topics.get(landing.topic.name)?.partitions ?? []).entries()) {
          const next = seen.get(landing.table)?.next.get(partition) ?? 0
          if (next !== end)
            violated(`table ${landing.table}: its mark of partition ${partition} is ${next}, not ${end}`)
        }
      }
    },
    unnamed: (table) => {
      const folder = `${locations.get(table)}/`
      const named = referenced.get(table) ?? new Set()
      return [...storage.objects.keys()].filter(
        (uri) => uri.startsWith(folder) && !named.has(uri) && !/\/00000-[^/]*\.metadata\.json$/.test(uri)
      )
    }
  }
}

/** Of rows, whatever their order. */
const digest = (rows: ReadonlyArray<PlacedRow>): number =>
  crc32(
    rows
      .map(({ text }) => text)
      .sort()
      .join("\n")
  )
