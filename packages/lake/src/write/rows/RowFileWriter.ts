/**
 * Data files whose rows lie in storage as JSON lines: what the simulated world lands into instead of Parquet.
 *
 * Provided as `DataFileWriter`. Partitions, columns, names and promises are those of the Parquet writer; only the bytes
 * differ, and everything happens on the thread of the caller, so that a run replays from its seed.
 */
import { type ColumnBatch, faultPoint, Storage } from "@frazil/core"
import { Effect } from "effect"
import type { DataFile } from "../../spec/DataFile.ts"
import { cellValue } from "../parquet/CellValue.ts"
import { type ColumnPlan, planColumns } from "../parquet/ColumnPlan.ts"
import { fromStorageError, ParquetError } from "../parquet/ParquetError.ts"
import type { ParquetWriter, ParquetWriterOptions } from "../parquet/ParquetWriter.ts"
import { partitionSorter } from "../parquet/PartitionRows.ts"
import { partitionPath } from "../../spec/PartitionSpec.ts"

/** A row as its file has it: values as text by column name, null where there is none. */
export type StoredRow = Readonly<Record<string, string | null>>

interface Growing {
  readonly partition: DataFile["partition"]
  readonly rows: Array<StoredRow>
}

const decoder = new TextDecoder()

/** The rows of a file that `rowFileWriter` wrote. Throws when the bytes are not of one. */
export const readRowFile = (bytes: Uint8Array): ReadonlyArray<StoredRow> => {
  const text = decoder.decode(bytes)
  if (!text.endsWith("\n")) throw new Error("a row file was cut")
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as StoredRow) // written below
}

export const encodeRows = (rows: ReadonlyArray<StoredRow>): Uint8Array =>
  new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(""))

/** What a manifest says of a file of rows: no metrics, so that nothing is ever pruned. */
export const rowDataFile = (
  filePath: string,
  specId: number,
  partition: DataFile["partition"],
  rows: number,
  bytes: number
): DataFile => ({
  filePath,
  fileFormat: "PARQUET",
  specId,
  partition,
  recordCount: BigInt(rows),
  fileSizeInBytes: BigInt(bytes),
  columnSizes: new Map(),
  valueCounts: new Map(),
  nullValueCounts: new Map(),
  nanValueCounts: new Map(),
  lowerBounds: new Map(),
  upperBounds: new Map(),
  splitOffsets: [],
  sortOrderId: null
})

/** Row `row` of a decoded batch as a file of rows has it. */
const storedRow = (plan: ColumnPlan, batch: ColumnBatch, row: number, sourcePartition: number): StoredRow => {
  const stored: Record<string, string | null> = {}
  for (const column of plan.stored) {
    const value = cellValue(column, batch, row, sourcePartition)
    stored[column.field.name] = value === null ? null : String(value)
  }
  return stored
}

const open = Effect.fnUntraced(function* (options: ParquetWriterOptions) {
  const { schema, shape, sourceTopic, spec, targetDirectory, filePrefix } = options
  const storage = yield* Storage
  const plan = planColumns(schema, shape, sourceTopic)
  const sort = "stored" in plan ? partitionSorter(spec, schema, plan) : plan
  if (!("stored" in plan) || typeof sort !== "function") {
    return yield* new ParquetError({ reason: "Unsupported", message: "records cannot be written to this table" })
  }
  const growing = new Map<string, Growing>()
  let published: Array<DataFile> = []
  let filesNamed = 0
  // what was never given away is removed; what was, belongs to the table (protocol, rule 12)
  yield* Effect.addFinalizer(() =>
    Effect.forEach(published, (file) => Effect.ignore(storage.delete(file.filePath)), { discard: true })
  )
  const publish = Effect.fnUntraced(function* ({ partition, rows }: Growing) {
    yield* faultPoint("before-lake-file")
    const bytes = encodeRows(rows)
    const folder = partitionPath(spec, partition)
    const number = String(filesNamed++).padStart(5, "0")
    const filePath = `${targetDirectory}/${folder === "" ? "" : `${folder}/`}${filePrefix}-${number}.rows`
    yield* faultPoint("mid-lake-file")
    yield* Effect.mapError(storage.writeNew(filePath, bytes), fromStorageError)
    published.push(rowDataFile(filePath, spec.specId, partition, rows.length, bytes.length))
    yield* faultPoint("after-lake-file")
  })
  const writer: ParquetWriter = {
    encoding: "appended",
    write: (batch, sourcePartition) =>
      Effect.suspend(() => {
        const sorted = sort(batch, sourcePartition)
        if (sorted.problem !== undefined) {
          return Effect.fail(new ParquetError({ reason: "Unsupported", message: sorted.problem }))
        }
        for (const { from, key, to, values } of sorted.partitions) {
          const file = growing.get(key) ?? { partition: values, rows: [] }
          growing.set(key, file)
          for (let at = from; at < to; at++) file.rows.push(storedRow(plan, batch, sorted.rows[at]!, sourcePartition))
        }
        return Effect.void
      }),
    finish: Effect.gen(function* () {
      for (const [key, file] of growing) {
        yield* publish(file)
        growing.delete(key)
      }
      const taken = published
      published = []
      return taken
    })
  }
  return writer
})

/** The writer, to be provided as `DataFileWriter`. It needs no DuckDB. */
export const rowFileWriter = { open } as const
