/**
 * Columns that stand in no file, since its partition says their one value: what an engine leaves out that lists files of Hive in
 * manifests as they are (specification, "Column Projection", first rule).
 *
 * Pure. Only identity transforms say a column's value.
 */
import type { ContentFile } from "../spec/DataFile.ts"
import type { ManifestEntry } from "../spec/Manifest.ts"
import { bindInTable } from "../spec/PartitionSpec.ts"
import { specById, type TableMetadata } from "../spec/TableMetadata.ts"
import { sqlLiteral } from "./FilterSql.ts"
import type { PhysicalField } from "./PhysicalSchema.ts"

/** By field id, the value as SQL. */
export type Constants = ReadonlyMap<number, string>

export const noConstants: Constants = new Map()

/** Columns whose values the file's partition says. */
export const identitySources = (
  metadata: TableMetadata,
  { specId }: Pick<ContentFile, "specId">
): ReadonlyArray<number> =>
  specById(metadata, specId).fields.flatMap(({ sourceId, transform }) =>
    transform._tag === "identity" ? [sourceId] : []
  )

/** Whether a file's metrics leave open that it lacks a column of its partition, so that its footer has to be asked. */
export const mayLackPartition = (metadata: TableMetadata, { dataFile }: ManifestEntry): boolean =>
  identitySources(metadata, dataFile).some((id) => !dataFile.columnSizes.has(id) && !dataFile.valueCounts.has(id))

const idsOf = (fields: ReadonlyArray<PhysicalField>): ReadonlyArray<number> =>
  fields.flatMap(({ id, type }) => {
    const inner = type._tag === "struct" ? idsOf(type.fields) : []
    return id === undefined ? inner : [id, ...inner]
  })

/** What the partition says of columns that a file with these columns lacks. */
export const constantsOf = (
  metadata: TableMetadata,
  { dataFile }: ManifestEntry,
  columns: ReadonlyArray<PhysicalField>
): Constants => {
  const sources = identitySources(metadata, dataFile)
  if (sources.length === 0) return noConstants
  const present = new Set(idsOf(columns))
  if (sources.every((id) => present.has(id))) return noConstants
  const bound = bindInTable(specById(metadata, dataFile.specId), metadata.schemas)
  return new Map(
    bound.flatMap(({ sourceId, transform, type }, i) => {
      const value = dataFile.partition[i] ?? null
      const said = transform._tag === "identity" && !present.has(sourceId) && type !== undefined && value !== null
      return said ? [[sourceId, sqlLiteral(type, value)] as const] : []
    })
  )
}
