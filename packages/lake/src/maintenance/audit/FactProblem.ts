/** What an audit of a table against itself finds. Pure. */

/**
 * `file`, `manifest`: one is missing, or cannot be read. `sequence`, `path`, `marks`, `vector`: what nobody can tell the truth of but who
 * wrote it. The others are facts that follow from files, and can be written anew.
 */
export type FactKind =
  | "file"
  | "manifest"
  | "sequence"
  | "path"
  | "marks"
  | "vector"
  | "vector-place"
  | "file-size"
  | "record-count"
  | "value-count"
  | "bounds"
  | "manifest-length"
  | "manifest-counts"
  | "manifest-summary"
  | "statistics"
  | "summary"

export interface FactProblem {
  readonly kind: FactKind
  /** URI of the file that is meant, or of what names it. */
  readonly where: string
  /** What is said, and what is. */
  readonly message: string
}

const repairable: ReadonlySet<FactKind> = new Set<FactKind>([
  "file-size",
  "record-count",
  "value-count",
  "bounds",
  "vector-place",
  "manifest-length",
  "manifest-counts",
  "manifest-summary",
  "statistics",
  "summary"
])

/** Whether it follows from files that are there, so that it can be written anew without touching rows. */
export const isRepairable = ({ kind }: FactProblem): boolean => repairable.has(kind)
