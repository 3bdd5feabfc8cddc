/** Rows as aligned text for people. Pure. */

export interface Column<Row> {
  readonly title: string
  readonly text: (row: Row) => string
  /** Numbers are easier to compare when they end below each other. */
  readonly align?: "right"
}

/** A line of titles, then a line for each row; the last column is not padded. */
export const textTable = <Row>(
  columns: ReadonlyArray<Column<Row>>,
  rows: ReadonlyArray<Row>
): ReadonlyArray<string> => {
  const cells = [columns.map((column) => column.title), ...rows.map((row) => columns.map((column) => column.text(row)))]
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)))
  return cells.map((line) =>
    line
      .map((cell, index) =>
        columns[index]!.align === "right" ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)
      )
      .join("  ")
      .trimEnd()
  )
}

/** Named values, one a line. */
export const textFields = (fields: ReadonlyArray<readonly [name: string, value: string]>): ReadonlyArray<string> => {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd())
}
