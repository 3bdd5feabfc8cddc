/**
 * Which table a name in a query means: one of the catalog, or a metadata table of one, `ns."table$files"`, as Trino has it.
 *
 * Pure. Names are equal in either case, unless that leaves two.
 */
import { identifierText, isMetadataTable, type MetadataTable, metadataTables, type TableIdentifier } from "@frazil/lake"
import { QueryError } from "../QueryError.ts"
import type { TableUse } from "../sql/CheckTree.ts"
import { nearestName } from "../sql/NearestName.ts"

const namesShownMax = 10

export const named = (use: TableUse): string => (use.namespace === "" ? use.name : `${use.namespace}.${use.name}`)

/** A table, or one of its metadata tables. */
export interface FoundTable {
  readonly identifier: TableIdentifier
  readonly metadata: MetadataTable | undefined
}

export const foundText = ({ identifier, metadata }: FoundTable): string =>
  `${identifierText(identifier)}${metadata === undefined ? "" : `$${metadata}`}`

/** `name$files` cut at its last `$`. */
const metadataParts = (name: string): readonly [base: string, metadata: string] | undefined => {
  const at = name.lastIndexOf("$")
  return at < 1 ? undefined : [name.slice(0, at), name.slice(at + 1).toLowerCase()]
}

const find = (
  use: Pick<TableUse, "namespace" | "name">,
  known: ReadonlyArray<TableIdentifier>
): TableIdentifier | undefined => {
  const exact = known.find(({ name, namespace }) => name === use.name && namespace === use.namespace)
  const loose = known.filter(
    ({ name, namespace }) =>
      name.toLowerCase() === use.name.toLowerCase() && namespace.toLowerCase() === use.namespace.toLowerCase()
  )
  return exact ?? (loose.length === 1 ? loose[0] : undefined)
}

/** What may have been meant by a name in the form of metadata tables, or of Spark's. */
const metadataHint = (use: TableUse, known: ReadonlyArray<TableIdentifier>): string | undefined => {
  const parts = metadataParts(use.name)
  if (parts !== undefined && find({ ...use, name: parts[0] }, known) !== undefined) {
    return `metadata tables are ${metadataTables.map((name) => `"${parts[0]}$${name}"`).join(", ")}`
  }
  const spark = { ...use, namespace: use.catalog, name: use.namespace }
  return isMetadataTable(use.name.toLowerCase()) && find(spark, known) !== undefined
    ? `write ${use.catalog}."${use.namespace}$${use.name.toLowerCase()}"`
    : undefined
}

export const unknownTable = (use: TableUse, known: ReadonlyArray<TableIdentifier>): QueryError => {
  const names = known.map(identifierText)
  const near = nearestName(named(use), names)
  const listed =
    names.length === 0
      ? "the catalog has no tables yet"
      : `tables are ${names.slice(0, namesShownMax).join(", ")}${names.length > namesShownMax ? ", …" : ""}`
  return new QueryError({
    reason: "TableMissing",
    message: `there is no table ${named(use)}`,
    hint: metadataHint(use, known) ?? (near === undefined ? listed : `did you mean ${near}?`)
  })
}

/** A table of that very name goes first: other engines may make tables with `$` in their names. */
export const findTable = (use: TableUse, known: ReadonlyArray<TableIdentifier>): FoundTable | undefined => {
  if (use.catalog !== "") return undefined
  const identifier = find(use, known)
  if (identifier !== undefined) return { identifier, metadata: undefined }
  const [base, metadata = ""] = metadataParts(use.name) ?? []
  const of = base === undefined || !isMetadataTable(metadata) ? undefined : find({ ...use, name: base }, known)
  return of === undefined || !isMetadataTable(metadata) ? undefined : { identifier: of, metadata }
}
