/**
 * Row ids of tables of format version 3: which a snapshot gives to its manifests (specification, "Row Lineage", "First Row ID
 * Assignment"), and the columns that carry them in files.
 */
import { liveRows, type ManifestFile } from "./Manifest.ts"
import type { NestedField } from "./Type.ts"

/** Reserved columns, in files that hold rows which were moved; never part of a table's schema. */
export const rowIdField: NestedField = { id: 2_147_483_540, name: "_row_id", required: false, type: { _tag: "long" } }
export const lastUpdatedField: NestedField = {
  id: 2_147_483_539,
  name: "_last_updated_sequence_number",
  required: false,
  type: { _tag: "long" }
}

export interface GivenRowIds {
  readonly manifests: ReadonlyArray<ManifestFile>
  /** Ids from the first one on that may be in use now. */
  readonly addedRows: bigint
}

/** Manifests of data that have no first row id get one, in their order: room for every live row that may have no id yet. */
export const giveRowIds = (manifests: ReadonlyArray<ManifestFile>, firstRowId: bigint): GivenRowIds => {
  let next = firstRowId
  const given = manifests.map((manifest) => {
    if (manifest.content === "deletes" || manifest.firstRowId !== undefined) return manifest
    const first = next
    next += liveRows(manifest)
    return { ...manifest, firstRowId: first }
  })
  return { manifests: given, addedRows: next - firstRowId }
}
