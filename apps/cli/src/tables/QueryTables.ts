/** `frazil tables query "SQL"`: one SELECT over the lake, now or as of a moment. */
import { Analytics, personalColumns, QueryError, type ResultFormat } from "@frazil/analytics"
import { tables } from "@frazil/lakehouse"
import { catalogLayer, existingLake } from "@frazil/platform"
import { Effect, Layer, Option, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import { commonOptions, unmask } from "../Options.ts"
import { printLines, write } from "../Output.ts"
import { textTable } from "../print/TextTable.ts"

/** A table of more rows is nobody's reading: other formats are for programs. */
const tableRowsMax = 1000
const limits = { rowsMax: 100_000_000, bytesMax: 16 * 1024 * 1024 * 1024, timeoutMs: 600_000 }

const asOf = Flag.String("as-of").pipe(
  Flag.withDescription(
    "Read tables as they were: a time (UTC unless it says otherwise), a snapshot id, a branch or a tag"
  ),
  Flag.withMetavar("TIME|SNAPSHOT|REF"),
  Flag.optional
)

const format = Flag.Literals("format", ["table", "json", "ndjson", "csv", "arrow"]).pipe(
  Flag.withDescription("How to print the answer"),
  Flag.optional
)

/** One line: what is wrong, where, and what to do. */
const commandError = (error: QueryError): CommandError => {
  const place =
    error.atLine === undefined
      ? ""
      : ` (line ${error.atLine}${error.atColumn === undefined ? "" : `, column ${error.atColumn}`})`
  return new CommandError({ message: `${error.message}${place}${error.hint === undefined ? "" : `: ${error.hint}`}` })
}

const cell = (value: unknown): string =>
  value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value)

const tableLines = (json: string): ReadonlyArray<string> => {
  // made by our own service
  const { columns, rows } = JSON.parse(json) as {
    readonly columns: ReadonlyArray<{ readonly name: string; readonly type: string }>
    readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>
  }
  const numeric = /^(.*INT|FLOAT|DOUBLE|DECIMAL.*)$/
  return textTable(
    columns.map(({ name, type }) => ({
      title: name,
      text: (row: (typeof rows)[number]) => cell(row[name]),
      ...(numeric.test(type) ? { align: "right" as const } : {})
    })),
    rows
  )
}

const answer = Effect.fnUntraced(function* (sql: string, moment: string | undefined, as: ResultFormat | "table") {
  const analytics = yield* Analytics
  const asked = as === "table" ? { ...limits, rowsMax: tableRowsMax } : limits
  const prepared = yield* analytics.prepare({ sql, asOf: moment, limits: asked })
  const { body } = yield* prepared.run(as === "table" ? "json" : as)
  if (as !== "table") return yield* Stream.runForEach(body, write)
  yield* printLines(tableLines(Buffer.concat(yield* Stream.runCollect(body)).toString()))
}, Effect.scoped)

export const queryTables = Command.make(
  "query",
  {
    sql: Argument.String("SQL").pipe(Argument.withDescription("One SELECT; tables are namespace.table")),
    asOf,
    format,
    unmask,
    ...commonOptions
  },
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingLake(given)
    const services = Analytics.layer({
      temporaryFolder: directory.temporaryFolder,
      slots: 1,
      personal: given.unmask ? [] : personalColumns(tables)
    }).pipe(Layer.provide(catalogLayer(directory)))
    const as = Option.getOrElse(given.format, (): "json" | "table" => (given.json ? "json" : "table"))
    yield* answer(given.sql, Option.getOrUndefined(given.asOf), as).pipe(
      Effect.mapError((error) => (error instanceof QueryError ? commandError(error) : error)),
      Effect.provide(services)
    )
  })
).pipe(Command.withDescription("Runs one SELECT over the lake, now or as of a time, a snapshot or a ref"))
