/**
 * Rows on their way into files: a buffer for each partition, and one copy to Parquet at a time behind them.
 *
 * The writer puts batches in. **Bounds**: rows and bytes of a buffer, bytes of all, partitions open. Whoever fills faster
 * than DuckDB writes waits: at most one full buffer is being written while others are filled.
 */
import { join } from "node:path"
import { type ColumnBatch, faultPoint } from "@frazil/core"
import { Effect, Fiber, Scope } from "effect"
import type { PartitionValue } from "../../spec/DataFile.ts"
import { collectingFailed } from "./DuckDbRows.ts"
import { ParquetError } from "./ParquetError.ts"
import type { PartitionFiles } from "./PartitionFiles.ts"
import type { PartitionRows, SortRows } from "./PartitionRows.ts"
import type { RowHold, RowHolds } from "./RowHold.ts"

export interface BufferOptions {
  /** A buffer is written when it holds this many rows; Infinity where bytes alone decide. */
  readonly bufferRowsMax: number
  /** Or this many bytes of records. */
  readonly bufferBytesMax: number
  /** When all buffers together hold more, the largest is written. */
  readonly buffersBytesMax: number
  /** Partitions with a buffer or a file in the making; beyond it, the one used longest ago is finished. */
  readonly partitionsOpenMax: number
  /** A folder of the writer's own. */
  readonly scratchDirectory: string
}

interface Partition {
  readonly key: string
  readonly values: ReadonlyArray<PartitionValue>
  buffer: RowHold | undefined
  usedAt: number
}

export class PartitionBuffers {
  private readonly holds: RowHolds
  private readonly options: BufferOptions
  private readonly sortRows: SortRows
  private readonly files: PartitionFiles
  private readonly scope: Scope.Scope
  private readonly partitions = new Map<string, Partition>()
  /** Empty buffers, to be used again. */
  private readonly spare: Array<RowHold> = []
  private partsWritten = 0
  private batchesPut = 0
  private copying: Fiber.Fiber<void, ParquetError> | undefined

  constructor(holds: RowHolds, options: BufferOptions, sortRows: SortRows, files: PartitionFiles, scope: Scope.Scope) {
    this.holds = holds
    this.options = options
    this.sortRows = sortRows
    this.files = files
    this.scope = scope
  }

  /** Takes the batch's rows in; the batch may be reused when it ends. */
  readonly put = Effect.fnUntraced(
    { self: this },
    function* (this: PartitionBuffers, batch: ColumnBatch, sourcePartition: number) {
      this.batchesPut++
      this.holds.begin(batch)
      const { rows, partitions, problem } = this.sortRows(batch, sourcePartition)
      if (problem !== undefined) return yield* new ParquetError({ reason: "Unsupported", message: problem })
      const rowBytes = batch.bytes.length / Math.max(1, batch.length)
      for (const part of partitions) {
        const partition = yield* this.partitionOf(part)
        for (let from = part.from; from < part.to;) {
          const buffer = partition.buffer ?? (yield* this.openBuffer(partition))
          const to = Math.min(part.to, from + this.options.bufferRowsMax - buffer.rows)
          yield* this.append(buffer, batch, rows, from, to, sourcePartition)
          buffer.rows += to - from
          buffer.bytes += (to - from) * rowBytes
          from = to
          const full = buffer.rows >= this.options.bufferRowsMax || buffer.bytes >= this.options.bufferBytesMax
          if (full) yield* this.flush(partition)
        }
      }
      while (this.bytesHeld() > this.options.buffersBytesMax) yield* this.flushLargest
    }
  )

  /** Writes all rows held and finishes all files. */
  readonly finish = Effect.fnUntraced({ self: this }, function* (this: PartitionBuffers) {
    for (const partition of this.partitions.values()) yield* this.finishPartition(partition)
    this.partitions.clear()
  })

  private append(
    buffer: RowHold,
    batch: ColumnBatch,
    rows: Int32Array,
    from: number,
    to: number,
    sourcePartition: number
  ): Effect.Effect<void, ParquetError> {
    return Effect.try({
      try: () => buffer.append(batch, rows, from, to, sourcePartition),
      catch: collectingFailed
    })
  }

  private readonly partitionOf = Effect.fnUntraced(
    { self: this },
    function* (this: PartitionBuffers, part: PartitionRows): Effect.fn.Return<Partition, ParquetError> {
      const found = this.partitions.get(part.key)
      if (found !== undefined) {
        found.usedAt = this.batchesPut
        return found
      }
      if (this.partitions.size >= this.options.partitionsOpenMax) {
        const oldest = [...this.partitions.values()].reduce((a, b) => (b.usedAt < a.usedAt ? b : a))
        yield* this.finishPartition(oldest)
        this.partitions.delete(oldest.key)
      }
      const made: Partition = { key: part.key, values: part.values, buffer: undefined, usedAt: this.batchesPut }
      this.partitions.set(part.key, made)
      return made
    }
  )

  private readonly openBuffer = Effect.fnUntraced(
    { self: this },
    function* (this: PartitionBuffers, partition: Partition) {
      const spare = this.spare.pop()
      const buffer = spare ?? (yield* Effect.provideService(this.holds.make, Scope.Scope, this.scope))
      yield* buffer.open
      partition.buffer = buffer
      return buffer
    }
  )

  private bytesHeld(): number {
    let bytes = 0
    for (const { buffer } of this.partitions.values()) bytes += buffer?.bytes ?? 0
    return bytes
  }

  private readonly flushLargest = Effect.suspend(() => {
    const held = (partition: Partition) => partition.buffer?.bytes ?? 0
    return this.flush([...this.partitions.values()].reduce((a, b) => (held(b) > held(a) ? b : a)))
  })

  private readonly finishPartition = Effect.fnUntraced(
    { self: this },
    function* (this: PartitionBuffers, partition: Partition) {
      yield* this.flush(partition)
      yield* this.copied
      yield* this.files.finish(partition.key, partition.values)
    }
  )

  /** Waits for the copy in flight, if any. Its failure is the writer's. */
  private readonly copied: Effect.Effect<void, ParquetError> = Effect.suspend(() => {
    const { copying } = this
    if (copying === undefined) return Effect.void
    return Fiber.join(copying).pipe(Effect.tap(() => Effect.sync(() => void (this.copying = undefined))))
  })

  /** Starts to write the partition's rows, when the copy before is done. */
  private readonly flush = Effect.fnUntraced({ self: this }, function* (this: PartitionBuffers, partition: Partition) {
    const { buffer } = partition
    if (buffer === undefined) return
    partition.buffer = undefined
    yield* buffer.close
    yield* this.copied
    this.copying = yield* Effect.forkIn(this.copy(partition, buffer), this.scope)
  })

  private readonly copy = Effect.fnUntraced(
    { self: this },
    function* (this: PartitionBuffers, partition: Partition, buffer: RowHold) {
      const { rows } = buffer
      const path = join(this.options.scratchDirectory, `part-${this.partsWritten++}.parquet`)
      if (this.files.startsFile(partition.key)) yield* faultPoint("before-lake-file")
      const part = yield* buffer.take(path)
      this.spare.push(buffer)
      yield* this.files.addPart(partition.key, partition.values, part, path, rows)
    }
  )
}
