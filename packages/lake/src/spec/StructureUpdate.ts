/**
 * How updates of a table's structure apply: its schemas, partition specs, sort orders, format version and statistics files.
 *
 * `MetadataUpdate.ts` names them and calls this. What a table has once is never changed in place: new versions are added and
 * made current, so that files of earlier ones stay readable.
 */
import { isFormatVersion } from "./FormatVersion.ts"
import type { JsonValue } from "./Json.ts"
import { readObject } from "./JsonRead.ts"
import type { PartitionSpec } from "./PartitionSpec.ts"
import { highestFieldId, type TableSchema } from "./Schema.ts"
import type { SortOrder } from "./SortOrder.ts"
import { currentSchema, schemaById, specById, type TableMetadata } from "./TableMetadata.ts"

/** In the place of an id: the one that this very commit has added last. */
export const lastAdded = -1

export type StructureUpdate =
  | { readonly _tag: "AssignUuid"; readonly uuid: string }
  | { readonly _tag: "UpgradeFormatVersion"; readonly formatVersion: number }
  /** `lastColumnId`: the highest id the table has given, which may belong to a column that this schema has no more. */
  | { readonly _tag: "AddSchema"; readonly schema: TableSchema; readonly lastColumnId: number }
  | { readonly _tag: "SetCurrentSchema"; readonly schemaId: number }
  | { readonly _tag: "AddPartitionSpec"; readonly spec: PartitionSpec }
  | { readonly _tag: "SetDefaultSpec"; readonly specId: number }
  | { readonly _tag: "AddSortOrder"; readonly sortOrder: SortOrder }
  | { readonly _tag: "SetDefaultSortOrder"; readonly sortOrderId: number }
  | { readonly _tag: "SetLocation"; readonly location: string }
  /** Of its snapshot, in place of what that has. */
  | { readonly _tag: "SetStatistics"; readonly statistics: JsonValue }
  | { readonly _tag: "RemoveStatistics"; readonly snapshotId: bigint }
  | { readonly _tag: "SetPartitionStatistics"; readonly partitionStatistics: JsonValue }
  | { readonly _tag: "RemovePartitionStatistics"; readonly snapshotId: bigint }
  | { readonly _tag: "RemoveSchemas"; readonly schemaIds: ReadonlyArray<number> }
  | { readonly _tag: "RemovePartitionSpecs"; readonly specIds: ReadonlyArray<number> }

const idNotGiven = (id: number, what: string): never => {
  throw new Error(`${what} ${id} is in the table already, and is another`)
}

const textOf = (item: unknown): string =>
  JSON.stringify(item, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value))

const put = <A>(items: ReadonlyArray<A>, item: A, idOf: (item: A) => number, what: string): ReadonlyArray<A> => {
  const known = items.find((each) => idOf(each) === idOf(item))
  if (known === undefined) return [...items, item]
  return textOf(known) === textOf(item) ? items : idNotGiven(idOf(item), what)
}

/** The id itself; for `lastAdded`, of what came last. */
const chosen = <A>(items: ReadonlyArray<A>, id: number, idOf: (item: A) => number): number => {
  if (id !== lastAdded) return id
  const last = items.at(-1)
  if (last === undefined) throw new Error("nothing was added that could be made current")
  return idOf(last)
}

const snapshotIdOf = (statistics: JsonValue): bigint | undefined => {
  const id = readObject(statistics, "statistics")["snapshot-id"]
  return typeof id === "number" || typeof id === "bigint" ? BigInt(id) : undefined
}

/** Statistics files without those of the snapshots; an entry that does not say whose it is stays. */
export const withoutStatisticsOf = (
  statistics: ReadonlyArray<JsonValue>,
  snapshotIds: ReadonlySet<bigint>
): ReadonlyArray<JsonValue> =>
  statistics.filter((entry) => {
    const id = snapshotIdOf(entry)
    return id === undefined || !snapshotIds.has(id)
  })

const withStatistics = (all: ReadonlyArray<JsonValue>, added: JsonValue): ReadonlyArray<JsonValue> => {
  const id = snapshotIdOf(added)
  if (id === undefined) throw new Error("a statistics file must say its snapshot")
  return [...withoutStatisticsOf(all, new Set([id])), added]
}

