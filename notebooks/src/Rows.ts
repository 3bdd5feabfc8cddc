/**
 * Rows as a notebook shows them: a table in HTML, and the same as text where HTML is not shown.
 *
 * `Lake.ts` makes them of an answer; the kernel finds their look by `Jupyter.display`.
 */

export type Row = Readonly<Record<string, unknown>>

const shownMax = 50
const display = Symbol.for("Jupyter.display")

const cell = (value: unknown): string =>
  value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value)

/** Digits in threes; identifiers and texts as they are. */
const shown = (value: unknown): string =>
  typeof value === "number" && Number.isFinite(value) ? value.toLocaleString("en-US") : cell(value)

/** Decimals come as text: a number would round them. */
const isNumeric = (value: unknown): boolean =>
  value === null || typeof value === "number" || (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value))

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

const html = (rows: ReadonlyArray<Row>, columns: ReadonlyArray<string>): string => {
  const aligned = columns.map((name) => (rows.every((row) => isNumeric(row[name])) ? "right" : "left"))
  const line = (tag: "td" | "th", texts: ReadonlyArray<string>) => {
    const cells = texts.map((text, index) => {
      return `<${tag} style="text-align:${aligned[index]};white-space:nowrap">${escaped(text)}</${tag}>`
    })
    return `<tr>${cells.join("")}</tr>`
  }
  const body = rows.slice(0, shownMax).map((row) =>
    line(
      "td",
      columns.map((name) => shown(row[name]))
    )
  )
  const more = rows.length > shownMax ? `<p>and ${shown(rows.length - shownMax)} more rows</p>` : ""
  return `<table><thead>${line("th", columns)}</thead><tbody>${body.join("")}</tbody></table>${more}`
}

const text = (rows: ReadonlyArray<Row>, columns: ReadonlyArray<string>): string => {
  const lines = rows.slice(0, shownMax).map((row) => columns.map((name) => shown(row[name])).join("  "))
  return [columns.join("  "), ...lines].join("\n")
}

/** An array of rows that shows itself in a notebook: at most 50 of them, all are there. */
export const rowsOf = (rows: ReadonlyArray<Row>, columns = Object.keys(rows[0] ?? {})) =>
  Object.assign(Array.from(rows), {
    [display]: () => ({ "text/html": html(rows, columns), "text/plain": text(rows, columns) })
  })
