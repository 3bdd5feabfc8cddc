/**
 * Rows held as pages of our own: columns of a batch copied or looked up in dictionaries, a chunk of rows at a time, and
 * compressed when the row group is taken.
 *
 * The fast way of writing Parquet, for tables without a sort order; `DuckDbRows` is its slow twin. **Bounds**: what it is
 * given until it is taken, by `PartitionBuffers`.
 */
import type { ColumnBatch } from "@frazil/core"
import { Effect } from "effect"
import type { ColumnPlan, WrittenColumn } from "../ColumnPlan.ts"
import { extraTexts } from "../ExtraTexts.ts"
import { fromFileError } from "../ParquetError.ts"
import type { Part, RowHold, RowHolds } from "../RowHold.ts"
import { BooleanPages } from "./BooleanPages.ts"
import { chunkRowsMax, type ColumnHabit, type ColumnPages } from "./ColumnPages.ts"
import { numberForm } from "./Elements.ts"
import { NumberPages } from "./NumberPages.ts"
import { rowGroupPart } from "./RowGroupPart.ts"
import { type Texts, TextPages } from "./TextPages.ts"
import { UuidPages } from "./UuidPages.ts"

/** What of a batch is made once, however many holds its rows go to. */
interface Taken {
  readonly batch: ColumnBatch
  readonly view: DataView
  readonly extras: Texts | undefined
}

const viewOf = ({ buffer, byteLength, byteOffset }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

/** Row numbers of values that are the same in all rows, or nowhere. */
const first = Int32Array.from({ length: chunkRowsMax }, (_, row) => row)
const noBytes = new Uint8Array()
const noText: Texts = {
  bytes: noBytes,
  view: viewOf(noBytes),
  starts: new Int32Array(chunkRowsMax).fill(-1),
  ends: first
}

/** The same text in every row. */
const sameText = (text: string): Texts => {
  const bytes = new TextEncoder().encode(text)
  const starts = new Int32Array(chunkRowsMax)
  return { bytes, view: viewOf(bytes), starts, ends: new Int32Array(chunkRowsMax).fill(bytes.length) }
}

/** A column, and how it takes rows of a chunk. */
interface Filled {
  readonly pages: ColumnPages
  readonly append: (taken: Taken, rows: Int32Array, sourcePartition: number) => void
}

const mismatch = (column: WrittenColumn): never => {
  throw new TypeError(`column ${column.field.name} of the batch is not what the plan says`)
}

const textColumn = (column: WrittenColumn, plan: ColumnPlan, habit: ColumnHabit): Filled => {
  const { field, stored } = column
  const pages = field.type._tag === "uuid" ? new UuidPages(field.required) : new TextPages(field.required, habit)
  const topic = stored === undefined ? sameText(plan.sourceTopic) : noText
  return {
    pages,
    append: ({ batch, extras, view }, rows) => {
      if (stored === undefined) return pages.append(topic, first.subarray(0, rows.length))
      if (stored.source._tag === "Extras") {
        return extras === undefined ? pages.append(noText, first.subarray(0, rows.length)) : pages.append(extras, rows)
      }
      const cells = stored.source._tag === "Field" ? batch.columns[stored.source.index] : undefined
      if (cells?._tag !== "Bytes") return mismatch(column)
      pages.append({ bytes: batch.bytes, view, starts: cells.starts, ends: cells.ends }, rows)
    }
  }
}

const booleanColumn = (column: WrittenColumn): Filled => {
  const pages = new BooleanPages(column.field.required)
  return {
    pages,
    append: ({ batch }, rows) => {
      const source = column.stored?.source
      const cells = source?._tag === "Field" ? batch.columns[source.index] : undefined
      if (cells?._tag !== "Booleans") return mismatch(column)
      pages.append(cells.values, rows)
    }
  }
}

const numberColumn = (column: WrittenColumn, habit: ColumnHabit): Filled => {
  const { field, stored } = column
  const form = numberForm(field.type) ?? mismatch(column)
  const pages = new NumberPages(form, field.required, habit)
  const mayBeWide = field.type._tag === "decimal"
  const partitions = new Float64Array(chunkRowsMax)
  return {
    pages,
    append: ({ batch }, rows, sourcePartition) => {
      switch (stored?.source._tag) {
        case "SourcePartition":
          return pages.append(
            partitions.fill(sourcePartition, 0, rows.length),
            first.subarray(0, rows.length),
            undefined
          )
        case "SourceOffset":
          return pages.append(batch.source.offsets, rows, undefined)
        case "Field": {
          const { index } = stored.source
          const cells = batch.columns[index]
          if (cells?._tag !== "Numbers") return mismatch(column)
          const wide = mayBeWide && batch.wideDecimals.size > 0 ? { batch, field: index } : undefined
          return pages.append(cells.values, rows, wide)
        }
        default:
          return mismatch(column)
      }
    }
  }
}

const columnOf = (column: WrittenColumn, plan: ColumnPlan, habit: ColumnHabit): Filled => {
  const { _tag } = column.field.type
  if (_tag === "string" || _tag === "uuid") return textColumn(column, plan, habit)
  return _tag === "boolean" ? booleanColumn(column) : numberColumn(column, habit)
}

/** Holds of one writer. */
export const pageRows = (plan: ColumnPlan, compressionLevel: number): RowHolds => {
  const habits = plan.written.map((): ColumnHabit => ({ plain: false }))
  const needsExtras = plan.stored.some(({ source }) => source._tag === "Extras")
  let taken: Taken | undefined
  const make = (): RowHold => {
    const columns = plan.written.map((column, i) => columnOf(column, plan, habits[i]!))
    const pages = columns.map((column) => column.pages)
    const hold: RowHold = {
      rows: 0,
      bytes: 0,
      open: Effect.void,
      append: (batch, rows, from, to, sourcePartition) => {
        if (taken?.batch !== batch) throw new TypeError("the batch was not taken up")
        for (let at = from; at < to; at += chunkRowsMax) {
          const chunk = rows.subarray(at, Math.min(to, at + chunkRowsMax))
          for (const column of columns) column.append(taken, chunk, sourcePartition)
        }
      },
      close: Effect.void,
      take: () =>
        Effect.tryPromise({
          try: async (): Promise<Part> => {
            const part = await rowGroupPart(plan.written, pages, hold.rows, compressionLevel)
            for (const column of pages) column.clear()
            hold.rows = 0
            hold.bytes = 0
            return { _tag: "Memory", ...part }
          },
          catch: fromFileError
        })
    }
    return hold
  }
  return {
    begin: (batch) => {
      const extras = needsExtras ? extraTexts(batch) : undefined
      taken = {
        batch,
        view: viewOf(batch.bytes),
        extras: extras === undefined ? undefined : { ...extras, view: viewOf(extras.bytes) }
      }
    },
    make: Effect.sync(make)
  }
}
