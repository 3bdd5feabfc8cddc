/**
 * What must hold of every table after every swap: each record below its marks that decodes is one row, nothing else is, and
 * every file is there, once.
 *
 * Read with the lake's own planner, from storage as it is at that moment.
 */
import { Decoder, layerMemory, Storage, type Topic } from "@frazil/core"
import {
  Catalog,
  FileIO,
  type Landing,
  makePointerCatalog,
  planScan,
  readMarks,
  readRowFile,
  rowFileWriter,
  type StoredRow,
  type Table,
  type TableIdentifier
} from "@frazil/lake"
import { Cause, Effect, Exit, Layer } from "effect"
import { faultyPointers, type PointerState } from "../lake/PointerState.ts"
import { faultyStorage, type StorageState } from "../lake/StorageState.ts"
import { packKept } from "../log/KeptRecord.ts"
import type { LogState } from "../log/LogState.ts"
import { type Caller, openDoor } from "../Port.ts"
import { noDuckDb } from "../lake/NoDuckDb.ts"

const placeOf = (row: StoredRow): string => `${row["source_partition"]}/${row["source_offset"]}`

/** The rows that records become, by the landing's own columns, each at its place. Records are decoded once. */
const makeExpected = (landing: Landing, log: LogState) => {
  const decoder = Decoder.make(landing.topic as unknown as Topic<unknown>) // read through its shape only
  const rows = new Map<string, string>()
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
      for (const row of readRowFile(yield* storage.read(file.filePath))) rows.set(placeOf(row), JSON.stringify(row))
    }
  })
  return (): ReadonlyMap<string, string> => {
    Effect.runSync(Effect.scoped(write()).pipe(Effect.provide(Layer.mergeAll(layerMemory, noDuckDb))))
    return rows
  }
}

interface Seen {
  readonly uuid: string
  readonly next: ReadonlyMap<number, number>
}

export interface TableChecks {
  /** Files that tables in force name. */
  readonly isReferenced: (uri: string) => boolean
  /** Rows of all tables. */
  readonly rows: () => number
  /** Checks every table once more, and that it holds all of its topic. */
  readonly atEnd: () => void
}

/** Watches the catalog; `violated` is told what broke, at once. */
export const watchTables = (
  landings: ReadonlyArray<Landing>,
  log: LogState,
  storage: StorageState,
  pointers: PointerState,
  caller: Caller,
  violated: (what: string) => void
): TableChecks => {
  const seen = new Map<string, Seen>()
  const referenced = new Map<string, ReadonlySet<string>>()
  const rowCounts = new Map<string, number>()
  const expectedOf = new Map(landings.map((landing) => [landing.table, makeExpected(landing, log)]))
  const services = Layer.effect(
    Catalog,
    Effect.map(FileIO, (fileIO) =>
      makePointerCatalog(faultyPointers(openDoor, caller, pointers, storage), fileIO, "file:///warehouse")
    )
  ).pipe(
    Layer.provideMerge(FileIO.layer),
    Layer.provide(Layer.succeed(Storage, faultyStorage(openDoor, caller, storage)))
  )
  const load = Effect.fnUntraced(function* (identifier: TableIdentifier) {
    const table = yield* (yield* Catalog).loadTable(identifier)
    return { table, plan: yield* planScan(table) }
  })

  const compare = (landing: Landing, table: Table, uris: ReadonlyArray<string>) => {
    const name = landing.table
    if (new Set(uris).size !== uris.length) violated(`table ${name}: a file is referenced twice`)
    const marks = readMarks(landing.uid, landing.branch, table.metadata.properties) ?? new Map<number, never>()
    const next = new Map([...marks].map(([partition, mark]) => [partition, mark.next]))
    const before = seen.get(name)
    if (before !== undefined && before.uuid !== table.metadata.tableUuid) violated(`table ${name} was made anew`)
    for (const [partition, offset] of before?.next ?? []) {
      if ((next.get(partition) ?? 0) < offset) violated(`table ${name}: the mark of partition ${partition} went back`)
    }
    seen.set(name, { uuid: table.metadata.tableUuid, next })
    referenced.set(name, new Set(uris))
    const expected = expectedOf.get(name)!()
    const below = [...expected.keys()].filter((place) => {
      const [partition, offset] = place.split("/").map(Number)
      return offset! < (next.get(partition!) ?? 0)
    })
    const places = new Set<string>()
    for (const uri of new Set(uris)) {
      const bytes = storage.bytesOf(uri)
      if (bytes === undefined) return violated(`table ${name}: file ${uri} is referenced and not there`)
      let rows: ReadonlyArray<StoredRow>
      try {
        rows = readRowFile(bytes)
      } catch {
        return violated(`table ${name}: file ${uri} is referenced and not whole`)
      }
      for (const row of rows) {
        const place = placeOf(row)
        if (places.has(place)) violated(`table ${name}: record ${place} is in it twice`)
        if (expected.get(place) !== JSON.stringify(row)) violated(`table ${name}: row ${place} is not its record`)
        places.add(place)
      }
    }
    rowCounts.set(name, places.size)
    if (places.size !== below.length || below.some((place) => !places.has(place))) {
      violated(`table ${name}: ${places.size} rows, but ${below.length} records below its marks decode`)
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
    const { plan, table } = exit.value
    compare(
      landing,
      table,
      plan.entries.map(({ dataFile }) => dataFile.filePath)
    )
  }

  pointers.changed = check
  return {
    isReferenced: (uri) => [...referenced.values()].some((uris) => uris.has(uri)),
    rows: () => [...rowCounts.values()].reduce((sum, count) => sum + count, 0),
    atEnd: () => {
      for (const landing of landings) {
        check(landing)
        for (const [partition, { end }] of (log.topics.get(landing.topic.name)?.partitions ?? []).entries()) {
          const next = seen.get(landing.table)?.next.get(partition) ?? 0
          if (next !== end)
            violated(`table ${landing.table}: its mark of partition ${partition} is ${next}, not ${end}`)
        }
      }
    }
  }
}
