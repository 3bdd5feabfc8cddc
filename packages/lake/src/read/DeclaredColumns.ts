/**
 * Whether files have a table's columns just as it declares them, so that DuckDB may read them by itself: told the schema, it has
 * neither the number of rows nor the columns' statistics, and plans without them.
 *
 * Pure. Answers no where it is not sure: that costs speed only.
 */
import type { TableSchema } from "../spec/Schema.ts"
import { isPrimitive, primitiveToText } from "../spec/Type.ts"
import type { FooterElement } from "../write/parquet/ParquetFooter.ts"

/** A file's columns, without what is nested in them. */
export const topLevel = (elements: ReadonlyArray<FooterElement>): ReadonlyArray<FooterElement> => {
  const found: Array<FooterElement> = []
  // elements that are still to come below the column that was last begun
  let below = 0
  for (const element of elements.slice(1)) {
    if (below > 0) below--
    else found.push(element)
    below += element.childCount
  }
  return found
}

/** True when every column is there under its name, its id and its type, and no other could be taken for it. */
export const isAsDeclared = ({ fields }: TableSchema, elements: ReadonlyArray<FooterElement>): boolean => {
  const columns = Map.groupBy(topLevel(elements), ({ name }) => name.toLowerCase())
  return fields.every(({ id, name, type }) => {
    const [column, another] = columns.get(name.toLowerCase()) ?? []
    if (column === undefined || another !== undefined || column.name !== name || column.fieldId !== id) return false
    return isPrimitive(type) && !column.repeated && column.primitive === primitiveToText(type)
  })
}
