/**
 * What a commit demands of the table it changes, named as the REST catalog protocol names them. Pure; checked against the
 * very base that the swap replaces.
 */
import { mainBranch } from "./Snapshot.ts"
import type { TableMetadata } from "./TableMetadata.ts"

export type Requirement =
  | { readonly _tag: "AssertTableUuid"; readonly tableUuid: string }
  /** Null: the ref must not exist. */
  | { readonly _tag: "AssertRefSnapshot"; readonly ref: string; readonly snapshotId: bigint | null }

/** The table is still the one with this UUID: not dropped and made anew. */
export const assertTableUuid = (tableUuid: string): Requirement => ({ _tag: "AssertTableUuid", tableUuid })

/** The head of `main` is still this snapshot; null for "no snapshot yet". */
export const assertHead = (snapshotId: bigint | null): Requirement => ({
  _tag: "AssertRefSnapshot",
  ref: mainBranch,
  snapshotId
})

/** Which requirement the table does not meet, in words; undefined when it meets all. */
export const unmetRequirement = (
  metadata: TableMetadata,
  requirements: ReadonlyArray<Requirement>
): string | undefined => {
  for (const requirement of requirements) {
    if (requirement._tag === "AssertTableUuid") {
      if (metadata.tableUuid !== requirement.tableUuid) {
        return `it is another table now (UUID ${metadata.tableUuid} instead of ${requirement.tableUuid})`
      }
    } else {
      const found = metadata.refs.get(requirement.ref)?.snapshotId ?? null
      if (found !== requirement.snapshotId) {
        return `${requirement.ref} is at snapshot ${found ?? "none"} instead of ${requirement.snapshotId ?? "none"}`
      }
    }
  }
  return undefined
}