/** What the table has stays as it is: later versions read files of earlier ones. Row ids are given from then on. */
const upgraded = (metadata: TableMetadata, formatVersion: number): TableMetadata => {
  if (formatVersion === metadata.formatVersion) return metadata
  if (isFormatVersion(formatVersion) && formatVersion > metadata.formatVersion) return { ...metadata, formatVersion }
  throw new Error(`a table of format version ${metadata.formatVersion} cannot become one of version ${formatVersion}`)
}

const removed = <A>(
  items: ReadonlyArray<A>,
  ids: ReadonlyArray<number>,
  idOf: (item: A) => number,
  current: number
): ReadonlyArray<A> => {
  if (ids.includes(current)) throw new Error(`${current} is in use`)
  return items.filter((item) => !ids.includes(idOf(item)))
}

export const applyStructure = (metadata: TableMetadata, update: StructureUpdate): TableMetadata => {
  switch (update._tag) {
    case "AssignUuid":
      return { ...metadata, tableUuid: update.uuid }
    case "UpgradeFormatVersion":
      return upgraded(metadata, update.formatVersion)
    case "AddSchema": {
      const schemas = put(metadata.schemas, update.schema, schemaIdOf, "schema")
      const lastColumnId = Math.max(metadata.lastColumnId, update.lastColumnId, highestFieldId(update.schema))
      return { ...metadata, schemas, lastColumnId }
    }
    case "SetCurrentSchema": {
      const currentSchemaId = chosen(metadata.schemas, update.schemaId, schemaIdOf)
      schemaById(metadata, currentSchemaId)
      return { ...metadata, currentSchemaId }
    }
    case "AddPartitionSpec": {
      const partitionSpecs = put(metadata.partitionSpecs, update.spec, specIdOf, "partition spec")
      const lastPartitionId = Math.max(metadata.lastPartitionId, ...update.spec.fields.map(({ fieldId }) => fieldId))
      return { ...metadata, partitionSpecs, lastPartitionId }
    }
    case "SetDefaultSpec": {
      const defaultSpecId = chosen(metadata.partitionSpecs, update.specId, specIdOf)
      specById(metadata, defaultSpecId)
      return { ...metadata, defaultSpecId }
    }
    case "AddSortOrder":
      return { ...metadata, sortOrders: put(metadata.sortOrders, update.sortOrder, orderIdOf, "sort order") }
    case "SetDefaultSortOrder": {
      const defaultSortOrderId = chosen(metadata.sortOrders, update.sortOrderId, orderIdOf)
      return { ...metadata, defaultSortOrderId }
    }
    case "SetLocation":
      return { ...metadata, location: update.location.replace(/\/+$/, "") }
    case "SetStatistics":
      return { ...metadata, statistics: withStatistics(metadata.statistics, update.statistics) }
    case "RemoveStatistics":
      return { ...metadata, statistics: withoutStatisticsOf(metadata.statistics, new Set([update.snapshotId])) }
    case "SetPartitionStatistics":
      return {
        ...metadata,
        partitionStatistics: withStatistics(metadata.partitionStatistics, update.partitionStatistics)
      }
    case "RemovePartitionStatistics":
      return {
        ...metadata,
        partitionStatistics: withoutStatisticsOf(metadata.partitionStatistics, new Set([update.snapshotId]))
      }
    case "RemoveSchemas": {
      const schemas = removed(metadata.schemas, update.schemaIds, schemaIdOf, currentSchema(metadata).schemaId)
      return { ...metadata, schemas }
    }
    case "RemovePartitionSpecs": {
      const partitionSpecs = removed(metadata.partitionSpecs, update.specIds, specIdOf, metadata.defaultSpecId)
      return { ...metadata, partitionSpecs }
    }
  }
}

const schemaIdOf = ({ schemaId }: TableSchema): number => schemaId
const specIdOf = ({ specId }: PartitionSpec): number => specId
const orderIdOf = ({ orderId }: SortOrder): number => orderId
