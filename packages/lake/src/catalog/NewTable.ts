/** A declared table with what it leaves open filled in, and what is wrong with it: the same for every catalog. Pure. */
import { declaredVersion, formatVersionProperty } from "../spec/FormatVersion.ts"
import { newTableProblems, type NewTable } from "../spec/MetadataUpdate.ts"
import { unpartitioned } from "../spec/PartitionSpec.ts"
import { ofVersion3 } from "../spec/Schema.ts"
import { unsorted } from "../spec/SortOrder.ts"
import { identifierProblems, type CreateTable } from "./Catalog.ts"

export type NewParts = Pick<NewTable, "schema" | "partitionSpec" | "sortOrder" | "properties">

export interface DeclaredTable {
  /** As property `format-version` asks; 2 otherwise. */
  readonly formatVersion: 2 | 3
  readonly parts: NewParts
  /** Empty when the table can be made. */
  readonly problems: ReadonlyArray<string>
}

export const newTable = (declared: CreateTable): DeclaredTable => {
  const properties = new Map([["write.parquet.compression-codec", "zstd"], ...(declared.properties ?? [])])
  const version = declaredVersion(properties)
  properties.delete(formatVersionProperty)
  const parts: NewParts = {
    schema: declared.schema,
    partitionSpec: declared.partitionSpec ?? unpartitioned,
    sortOrder: declared.sortOrder ?? unsorted,
    properties
  }
  return {
    formatVersion: version ?? 2,
    parts,
    problems: [
      ...identifierProblems(declared.identifier),
      ...newTableProblems(parts),
      ...(version === 2 && ofVersion3(parts.schema) !== undefined
        ? [`${ofVersion3(parts.schema)} need format version 3`]
        : []),
      ...(version === undefined ? [`property ${formatVersionProperty}: tables are made of version 2 or 3`] : [])
    ]
  }
}
