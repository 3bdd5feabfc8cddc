/**
 * What manifests and files say about columns: evidence for filters, from partition values and from column bounds
 * (specification, "Scan Planning", inclusive projection).
 *
 * Pure. What is not known counts as "may match": a reader may read too much, never too little.
 */
import type { EntryPick, FileFacts } from "../io/EntryPick.ts"
import type { PartitionValue } from "../spec/DataFile.ts"
import type { FieldSummary } from "../spec/Manifest.ts"
import type { BoundPartitionField } from "../spec/PartitionSpec.ts"
import { fieldEntries, type TableSchema } from "../spec/Schema.ts"
import { singleValueFromBytes, type SingleValue } from "../spec/SingleValue.ts"
import { applyTransform } from "../spec/Transform.ts"
import { isPrimitive, type PrimitiveType } from "../spec/Type.ts"
import { rangesOf } from "./Ranges.ts"
import {
  columnsOf,
  mayBeWithin,
  mayMatch,
  type Evidence,
  type EvidenceOf,
  type Filter,
  type Operator
} from "./Filter.ts"

const isFloating = (type: PrimitiveType): boolean => type._tag === "float" || type._tag === "double"

const isNan = (value: SingleValue): boolean => typeof value === "number" && Number.isNaN(value)

/** DuckDB orders NaN above all numbers. */
const isAbove = (operator: Operator): boolean => operator === ">" || operator === ">="

/** Whether every value of the column that is one is NaN, which no number equals or is above. */
const onlyNan = (file: FileFacts, id: number): boolean => {
  const [values, nulls] = [file.valueCounts.get(id), file.nullValueCounts.get(id)]
  return values !== undefined && nulls !== undefined && file.nanValueCounts.get(id) === values - nulls
}

/** Of whole numbers, the nearest that compares: x < 5 is x <= 4, which may be another partition than 5's. */
const nearest = (operator: Operator, value: SingleValue): SingleValue => {
  const step = operator === "<" ? -1 : operator === ">" ? 1 : 0
  return typeof value === "bigint" ? value + BigInt(step) : value
}

interface Projected {
  readonly operator: Operator
  readonly value: SingleValue
}

/** A comparison of a column as one of its partition values, or undefined when it tells nothing about them. */
type Project = (field: BoundPartitionField, operator: Operator, value: SingleValue) => Projected | undefined

/** Projects each comparison of a scan once: every entry of the table asks for the same few. */
const projectOnce = (): Project => {
  const known = new Map<BoundPartitionField, Map<string, Map<SingleValue, Projected | undefined>>>()
  return (field, operator, value) => {
    const ofField = known.get(field) ?? new Map<string, Map<SingleValue, Projected | undefined>>()
    known.set(field, ofField)
    const ofOperator = ofField.get(operator) ?? new Map<SingleValue, Projected | undefined>()
    ofField.set(operator, ofOperator)
    if (ofOperator.has(value)) return ofOperator.get(value)
    const projected = project(field, operator, value)
    ofOperator.set(value, projected)
    return projected
  }
}

const project: Project = (field, operator, value) => {
  if (field.sourceType === undefined || field.type === undefined || isNan(value)) return undefined
  if (field.transform._tag === "identity") return { operator, value }
  if (field.transform._tag === "bucket" && operator !== "=") return undefined
  const projected = applyTransform(field.transform, field.sourceType, nearest(operator, value))
  if (projected === null) return undefined
  // These transforms keep order but join neighbours: x < v only means T(x) <= T(v).
  const widened = operator === "<" ? "<=" : operator === ">" ? ">=" : operator
  return { operator: widened, value: projected }
}

/** True when null in the partition means null in the column and the other way round. */
const keepsNull = (field: BoundPartitionField): boolean =>
  field.transform._tag !== "void" && field.transform._tag !== "unknown" && field.type !== undefined

const greatestOf: Readonly<Partial<Record<PrimitiveType["_tag"], bigint>>> = {
  int: 2_147_483_647n,
  long: 9_223_372_036_854_775_807n
}

/**
 * Whether a partition value may stand for the least integers: truncated they are below what the type holds, and Java's engines
 * let them wrap to the greatest.
 */
const mayHaveWrapped = ({ sourceType, transform }: BoundPartitionField, value: PartitionValue | undefined): boolean => {
  const greatest = sourceType === undefined ? undefined : greatestOf[sourceType._tag]
  if (transform._tag !== "truncate" || greatest === undefined) return false
  return (typeof value === "number" || typeof value === "bigint") && BigInt(value) > greatest - BigInt(transform.width)
}

const nothingKnown: Evidence = { mayHaveNull: true, mayHaveValue: true, mayCompare: () => true }

/** What a bound says, if anything: writers of old gave NaN where a column has one, which orders nothing. */
const readBound = (type: PrimitiveType, bytes: Uint8Array | null | undefined): SingleValue | undefined => {
  if (bytes === null || bytes === undefined) return undefined
  const bound = singleValueFromBytes(type, bytes)
  return isNan(bound) ? undefined : bound
}

