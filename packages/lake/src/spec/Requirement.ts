/**
 * What a commit demands of the table it changes, named as the REST catalog protocol names them. Pure; checked against the
 * very base that the swap replaces.
 */
import type { TableMetadata } from "./TableMetadata.ts"

export type Requirement =
  | { readonly _tag: "AssertTableUuid"; readonly tableUuid: string }
  /** Null: the ref must not exist. */
  | { readonly _tag: "AssertRefSnapshot"; readonly ref: string; readonly snapshotId: bigint | null }
  | { readonly _tag: "AssertLastAssignedFieldId"; readonly fieldId: number }
  | { readonly _tag: "AssertCurrentSchemaId"; readonly schemaId: number }
  | { readonly _tag: "AssertLastAssignedPartitionId"; readonly partitionId: number }
  | { readonly _tag: "AssertDefaultSpecId"; readonly specId: number }
  | { readonly _tag: "AssertDefaultSortOrderId"; readonly sortOrderId: number }

/** The table is still the one with this UUID: not dropped and made anew. */
export const assertTableUuid = (tableUuid: string): Requirement => ({ _tag: "AssertTableUuid", tableUuid })

/** The branch or tag is still at this snapshot; null: there is none of this name. */
export const assertRef = (ref: string, snapshotId: bigint | null): Requirement => ({
  _tag: "AssertRefSnapshot",
  ref,
  snapshotId
})

/** What has to be as it was for a change of schema, partition spec or sort order that was computed on this base. */
export const assertStructure = (metadata: TableMetadata): ReadonlyArray<Requirement> => [
  { _tag: "AssertLastAssignedFieldId", fieldId: metadata.lastColumnId },
  { _tag: "AssertCurrentSchemaId", schemaId: metadata.currentSchemaId },
  { _tag: "AssertLastAssignedPartitionId", partitionId: metadata.lastPartitionId },
  { _tag: "AssertDefaultSpecId", specId: metadata.defaultSpecId },
  { _tag: "AssertDefaultSortOrderId", sortOrderId: metadata.defaultSortOrderId }
]

const differs = (what: string, found: number, expected: number): string | undefined =>
  found === expected ? undefined : `${what} is ${found} instead of ${expected}`

const unmet = (metadata: TableMetadata, requirement: Requirement): string | undefined => {
  switch (requirement._tag) {
    case "AssertTableUuid":
      return metadata.tableUuid === requirement.tableUuid
        ? undefined
        : `it is another table now (UUID ${metadata.tableUuid} instead of ${requirement.tableUuid})`
    case "AssertRefSnapshot": {
      const found = metadata.refs.get(requirement.ref)?.snapshotId ?? null
      return found === requirement.snapshotId
        ? undefined
        : `${requirement.ref} is at snapshot ${found ?? "none"} instead of ${requirement.snapshotId ?? "none"}`
    }
    case "AssertLastAssignedFieldId":
      return differs("its last field id", metadata.lastColumnId, requirement.fieldId)
    case "AssertCurrentSchemaId":
      return differs("its current schema", metadata.currentSchemaId, requirement.schemaId)
    case "AssertLastAssignedPartitionId":
      return differs("its last partition field id", metadata.lastPartitionId, requirement.partitionId)
    case "AssertDefaultSpecId":
      return differs("its partition spec", metadata.defaultSpecId, requirement.specId)
    case "AssertDefaultSortOrderId":
      return differs("its sort order", metadata.defaultSortOrderId, requirement.sortOrderId)
  }
}

/** Which requirement the table does not meet, in words; undefined when it meets all. */
export const unmetRequirement = (
  metadata: TableMetadata,
  requirements: ReadonlyArray<Requirement>
): string | undefined => {
  for (const requirement of requirements) {
    const found = unmet(metadata, requirement)
    if (found !== undefined) return found
  }
  return undefined
}
