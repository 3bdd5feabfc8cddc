/**
 * Changes of a table's partition spec as values, and the spec that they make (specification, "Partition Evolution").
 *
 * Pure. Files keep the spec that they were written by; new files go by the new one. A field that the table had before, same
 * column and transform, gets its old id back, as the specification wants; ids of others are never used twice.
 */
import {
  partitionIdNone,
  partitionFieldName,
  partitionProblems,
  type PartitionBy,
  type PartitionField,
  type PartitionSpec
} from "./PartitionSpec.ts"
import { fieldByName, type TableSchema } from "./Schema.ts"
import { transformToText, type Transform } from "./Transform.ts"

export type PartitionChange =
  | ({ readonly _tag: "AddPartitionField" } & PartitionBy)
  /** By the field's name. */
  | { readonly _tag: "RemovePartitionField"; readonly name: string }
  | { readonly _tag: "RenamePartitionField"; readonly name: string; readonly to: string }

/** A spec with the highest field id that the table has given so far. */
export interface EvolvedSpec {
  readonly spec: PartitionSpec
  readonly lastPartitionId: number
}

/** Why a change cannot be made. */
export class PartitionChangeRefused extends Error {
  override readonly name = "PartitionChangeRefused"
}

const refuse = (message: string): never => {
  throw new PartitionChangeRefused(message)
}

const sameTransform = (a: Transform, b: Transform): boolean => transformToText(a) === transformToText(b)

const sameField = (a: PartitionField, b: PartitionField): boolean =>
  a.sourceId === b.sourceId && a.fieldId === b.fieldId && a.name === b.name && sameTransform(a.transform, b.transform)

export interface PartitionBase {
  readonly specs: ReadonlyArray<PartitionSpec>
  readonly current: PartitionSpec
  readonly schema: TableSchema
  readonly lastPartitionId: number
}

/**
 * The spec after the changes, in their order, with the id that the table gives it: that of an equal spec which it has
 * already, else the next. Throws `PartitionChangeRefused`.
 */
export const evolvePartitionSpec = (
  { current, lastPartitionId, schema, specs }: PartitionBase,
  changes: ReadonlyArray<PartitionChange>
): EvolvedSpec => {
  let fields = current.fields
  let lastId = Math.max(partitionIdNone, lastPartitionId)
  const find = (name: string): PartitionField =>
    fields.find((field) => field.name === name) ?? refuse(`the table has no partition field ${name}`)
  for (const change of changes) {
    switch (change._tag) {
      case "AddPartitionField": {
        const source = fieldByName(schema, change.column) ?? refuse(`the table has no column ${change.column}`)
        const { transform } = change
        const alike = (field: PartitionField) =>
          field.sourceId === source.id && sameTransform(field.transform, transform)
        if (fields.some(alike))
          refuse(`the table is partitioned by ${transformToText(transform)} of ${change.column} already`)
        const before = specs.flatMap((spec) => spec.fields).find(alike)
        const name = change.name ?? partitionFieldName(change.column, transform)
        fields = [...fields, { sourceId: source.id, fieldId: before?.fieldId ?? ++lastId, name, transform }]
        break
      }
      case "RemovePartitionField": {
        const gone = find(change.name)
        fields = fields.filter((field) => field !== gone)
        break
      }
      case "RenamePartitionField": {
        const renamed = find(change.name)
        fields = fields.map((field) => (field === renamed ? { ...field, name: change.to } : field))
        break
      }
    }
  }
  const problems = partitionProblems({ specId: 0, fields }, schema)
  if (problems.length > 0) refuse(problems.join("; "))
  const same = specs.find(
    (spec) => spec.fields.length === fields.length && spec.fields.every((field, i) => sameField(field, fields[i]!))
  )
  const specId = same?.specId ?? 1 + Math.max(...specs.map((spec) => spec.specId))
  return { spec: { specId, fields }, lastPartitionId: lastId }
}