const evidenceOfSummary = (
  field: BoundPartitionField,
  summary: FieldSummary | undefined,
  projecting: Project
): Evidence => {
  const { type } = field
  if (summary === undefined || type === undefined || !keepsNull(field)) return nothingKnown
  const [lower, upper] = [readBound(type, summary.lowerBound), readBound(type, summary.upperBound)]
  const mayHaveNan = isFloating(type) && summary.containsNan !== false
  return {
    mayHaveNull: summary.containsNull,
    mayHaveValue: summary.lowerBound !== null || mayHaveNan,
    mayCompare: (operator, value) => {
      const projected = projecting(field, operator, value)
      if (projected === undefined || type._tag === "uuid" || mayHaveWrapped(field, upper)) return true
      if (mayHaveNan && isAbove(operator)) return true
      return mayBeWithin(lower, upper, projected.operator, projected.value)
    }
  }
}

const evidenceOfPartition = (field: BoundPartitionField, value: PartitionValue, projecting: Project): Evidence => {
  if (!keepsNull(field)) return nothingKnown
  return {
    mayHaveNull: value === null,
    mayHaveValue: value !== null,
    mayCompare: (operator, to) => {
      if (value === null) return false
      const projected = projecting(field, operator, to)
      if (projected === undefined || isNan(value) || mayHaveWrapped(field, value)) return true
      return mayBeWithin(value, value, projected.operator, projected.value)
    }
  }
}

/** Asked only for what the filter needs: each answer may have to be read from a manifest's bytes. */
const evidenceOfBounds = (file: FileFacts, id: number, type: PrimitiveType): Evidence => ({
  get mayHaveNull() {
    return file.nullValueCounts.get(id) !== 0n
  },
  get mayHaveValue() {
    const values = file.valueCounts.get(id)
    const nulls = file.nullValueCounts.get(id)
    return values === undefined || nulls === undefined || values > nulls
  },
  mayCompare: (operator, value) => {
    // Writers disagree about the order of UUIDs.
    if (isNan(value) || type._tag === "uuid") return true
    const mayHaveNan = isFloating(type) && file.nanValueCounts.get(id) !== 0n
    if (mayHaveNan && isAbove(operator)) return true
    if (isFloating(type) && onlyNan(file, id)) return false
    return mayBeWithin(
      readBound(type, file.lowerBounds.get(id)),
      readBound(type, file.upperBounds.get(id)),
      operator,
      value
    )
  }
})

/**
 * Columns that filters may name: primitive and not repeated, by full name. A name that two fields have, as another engine's column
 * `a.b` and the field `b` of a struct `a` do, is none of them: nothing is left out by it.
 */
const filterColumns = (
  schema: TableSchema
): ReadonlyMap<string, { readonly id: number; readonly type: PrimitiveType }> => {
  const byName = Map.groupBy(fieldEntries(schema), ({ path }) => path.join("."))
  return new Map(
    Array.from(byName).flatMap(([name, [entry, ...others]]) =>
      entry === undefined || others.length > 0 || entry.repeated || !isPrimitive(entry.type)
        ? []
        : [[name, { id: entry.id, type: entry.type }]]
    )
  )
}

/** Evidence functions of one scan. */
export interface Pruner {
  /** By a manifest's summaries in its list. */
  readonly manifest: (
    partition: ReadonlyArray<BoundPartitionField>,
    summaries: ReadonlyArray<FieldSummary> | null
  ) => EvidenceOf
  /** By a file's partition and its column bounds. */
  readonly file: (partition: ReadonlyArray<BoundPartitionField>, file: FileFacts) => EvidenceOf
  /** Both in one, for entries that are not decoded yet. */
  readonly pick: (partition: ReadonlyArray<BoundPartitionField>, filter: Filter) => EntryPick
}

/** Columns of `schema` by name; a name that is not there has no evidence, so nothing is skipped for it. */
export const pruner = (schema: TableSchema): Pruner => {
  const columns = filterColumns(schema)
  const projecting = projectOnce()
  const partitionEvidence = (
    partition: ReadonlyArray<BoundPartitionField>,
    values: FileFacts["partition"],
    id: number | undefined
  ) =>
    partition.flatMap((field, i) =>
      field.sourceId === id ? [evidenceOfPartition(field, values[i] ?? null, projecting)] : []
    )
  const file: Pruner["file"] = (partition, facts) => (name) => {
    const column = columns.get(name)
    if (column === undefined) return []
    const { id, type } = column
    return [...partitionEvidence(partition, facts.partition, id), evidenceOfBounds(facts, id, type)]
  }
  const manifest: Pruner["manifest"] = (partition, summaries) => (name) => {
    const column = columns.get(name)
    return partition.flatMap((field, i) =>
      field.sourceId === column?.id ? [evidenceOfSummary(field, summaries?.[i], projecting)] : []
    )
  }
  return {
    manifest,
    file,
    pick: (partition, filter) => ({
      columnIds: new Set(Array.from(columnsOf(filter)).flatMap((name) => columns.get(name)?.id ?? [])),
      summaries: (summaries) => mayMatch(filter, manifest(partition, summaries)),
      partition: (values) => mayMatch(filter, (name) => partitionEvidence(partition, values, columns.get(name)?.id)),
      file: (facts) => mayMatch(filter, file(partition, facts)),
      ranges: rangesOf(filter, columns)
    })
  }
}
