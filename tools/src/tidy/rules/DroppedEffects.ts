/**
 * An Effect is a value: made as a statement and not yielded, it never runs, and nothing else notices.
 */
import type { Rule } from "../Problem.ts"

export const droppedEffects: Rule = (workspace) =>
  [...workspace.sources.values()].flatMap((file) =>
    file.droppedEffects.map((line) => ({
      path: file.path,
      line,
      rule: "dropped-effect",
      message: "this Effect is made and dropped, so it never runs: yield* it, return it or compose it"
    }))
  )
