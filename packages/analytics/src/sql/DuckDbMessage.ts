/** What DuckDB says of a query that it cannot run, as an error with a place and a hint. Pure. */
import { QueryError } from "../QueryError.ts"

const kindPattern = /^([A-Z][A-Za-z ]*?)(?: Error| exception)?: /

const lineOf = (message: string): { readonly line: number; readonly column: number | undefined } | undefined => {
  const found = /^LINE (\d+): (.*)\n( *)\^/m.exec(message)
  if (found === null) return undefined
  const [, line = "", text = "", indent = ""] = found
  const prefix = `LINE ${line}: `.length
  // a text that was cut at its start says nothing of the column
  return { line: Number(line), column: text.startsWith("...") ? undefined : indent.length - prefix + 1 }
}

const hintOf = (message: string): string | undefined => {
  const candidates =
    /^Candidate bindings: (.*)$/m.exec(message)?.[1] ?? /^Candidate functions:\s*(.*)$/m.exec(message)?.[1]
  if (candidates !== undefined) return `did you mean ${candidates.trim()}?`
  return /^(?:HINT|Hint): (.*)$/m.exec(message)?.[1] ?? /Did you mean (.*)\?/.exec(message)?.[0]
}

const kinds: ReadonlyArray<readonly [RegExp, QueryError["reason"]]> = [
  [/^Refused/, "Refused"],
  [/^Parser/, "Syntax"],
  [/^Permission/, "Refused"],
  [/^(Internal|FATAL|Fatal)/, "Failed"]
]

const missingColumn =
  /Referenced (column|table)|does not have a column|Table "[^"]*" does not have|not found in FROM clause/

/** `message` is all of what DuckDB said. */
export const fromDuckDb = (message: string): QueryError => {
  const first = message.split("\n")[0] ?? message
  const place = lineOf(message)
  const hint = hintOf(message)
  const said = {
    message: first.replace(kindPattern, ""),
    ...(place === undefined ? {} : { atLine: place.line }),
    ...(place?.column === undefined ? {} : { atColumn: place.column }),
    ...(hint === undefined ? {} : { hint })
  }
  if (first.startsWith("Out of Memory")) {
    return new QueryError({
      reason: "LimitReached",
      limit: "memory",
      message: "the query needs more memory or disk than it may take",
      hint: "ask for less, or with a higher memory_mb"
    })
  }
  if (first.startsWith("IO")) {
    const gone = "a file of the table could not be read: its snapshot may have expired meanwhile"
    return new QueryError({ reason: "Unavailable", message: gone, hint: "try again" })
  }
  if (missingColumn.test(first)) return new QueryError({ reason: "ColumnMissing", ...said })
  const reason = kinds.find(([pattern]) => pattern.test(first))?.[1] ?? "Invalid"
  return new QueryError({ reason, ...said })
}
