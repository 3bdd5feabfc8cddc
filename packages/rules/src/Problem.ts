/**
 * What is wrong with a rule document, said for the person who wrote it: file, line, column, and what was expected.
 *
 * Reading and checking return them, all at once; `formatProblems` makes the one report that a refused start prints.
 */
export interface RuleProblem {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
  /** What is wrong and what to write instead; without a full stop. Further lines show an expression. */
  readonly message: string
}

const shownMax = 50

/** Every problem as `file:line:column: message`, in the order of files and lines; at most 50, then how many more. */
export const formatProblems = (problems: ReadonlyArray<RuleProblem>): string => {
  const ordered = problems.toSorted(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column
  )
  const lines = ordered.slice(0, shownMax).map(({ column, file, line, message }) => {
    return `${file}:${line}:${column}: ${message.replaceAll("\n", "\n  ")}`
  })
  return ordered.length > shownMax ? [...lines, `and ${ordered.length - shownMax} more`].join("\n") : lines.join("\n")
}
