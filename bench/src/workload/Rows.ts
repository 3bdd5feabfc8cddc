/**
 * The rows of an answer as `workloads.md` has them: text, sorted bytewise, each ended by a line feed; and the file that
 * `--output` writes.
 */
import { createHash } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BenchError } from "../support/BenchError.ts"

const ascii = /^[\x20-\x7e]*$/

/** JavaScript would sort by UTF-16 units. */
const sortBytewise = (rows: ReadonlyArray<string>): ReadonlyArray<string> =>
  rows.every((row) => ascii.test(row))
    ? [...rows].sort()
    : rows
        .map((row) => Buffer.from(row))
        .sort((left, right) => Buffer.compare(left, right))
        .map((row) => row.toString())

export interface RowsText {
  readonly sha256: string
  /** Writes `<name>.csv` into the folder, which is made when it is not there. */
  readonly write: (directory: string, name: string) => void
}

const rowsAtOnce = 10_000

export const textOf = (rows: ReadonlyArray<string>): RowsText => {
  const sorted = sortBytewise(rows)
  const hash = createHash("sha256")
  const parts: Array<string> = []
  for (let from = 0; from < sorted.length; from += rowsAtOnce) {
    const part = sorted
      .slice(from, from + rowsAtOnce)
      .map((row) => `${row}\n`)
      .join("")
    hash.update(part)
    parts.push(part)
  }
  return {
    sha256: hash.digest("hex"),
    write: (directory, name) => {
      const file = join(directory, `${name}.csv`)
      try {
        mkdirSync(directory, { recursive: true })
        writeFileSync(file, "")
        for (const part of parts) writeFileSync(file, part, { flag: "a" })
      } catch (cause) {
        throw BenchError.of(`${file} cannot be written`, cause, "give --output a folder that may be written to")
      }
    }
  }
}
