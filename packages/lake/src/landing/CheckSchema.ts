/**
 * Whether a table still takes what its topic lands, whatever others did to its schema since. Pure.
 *
 * Columns are known by field id: files are written with the ids that the landing declared, so that a renamed or moved column
 * goes on to be filled, and an optional column that others added is null in landed rows. What would lose values, or could
 * not be read, stops the landing: `OpenTable` asks before each attempt.
 */
import { currentSchema } from "../spec/TableMetadata.ts"
import { isPrimitive, primitiveToText, typeEquals, type NestedField } from "../spec/Type.ts"
import type { Table } from "../catalog/Catalog.ts"
import type { Landing } from "./Landing.ts"
import { LandingError } from "./LandingError.ts"
import { sourceColumns } from "./TableSchema.ts"

const bySource: ReadonlySet<string> = new Set(Object.values(sourceColumns))

const typeText = ({ type }: NestedField): string => (isPrimitive(type) ? primitiveToText(type) : type._tag)

const called = (ours: NestedField, theirs: NestedField): string =>
  ours.name === theirs.name ? `column ${ours.name}` : `column ${theirs.name} (landed as ${ours.name})`

/** What stands against landing into a column; undefined when nothing does. */
const columnProblem = (ours: NestedField, theirs: NestedField | undefined): string | undefined => {
  if (theirs === undefined) return `it has no column ${ours.name} any more`
  if (!typeEquals(ours.type, theirs.type)) {
    return `${called(ours, theirs)} is ${typeText(theirs)}, records have ${typeText(ours)}`
  }
  if (theirs.required && !ours.required) return `${called(ours, theirs)} is required, records may lack it`
  // rows are recounted by these names
  return bySource.has(ours.name) && ours.name !== theirs.name
    ? `column ${ours.name} is called ${theirs.name}: rows are found by its name`
    : undefined
}

/** SchemaDiffers, with every column that stands against it; undefined when the table can be landed into. */
export const checkSchema = (landing: Landing, table: Table): LandingError | undefined => {
  const { fields } = currentSchema(table.metadata)
  const byId = new Map(fields.map((field) => [field.id, field]))
  const own = new Set(landing.schema.fields.map(({ id }) => id))
  const problems = [
    ...landing.schema.fields.flatMap((ours) => columnProblem(ours, byId.get(ours.id)) ?? []),
    ...fields.flatMap(({ id, name, required, writeDefault }) =>
      required && !own.has(id) && writeDefault === undefined
        ? [`column ${name} is required, records have no such field`]
        : []
    )
  ]
  if (problems.length === 0) return undefined
  return new LandingError({
    reason: "SchemaDiffers",
    message: `table ${landing.table} does not take what topic ${landing.topic.name} lands: ${problems.join("; ")}. It was made by another version, for something else, or changed since: change it back, land into another table, or move this one away`
  })
}
