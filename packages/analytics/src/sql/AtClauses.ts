/**
 * Finds `AT (VERSION | TIMESTAMP | TAG | BRANCH => …)` in SQL text.
 *
 * Pure. DuckDB parses the first two words only, so TAG and BRANCH become VERSION before it sees them; before a query runs
 * the clauses are blanked out, since its views take none.
 */
import { sqlTokens, type Token } from "./SqlTokens.ts"
import type { Splice } from "./Splice.ts"

export interface AtClause {
  /** From `AT` to behind the closing bracket. */
  readonly start: number
  readonly end: number
  /** Where the word after the bracket stands. */
  readonly unit: Pick<Token, "start" | "end">
  readonly unitText: string
}

const units = new Set(["version", "timestamp", "tag", "branch"])

const closing = (sql: string, tokens: ReadonlyArray<Token>, from: number): number | undefined => {
  let depth = 0
  for (let index = from; index < tokens.length; index++) {
    const token = tokens[index]
    if (token?.kind !== "mark") continue
    const mark = sql[token.start]
    if (mark === "(") depth++
    if (mark === ")" && --depth === 0) return token.end
  }
  return undefined
}

export const atClauses = (sql: string): ReadonlyArray<AtClause> => {
  const tokens = sqlTokens(sql)
  const textOf = (token: Token | undefined) => (token === undefined ? "" : sql.slice(token.start, token.end))
  return tokens.flatMap((token, index): ReadonlyArray<AtClause> => {
    const unit = tokens[index + 2]
    if (token.kind !== "word" || unit?.kind !== "word" || textOf(token).toLowerCase() !== "at") return []
    if (textOf(tokens[index + 1]) !== "(" || textOf(tokens[index + 3]) !== "=>") return []
    const unitText = textOf(unit).toLowerCase()
    const end = closing(sql, tokens, index + 1)
    return units.has(unitText) && end !== undefined ? [{ start: token.start, end, unit, unitText }] : []
  })
}

/** TAG and BRANCH as the word that DuckDB knows. */
export const refsAsVersions = (clauses: ReadonlyArray<AtClause>): ReadonlyArray<Splice> =>
  clauses
    .filter(({ unitText }) => unitText === "tag" || unitText === "branch")
    .map(({ unit }) => ({ start: unit.start, end: unit.end, text: "VERSION" }))

/** The clauses taken out, line breaks left in. */
export const blanked = (sql: string, clauses: ReadonlyArray<AtClause>): ReadonlyArray<Splice> =>
  clauses.map(({ end, start }) => ({ start, end, text: sql.slice(start, end).replaceAll(/[^\n]/g, " ") }))
