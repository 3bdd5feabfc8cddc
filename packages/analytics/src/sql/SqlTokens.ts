/**
 * SQL text cut into words, marks and texts, far enough to find `AT (…)` clauses and nothing inside quotes or comments.
 *
 * Pure; never throws. What is cut wrongly is found out later: the changed text is parsed again and held against the
 * tree of the first parse.
 */

export interface Token {
  readonly kind: "word" | "quoted" | "text" | "mark"
  readonly start: number
  readonly end: number
}

const wordPattern = /[\p{L}_][\p{L}\p{N}_$]*/uy
const dollarPattern = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy

const match = (pattern: RegExp, sql: string, at: number): string | undefined => {
  pattern.lastIndex = at
  return pattern.exec(sql)?.[0]
}

/** The end of what `quote` opened; a doubled quote is part of it. */
const quotedEnd = (sql: string, at: number, quote: string, escapes: boolean): number => {
  let next = at + 1
  while (next < sql.length) {
    if (escapes && sql[next] === "\\") next += 2
    else if (sql[next] !== quote) next++
    else if (sql[next + 1] === quote) next += 2
    else return next + 1
  }
  return sql.length
}

const commentEnd = (sql: string, at: number): number => {
  let depth = 1
  let next = at + 2
  while (next < sql.length && depth > 0) {
    if (sql.startsWith("/*", next)) depth++
    else if (sql.startsWith("*/", next)) depth--
    else {
      next++
      continue
    }
    next += 2
  }
  return next
}

const skipped = (sql: string, at: number): number | undefined => {
  if (/\s/.test(sql[at] ?? "")) return at + 1
  if (sql.startsWith("--", at)) {
    const end = sql.indexOf("\n", at)
    return end < 0 ? sql.length : end + 1
  }
  return sql.startsWith("/*", at) ? commentEnd(sql, at) : undefined
}

const tokenAt = (sql: string, at: number): Token => {
  const character = sql[at]
  if (character === "'") return { kind: "text", start: at, end: quotedEnd(sql, at, "'", false) }
  if (character === '"') return { kind: "quoted", start: at, end: quotedEnd(sql, at, '"', false) }
  const dollar = character === "$" ? match(dollarPattern, sql, at) : undefined
  if (dollar !== undefined) {
    const end = sql.indexOf(dollar, at + dollar.length)
    return { kind: "text", start: at, end: end < 0 ? sql.length : end + dollar.length }
  }
  const word = match(wordPattern, sql, at)
  if (word === undefined) {
    const length = sql.startsWith("=>", at) ? 2 : 1
    return { kind: "mark", start: at, end: at + length }
  }
  if (/^e$/i.test(word) && sql[at + 1] === "'")
    return { kind: "text", start: at, end: quotedEnd(sql, at + 1, "'", true) }
  return { kind: "word", start: at, end: at + word.length }
}

export const sqlTokens = (sql: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  let at = 0
  while (at < sql.length) {
    const after = skipped(sql, at)
    if (after !== undefined) {
      at = after
      continue
    }
    const token = tokenAt(sql, at)
    tokens.push(token)
    at = token.end
  }
  return tokens
}
