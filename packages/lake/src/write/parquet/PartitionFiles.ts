/**
 * The files of one writer, from a partition's first part to the published data file.
 *
 * The writer hands over parts as they are finished. **Guarantee**: a file that `take` never gave away is removed with
 * the writer's scope; one that it gave away is never touched again (protocol, rule 12).
 */
import { faultPoint, type StorageShape } from "@frazil/core"
import { Effect } from "effect"
import type { DataFile, PartitionValue } from "../../spec/DataFile.ts"
import { FormatError } from "../../spec/FormatError.ts"
import type { MetricsModes } from "../../spec/MetricsMode.ts"
import type { PartitionSpec } from "../../spec/PartitionSpec.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import type { SortOrder } from "../../spec/SortOrder.ts"
import { dataFileUri } from "./DataFileUri.ts"
import { footerMetrics } from "./Metrics.ts"
import { fromFileError, fromStorageError, ParquetError } from "./ParquetError.ts"
import { PartFile } from "./PartFile.ts"
import type { Part } from "./RowHold.ts"

export interface FileOptions {
  readonly schema: TableSchema
  readonly spec: PartitionSpec
  readonly sortOrder: SortOrder
  /** URI of the folder that the files lie in, below a folder for their partition. */
  readonly targetDirectory: string
  /** Begins each file's name; no two writers may share one. */
  readonly filePrefix: string
  readonly fileBytesTarget: number
  readonly metrics: MetricsModes
}

/** A file in the making. */
interface Growing {
  readonly file: PartFile
  /** Rows that were given to it: its footer must say the same. */
  rows: number
}

const fromAny = (cause: unknown): ParquetError =>
  cause instanceof FormatError
    ? new ParquetError({ reason: "Corrupt", message: `writing a Parquet file: ${cause.message}`, cause })
    : fromFileError(cause)

/** Waited for even when interrupted: a file that is being opened or closed would be left to the garbage collector. */
const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, ParquetError> =>
  Effect.uninterruptible(Effect.tryPromise({ try: run, catch: fromAny }))

export class PartitionFiles {
  private readonly options: FileOptions
  private readonly storage: StorageShape
  private readonly growing = new Map<string, Growing>()
  private published: Array<DataFile> = []
  private filesNamed = 0

  constructor(options: FileOptions, storage: StorageShape) {
    this.options = options
    this.storage = storage
  }

  /** Appends a part of `rows` rows to the partition's file, starting one at the local `path` if there is none. */
  readonly addPart = Effect.fnUntraced(
    { self: this },
    function* (
      this: PartitionFiles,
      key: string,
      values: ReadonlyArray<PartitionValue>,
      part: Part,
      path: string,
      rows: number
    ) {
      const found = this.growing.get(key)
      yield* attempt(async () => {
        if (part._tag === "File") await found?.file.append(part.path)
        else await found?.file.appendBytes(part)
        if (found !== undefined) found.rows += rows
        else {
          const file = await (part._tag === "File" ? PartFile.start(part.path) : PartFile.create(path, part))
          this.growing.set(key, { file, rows })
        }
      })
      yield* faultPoint("mid-lake-file")
      const bytes = this.growing.get(key)?.file.bytes ?? 0
      // a sorted file is one part: appending another would not keep it sorted
      const sorted = this.options.sortOrder.fields.length > 0
      if (sorted || bytes >= this.options.fileBytesTarget) yield* this.finish(key, values)
    }
  )

  /** Publishes the partition's file, if there is one. */
  readonly finish = Effect.fnUntraced(
    { self: this },
    function* (this: PartitionFiles, key: string, values: ReadonlyArray<PartitionValue>) {
      const found = this.growing.get(key)
      if (found === undefined) return
      const { metrics: modes, schema, spec, sortOrder } = this.options
      const footer = yield* attempt(async () => {
        const whole = await found.file.finish()
        this.growing.delete(key)
        return whole
      })
      const metrics = yield* Effect.try({ try: () => footerMetrics(footer, schema, modes), catch: fromAny })
      if (found.file.rows !== found.rows) {
        const message = `writing a Parquet file: it has ${found.file.rows} rows, but ${found.rows} were given`
        return yield* new ParquetError({ reason: "Corrupt", message })
      }
      const uri = this.name(values)
      const stored = yield* Effect.mapError(this.storage.writeNewFromFile(uri, found.file.path), fromStorageError)
      this.published.push({
        filePath: stored.uri,
        fileFormat: "PARQUET",
        specId: spec.specId,
        partition: values,
        recordCount: BigInt(found.rows),
        fileSizeInBytes: BigInt(stored.sizeBytes),
        ...metrics,
        sortOrderId: sortOrder.fields.length > 0 ? sortOrder.orderId : null
      })
      yield* faultPoint("after-lake-file")
    }
  )

  /** True when the partition has no file in the making: its next part begins one. */
  startsFile(key: string): boolean {
    return !this.growing.has(key)
  }

  /** Gives the files published since the last call away. */
  take(): ReadonlyArray<DataFile> {
    const taken = this.published
    this.published = []
    return taken
  }

  /** Removes what was never given away. */
  readonly discard: Effect.Effect<void> = Effect.suspend(() =>
    Effect.all(
      [
        ...[...this.growing.values()].map(({ file }) => Effect.ignore(attempt(() => file.abandon()))),
        // a file that stays behind is an orphan: nobody reads it, and it is removed by age
        ...this.published.map((file) => Effect.ignore(this.storage.delete(file.filePath)))
      ],
      { discard: true }
    )
  )

  private name(values: ReadonlyArray<PartitionValue>): string {
    const { spec, targetDirectory, filePrefix } = this.options
    const number = String(this.filesNamed++).padStart(5, "0")
    return dataFileUri(targetDirectory, spec, values, `${filePrefix}-${number}`)
  }
}
