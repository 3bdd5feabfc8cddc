/**
 * Sorts the rows of a batch by the partition of the table that they belong to.
 *
 * The writer calls it once per batch. Rows that failed to decode belong to none. Order within a partition is the batch's.
 */
import type { ColumnBatch } from "@frazil/core"
import type { PartitionValue } from "../../spec/DataFile.ts"
import { type BoundPartitionField, bindPartitionSpec, type PartitionSpec } from "../../spec/PartitionSpec.ts"
import type { TableSchema } from "../../spec/Schema.ts"
import type { SingleValue } from "../../spec/SingleValue.ts"
import { applyTransform, transformToText } from "../../spec/Transform.ts"
import { primitiveToText } from "../../spec/Type.ts"
import { cellValue } from "./CellValue.ts"
import type { ColumnPlan } from "./ColumnPlan.ts"

/** Rows of one partition in a batch: `rows[from, to)`. */
export interface PartitionRows {
  /** Equal for equal partitions. */
  readonly key: string
  readonly values: ReadonlyArray<PartitionValue>
  readonly from: number
  readonly to: number
}

export interface SortedRows {
  /** Row numbers; lent until the next batch. */
  readonly rows: Int32Array
  readonly partitions: ReadonlyArray<PartitionRows>
  /** A partition value that its type does not hold, in words and without the value: none of the rows may be written. */
  readonly problem: string | undefined
}

export type SortRows = (batch: ColumnBatch, sourcePartition: number) => SortedRows

/** A partition value by row, without a value object where the column is a number and the transform a division. */
type ValueOf = (batch: ColumnBatch, row: number, sourcePartition: number) => SingleValue | null

const divisorsMs: Readonly<Record<string, number>> = { day: 86_400_000, hour: 3_600_000 }

const valueOf = (plan: ColumnPlan, field: BoundPartitionField): ValueOf | string => {
  const { transform, sourceType } = field
  const column = plan.stored.find((stored) => stored.field.id === field.sourceId)
  if (sourceType === undefined || field.type === undefined || transform._tag === "unknown") {
    return `partition field ${field.name}: ${transformToText(transform)} is not known or does not take its column`
  }
  if (transform._tag === "void") return () => null
  if (column === undefined) return `partition field ${field.name}: records have no such field`
  const divisorMs = divisorsMs[transform._tag]
  if (divisorMs !== undefined && column.kind === "Micros" && column.source._tag === "Field") {
    const { index } = column.source
    return (batch, row) => {
      const cells = batch.columns[index]
      const ms = cells?._tag === "Numbers" ? cells.values[row]! : Number.NaN
      // rounded to microseconds first, as the value is stored
      return ms !== ms ? null : Math.floor(Math.round(ms * 1000) / (divisorMs * 1000))
    }
  }
  return (batch, row, sourcePartition) =>
    applyTransform(transform, sourceType, cellValue(column, batch, row, sourcePartition))
}

const keyOf = (values: ReadonlyArray<PartitionValue>): string =>
  JSON.stringify(
    values.map((value) =>
      value === null ? null : `${typeof value}:${value instanceof Uint8Array ? value.join(",") : String(value)}`
    )
  )

/** Truncated values may be beyond their type: below the least of it (readers refuse such, or let them wrap). */
const isBeyond = ({ type }: BoundPartitionField, value: PartitionValue): boolean => {
  switch (type?._tag) {
    case "int":
    case "date":
      return typeof value === "number" && (value | 0) !== value
    case "long":
      return typeof value === "bigint" && BigInt.asIntN(64, value) !== value
    case "decimal":
      return typeof value === "bigint" && (value < 0n ? -value : value) >= 10n ** BigInt(type.precision)
    default:
      return false
  }
}

const beyond = (fields: ReadonlyArray<BoundPartitionField>, values: ReadonlyArray<PartitionValue>) => {
  const field = fields.find((each, i) => isBeyond(each, values[i] ?? null))
  if (field?.type === undefined) return undefined
  return `partition field ${field.name}: ${transformToText(field.transform)} of a record's value is beyond ${primitiveToText(field.type)}: partition the table by something else`
}

interface Found {
  readonly key: string
  readonly values: ReadonlyArray<PartitionValue>
  count: number
}

class Sorter {
  private readonly fields: ReadonlyArray<BoundPartitionField>
  private readonly valueOfs: ReadonlyArray<ValueOf>
  private rows = new Int32Array(1024)
  /** By row: index of its partition in `found`, −1 for rows that failed. */
  private places = new Int32Array(1024)
  constructor(fields: ReadonlyArray<BoundPartitionField>, valueOfs: ReadonlyArray<ValueOf>) {
    this.fields = fields
    this.valueOfs = valueOfs
  }

  sort(batch: ColumnBatch, sourcePartition: number): SortedRows {
    if (batch.length > this.rows.length) {
      this.rows = new Int32Array(batch.length * 2)
      this.places = new Int32Array(batch.length * 2)
    }
    const found = this.place(batch, sourcePartition)
    const next: Array<number> = []
    const partitions = found.map(({ key, values, count }) => {
      const from = next.reduce((sum, _, i) => sum + found[i]!.count, 0)
      next.push(from)
      return { key, values, from, to: from + count }
    })
    for (let row = 0; row < batch.length; row++) {
      const place = this.places[row]!
      if (place >= 0) this.rows[next[place]!++] = row
    }
    const problem = found.map(({ values }) => beyond(this.fields, values)).find((each) => each !== undefined)
    return { rows: this.rows, partitions, problem }
  }

  /** Fills `places`; gives the partitions met, in the order met. */
  private place(batch: ColumnBatch, sourcePartition: number): ReadonlyArray<Found> {
    const { valueOfs, places } = this
    const found: Array<Found> = []
    const byKey = new Map<string, number>()
    let last = -1
    for (let row = 0; row < batch.length; row++) {
      if (batch.valid[row] === 0) {
        places[row] = -1
        continue
      }
      // neighbours mostly share a partition: its key is made only when it changes
      let same = last >= 0
      const values = last >= 0 ? found[last]!.values : []
      for (let i = 0; same && i < valueOfs.length; i++) {
        same = valueOfs[i]!(batch, row, sourcePartition) === values[i]
      }
      if (!same) {
        const own = valueOfs.map((value) => value(batch, row, sourcePartition))
        const key = keyOf(own)
        last = byKey.get(key) ?? found.length
        if (last === found.length) {
          byKey.set(key, last)
          found.push({ key, values: own, count: 0 })
        }
      }
      places[row] = last
      found[last]!.count++
    }
    return found
  }
}

/** The sorter for a spec, or what stands against it: one line for each field. */
export const partitionSorter = (
  spec: PartitionSpec,
  schema: TableSchema,
  plan: ColumnPlan
): SortRows | ReadonlyArray<string> => {
  const fields = bindPartitionSpec(spec, schema)
  const valueOfs = fields.map((field) => valueOf(plan, field))
  const problems = valueOfs.filter((value) => typeof value === "string")
  if (problems.length > 0) return problems
  const sorter = new Sorter(
    fields,
    valueOfs.filter((value) => typeof value !== "string")
  )
  return (batch, sourcePartition) => sorter.sort(batch, sourcePartition)
}
