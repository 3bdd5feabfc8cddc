/**
 * Personal columns, masked where a table's relation is built: before any expression of a query can see a value.
 *
 * `ResolveTables.ts` calls it. A text is `(personal)` and any other type NULL; NULLs stay NULLs. The mask is the same for all
 * values, so that neither a comparison nor a join, a group, a cast or a part of a text tells one from another.
 * **Gotchas**: how many values there are, and which are NULL, is not hidden.
 */
import { personalText } from "@frazil/core"
import { type Landing, readMarks, type ScanPlan, type Table } from "@frazil/lake"

/** What is personal in the tables of these landings. */
export type PersonalColumns = ReadonlyArray<{
  readonly landing: Pick<Landing, "uid" | "branch" | "table">
  readonly columns: ReadonlySet<string>
}>

/** Where a table keeps fields that its contract does not name: nobody has said that they are not personal. */
const extraColumn = "extra_fields"

/** Read from the contracts of what lands. */
export const personalColumns = (landings: ReadonlyArray<Landing>): PersonalColumns =>
  landings.flatMap((landing) => {
    const { fields } = landing.topic.shape
    const columns = fields.filter(({ personal }) => personal).map(({ name }) => name)
    return columns.length === 0 ? [] : [{ landing, columns: new Set([...columns, extraColumn]) }]
  })

/** Its marks tell a table's landing also when it was renamed, or when somebody has edited them. */
const isOf = (table: Table, name: string, { branch, table: declared, uid }: PersonalColumns[number]["landing"]) =>
  name === declared || readMarks(uid, branch, table.metadata.properties)?.size !== 0

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Columns are known by their ids: one that was renamed since is the same column. */
const idsOf = ({ schemas }: Table["metadata"], columns: ReadonlySet<string>): ReadonlySet<number> =>
  new Set(schemas.flatMap(({ fields }) => fields.filter(({ name }) => columns.has(name)).map(({ id }) => id)))

/** Ids of the table's top-level fields that are personal. */
export const personalFieldIds = (table: Table, name: string, personal: PersonalColumns): ReadonlySet<number> => {
  const columns = personal.filter(({ landing }) => isOf(table, name, landing)).flatMap((each) => [...each.columns])
  return columns.length === 0 ? new Set() : idsOf(table.metadata, new Set(columns))
}

/** What was said of a table's files, without folders that are named by personal values. */
export const maskPaths = (message: string, table: Table, name: string, personal: PersonalColumns): string => {
  const ids = personalFieldIds(table, name, personal)
  const divides = table.metadata.partitionSpecs.some(({ fields }) => fields.some(({ sourceId }) => ids.has(sourceId)))
  return divides ? message.replaceAll(/[^/\s]+=[^/\s]*\//g, "…/") : message
}

/** The relation, without what is personal. */
export const maskRelation = (
  relation: string,
  name: string,
  { plan, table }: { readonly plan: ScanPlan; readonly table: Table },
  personal: PersonalColumns
): string => {
  const ids = personalFieldIds(table, name, personal)
  const replaced = plan.schema.fields
    .filter(({ id }) => ids.has(id))
    .map((field) => {
      const column = quoted(field.name)
      // a CASE that is never met has the column's type, and no value
      const value =
        field.type._tag === "string" ? `${column} IS NOT NULL THEN '${personalText}'` : `false THEN ${column}`
      return `CASE WHEN ${value} END AS ${column}`
    })
  return replaced.length === 0 ? relation : `SELECT * REPLACE (${replaced.join(", ")}) FROM (${relation})`
}
