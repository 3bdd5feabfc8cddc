/**
 * What a rule of tidy reports: where, what, and what to do about it.
 *
 * Every rule is a pure function from a workspace to problems, so each can be tested on a handful of texts.
 */
import type { Workspace } from "./Workspace.ts"

export interface Problem {
  /** Relative to the repository's root. */
  readonly path: string
  /** From 1; 0 speaks of the whole file. */
  readonly line: number
  readonly rule: string
  /** What is wrong, then what to do. */
  readonly message: string
}

export type Rule = (workspace: Workspace) => ReadonlyArray<Problem>

/** One line a person can click on. */
export const formatProblem = (problem: Problem): string =>
  `${problem.path}${problem.line > 0 ? `:${problem.line}` : ""}  ${problem.rule}: ${problem.message}`
