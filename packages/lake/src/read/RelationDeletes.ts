/**
 * Delete files as SQL: what a group of data files is anti-joined with (specification, "Row-level Deletes").
 *
 * Pure. A position names its file as its writer spelled it; equality is of all named columns, null equal to null.
 */
import { normaliseUri } from "@frazil/core"
import { sqlText } from "../io/DuckDb.ts"
import { type DeleteFile, deletePathId, deletePositionId } from "../spec/DataFile.ts"
import { type Copies, fileText } from "./RelationFiles.ts"

/** How a group's scan names a column by its field id. */
export const columnName = (fieldId: number): string => `c${fieldId}`

const readDeletes = (
  files: ReadonlyArray<DeleteFile>,
  copies: Copies,
  columns: ReadonlyArray<readonly [id: number, type: string]>
) => {
  const schema = columns.map(
    ([id, type]) => `${id}: {'name': '${columnName(id)}', 'type': ${sqlText(type)}, 'default_value': NULL}`
  )
  const paths = files.map(({ filePath }) => fileText(filePath, copies)).join(", ")
  return `read_parquet([${paths}], hive_partitioning = false, schema = MAP {${schema.join(", ")}})`
}

/** The one spelling of a local file that `normaliseUri` gives; other schemes stay. */
const normalised = (path: string): string =>
  `CASE WHEN starts_with(${path}, 'file:') OR starts_with(${path}, '/') THEN 'file://' || regexp_replace(${path}, '^file:(//(localhost)?)?', '') ELSE ${path} END`

/** `dataFiles` in the order in which `scan` reads them: `file_index` counts by it. */
export const positionAntiJoin = (
  files: ReadonlyArray<DeleteFile>,
  copies: Copies,
  dataFiles: ReadonlyArray<string>,
  alias: string
): string => {
  const [path, position] = [columnName(deletePathId), columnName(deletePositionId)]
  const deleted = readDeletes(files, copies, [
    [deletePathId, "VARCHAR"],
    [deletePositionId, "BIGINT"]
  ])
  const named = dataFiles.map((uri, i) => `(${i}, ${sqlText(normaliseUri(uri))})`).join(", ")
  return `ANTI JOIN (SELECT f.i, p.${position} AS row FROM ${deleted} AS p JOIN (VALUES ${named}) AS f(i, uri) ON f.uri = ${normalised(`p.${path}`)}) AS ${alias} ON ${alias}.i = d.file_index AND ${alias}.row = d.file_row_number`
}

/** Files of one set of equality columns. */
export const equalityAntiJoin = (
  files: ReadonlyArray<DeleteFile>,
  copies: Copies,
  columns: ReadonlyArray<readonly [id: number, type: string]>,
  alias: string
): string => {
  const equal = columns.map(([id]) => `d.${columnName(id)} IS NOT DISTINCT FROM ${alias}.${columnName(id)}`)
  return `ANTI JOIN (SELECT * FROM ${readDeletes(files, copies, columns)}) AS ${alias} ON ${equal.join(" AND ")}`
}
