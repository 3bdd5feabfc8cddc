/**
 * Rows as JSON objects (one to a line, with or without commas between) and as CSV (RFC 4180, with a header).
 *
 * In CSV, null is nothing between the commas and an empty text is `""`; lists and structs are JSON.
 */
import type { DuckDBDataChunk, DuckDBType } from "@duckdb/node-api"
import type { Encoder } from "./Encoder.ts"
import { converter, type Plain } from "./Rows.ts"

export interface Columns {
  readonly names: ReadonlyArray<string>
  readonly types: ReadonlyArray<DuckDBType>
}

const none = new Uint8Array(0)
const utf8 = new TextEncoder()

/** Every value of the chunk, as JSON has it, by column. */
const plainColumns = (chunk: DuckDBDataChunk, rows: number, converts: ReadonlyArray<ReturnType<typeof converter>>) =>
  converts.map((convert, index) => {
    const vector = chunk.getColumnVector(index)
    const values: Array<Plain> = []
    for (let row = 0; row < rows; row++) {
      const value = vector.getItem(row)
      values.push(value === null ? null : convert(value))
    }
    return values
  })

/** `between` stands between rows, `after` behind each. */
export const jsonEncoder = ({ names, types }: Columns, between: string, after: string): Encoder => {
  const converts = types.map(converter)
  const keys = names.map((name, index) => `${index === 0 ? "{" : ","}${JSON.stringify(name)}:`)
  let first = true
  return {
    head: () => none,
    rows: (chunk, rows) => {
      const columns = plainColumns(chunk, rows, converts)
      const texts: Array<string> = []
      for (let row = 0; row < rows; row++) {
        let text = first ? "" : between
        first = false
        for (let index = 0; index < columns.length; index++) {
          text += keys[index] + JSON.stringify(columns[index]?.[row] ?? null)
        }
        texts.push(`${text}}${after}`)
      }
      return utf8.encode(texts.join(""))
    },
    tail: () => none
  }
}

const csvText = (value: Plain): string => {
  if (value === null) return ""
  const text = typeof value === "object" ? JSON.stringify(value) : String(value)
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const csvEncoder = ({ names, types }: Columns): Encoder => {
  const converts = types.map(converter)
  return {
    head: () => utf8.encode(`${names.map(csvText).join(",")}\r\n`),
    rows: (chunk, rows) => {
      const columns = plainColumns(chunk, rows, converts)
      const lines: Array<string> = []
      for (let row = 0; row < rows; row++) {
        lines.push(columns.map((column) => csvText(column[row] ?? null)).join(","))
      }
      return utf8.encode(`${lines.join("\r\n")}\r\n`)
    },
    tail: () => none
  }
}
