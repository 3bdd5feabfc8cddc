/**
 * Style as a failing test: runs every rule over the repository.
 *
 * Called by `bun run check`. A rule is added here and tested in tools/test.
 */
import type { Problem, Rule } from "./Problem.ts"
import { comments } from "./rules/Comments.ts"
import { dependencies } from "./rules/Dependencies.ts"
import { droppedEffects } from "./rules/DroppedEffects.ts"
import { documents } from "./rules/Documents.ts"
import { forbiddenText } from "./rules/ForbiddenText.ts"
import { importCycles } from "./rules/ImportCycles.ts"
import { importGraph } from "./rules/ImportGraph.ts"
import { naming } from "./rules/Naming.ts"
import { sizes } from "./rules/Sizes.ts"
import { unstableEffect } from "./rules/UnstableEffect.ts"
import { unusedExports } from "./rules/UnusedExports.ts"
import type { Workspace } from "./Workspace.ts"

const syntax: Rule = (workspace) =>
  [...workspace.sources.values()].flatMap((file) =>
    file.syntaxErrors.map((message) => ({ path: file.path, line: 0, rule: "syntax", message }))
  )

const rules: ReadonlyArray<Rule> = [
  syntax,
  importGraph,
  importCycles,
  unstableEffect,
  unusedExports,
  dependencies,
  sizes,
  naming,
  droppedEffects,
  comments,
  forbiddenText,
  documents
]

/** All problems, by path and line. */
export const tidy = (workspace: Workspace): ReadonlyArray<Problem> =>
  rules
    .flatMap((rule) => rule(workspace))
    .sort((left, right) => (left.path === right.path ? left.line - right.line : left.path < right.path ? -1 : 1))
