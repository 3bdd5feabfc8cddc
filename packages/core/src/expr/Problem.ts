/**
 * What is wrong with an expression, said for the person who wrote it.
 *
 * `checkExpr` returns them; `Job.make` and the rule loader print them, all at once. They quote the expression and name
 * fields and kinds, never a record's values.
 */
export interface ExprProblem {
  /** What is wrong and what to write instead; one line, without a full stop. */
  readonly message: string
  /** Where in the source, in UTF-16 units from its start; `end` is exclusive. */
  readonly start: number
  readonly end: number
  /** From 1. */
  readonly line: number
  readonly column: number
  /** The line of the source and, below it, carets under the part that is wrong. */
  readonly excerpt: string
}

/** An excerpt shows this much of a long line. */
const excerptCharactersMax = 120

export const problemAt = (source: string, start: number, end: number, message: string): ExprProblem => {
  const at = Math.min(start, source.length)
  const lineStart = source.lastIndexOf("\n", at - 1) + 1
  const newline = source.indexOf("\n", at)
  const lineEnd = newline < 0 ? source.length : newline
  // a long line is cut around the place
  const from = Math.max(lineStart, Math.min(at - excerptCharactersMax / 2, lineEnd - excerptCharactersMax))
  const to = Math.min(lineEnd, from + excerptCharactersMax)
  const carets = Math.max(1, Math.min(end, to) - at)
  const shown = source.slice(from, to).replaceAll("\t", " ")
  return Object.freeze({
    message,
    start: at,
    end: Math.max(end, at),
    line: source.slice(0, at).split("\n").length,
    column: at - lineStart + 1,
    excerpt: `  ${shown}\n  ${" ".repeat(at - from)}${"^".repeat(carets)}`
  })
}

/** One problem as text: message, place, excerpt. */
export const formatProblem = (problem: ExprProblem): string =>
  `${problem.message}${problem.line === 1 ? "" : ` (line ${problem.line})`}\n${problem.excerpt}`
