/** A partition spec of a table, and its fields bound to the columns that they are made of: what a manifest's tuples have. */
import { Effect } from "effect"
import { fromFormat, type LakeError } from "../LakeError.ts"
import { bindInTable, type BoundPartitionField, type PartitionSpec } from "../spec/PartitionSpec.ts"
import { specById } from "../spec/TableMetadata.ts"
import type { Table } from "./Catalog.ts"

/** Corrupt when the table does not have the spec. */
export const specOf = (
  { metadata, metadataLocation }: Table,
  specId: number
): Effect.Effect<{ spec: PartitionSpec; partition: ReadonlyArray<BoundPartitionField> }, LakeError> =>
  Effect.try({
    try: () => {
      const spec = specById(metadata, specId)
      return { spec, partition: bindInTable(spec, metadata.schemas) }
    },
    catch: fromFormat("table metadata", metadataLocation)
  })
