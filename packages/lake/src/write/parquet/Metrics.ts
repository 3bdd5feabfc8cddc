/**
 * The metrics of a data file (specification, "Data File Fields"), from the footer of the file that was written.
 *
 * Called by the writer, at the end of a file. **Guarantee**: what a footer does not say for sure is left out; a bound or
 * count that is too tight would make readers skip rows. Pure.
 */
import { lowerBound, upperBound } from "../../spec/Bounds.ts"
import type { DataFile } from "../../spec/DataFile.ts"
import { corrupt } from "../../spec/FormatError.ts"
import type { MetricsModes } from "../../spec/MetricsMode.ts"
import { bigintFromBytes, singleValueFromBytes, type SingleValue } from "../../spec/SingleValue.ts"
import { leafFields, type TableSchema } from "../../spec/Schema.ts"
import type { PrimitiveType } from "../../spec/Type.ts"
import { PhysicalType } from "./ParquetEnums.ts"
import { columnChunks, splitOffsets, type ColumnChunk, type ParquetFooter } from "./ParquetFooter.ts"

export type Metrics = Pick<
  DataFile,
  "columnSizes" | "valueCounts" | "nullValueCounts" | "nanValueCounts" | "lowerBounds" | "upperBounds" | "splitOffsets"
>

/** A statistic's value: Parquet's plain encoding is Iceberg's, but for the width and byte order of decimals. */
const valueFromPlain = (type: PrimitiveType, physicalType: number, bytes: Uint8Array): SingleValue => {
  if (type._tag !== "decimal") return singleValueFromBytes(type, bytes)
  return bigintFromBytes(physicalType === PhysicalType.fixed ? bytes : bytes.toReversed())
}

/** Order of values as the specification has it: text by code points, bytes unsigned, a UUID as its 16 bytes. */
const isLess = (left: SingleValue, right: SingleValue): boolean => {
  if (typeof left === "string" && typeof right === "string")
    return Buffer.compare(Buffer.from(left), Buffer.from(right)) < 0
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right) < 0
  return left < right
}

/** The least (`sign` −1) or greatest (1) of all row groups; undefined when one that has values does not say. */
const extreme = (
  type: PrimitiveType,
  chunks: ReadonlyArray<ColumnChunk>,
  end: "min" | "max"
): SingleValue | undefined => {
  let found: SingleValue | undefined
  for (const chunk of chunks) {
    if (chunk.nullCount === chunk.valueCount) continue
    const bytes = chunk[end]
    if (bytes === undefined) return undefined
    // long values come cut: of fixed ones no bound is shorter than they are
    if (type._tag === "fixed" && bytes.length !== type.length) return undefined
    const value = valueFromPlain(type, chunk.physicalType, bytes)
    if (found === undefined || (end === "min" ? isLess(value, found) : isLess(found, value))) found = value
  }
  return found
}

const total = (chunks: ReadonlyArray<ColumnChunk>, count: (chunk: ColumnChunk) => number): bigint =>
  BigInt(chunks.reduce((sum, chunk) => sum + count(chunk), 0))

const byField = (footer: ParquetFooter): ReadonlyMap<number, ReadonlyArray<ColumnChunk>> => {
  const out = new Map<number, Array<ColumnChunk>>()
  for (const chunk of columnChunks(footer).flat()) {
    if (chunk.fieldId === undefined) return corrupt("Parquet footer", "a column has no field id")
    const chunks = out.get(chunk.fieldId)
    if (chunks === undefined) out.set(chunk.fieldId, [chunk])
    else chunks.push(chunk)
  }
  return out
}

/**
 * Metrics of a file whose floating-point columns hold no NaN (decoded records have none). Throws FormatError when a column
 * has a field id that the schema has not.
 */
export const footerMetrics = (footer: ParquetFooter, schema: TableSchema, modes: MetricsModes): Metrics => {
  const leaves = new Map(leafFields(schema).map((field) => [field.id, field]))
  const columnSizes = new Map<number, bigint>()
  const valueCounts = new Map<number, bigint>()
  const nullValueCounts = new Map<number, bigint>()
  const nanValueCounts = new Map<number, bigint>()
  const lowerBounds = new Map<number, Uint8Array>()
  const upperBounds = new Map<number, Uint8Array>()
  for (const [id, chunks] of byField(footer)) {
    const { path, repeated, type } = leaves.get(id) ?? corrupt("Parquet footer", `field id ${id} is not in the schema`)
    const mode = modes(path.join("."))
    columnSizes.set(
      id,
      total(chunks, (chunk) => chunk.compressedBytes)
    )
    // below a list or map Parquet counts an empty one as a null value, and no filter names such a column: as Java has it
    if (mode._tag === "None" || repeated) continue
    valueCounts.set(
      id,
      total(chunks, (chunk) => chunk.valueCount)
    )
    if (chunks.every((chunk) => chunk.nullCount !== undefined)) {
      nullValueCounts.set(
        id,
        total(chunks, (chunk) => chunk.nullCount ?? 0)
      )
    }
    if (type._tag === "float" || type._tag === "double") nanValueCounts.set(id, 0n)
    if (mode._tag === "Counts") continue
    const least = extreme(type, chunks, "min")
    const greatest = extreme(type, chunks, "max")
    const lower = least === undefined ? undefined : lowerBound(type, least, mode.boundLengthMax)
    const upper = greatest === undefined ? undefined : upperBound(type, greatest, mode.boundLengthMax)
    if (lower !== undefined) lowerBounds.set(id, lower)
    if (upper !== undefined) upperBounds.set(id, upper)
  }
  return {
    columnSizes,
    valueCounts,
    nullValueCounts,
    nanValueCounts,
    lowerBounds,
    upperBounds,
    splitOffsets: splitOffsets(footer).map((offset) => BigInt(offset))
  }
}

/**
 * Without bounds and NaN counts of floating-point columns that `doubtful` names: where nobody counted NaN, bounds that one may be
 * in are left out.
 */
export const withoutFloatBounds = (
  metrics: Metrics,
  schema: TableSchema,
  doubtful: (fieldId: number) => boolean = () => true
): Metrics => {
  const ids = leafFields(schema).filter(({ id, type }) => isFloating(type) && doubtful(id))
  const without = <A>(map: ReadonlyMap<number, A>): ReadonlyMap<number, A> => {
    const out = new Map(map)
    for (const { id } of ids) out.delete(id)
    return out
  }
  return {
    ...metrics,
    nanValueCounts: without(metrics.nanValueCounts),
    lowerBounds: without(metrics.lowerBounds),
    upperBounds: without(metrics.upperBounds)
  }
}

const isFloating = ({ _tag }: PrimitiveType): boolean => _tag === "float" || _tag === "double"
