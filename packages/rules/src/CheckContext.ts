/** What the parts of a check share: where problems go, and conditions. `Check.ts` and `CheckWindow.ts` use it. */
import { checkExpr, expr, type RecordShape } from "@frazil/core"
import { Result } from "effect"
import type { CheckedCondition } from "./CheckedRule.ts"
import type { ReadRule } from "./Document.ts"
import type { Path } from "./Yaml.ts"

export interface CheckContext {
  readonly read: ReadRule
  /** Notes a problem at a path, or inside the text there; undefined, so that a check can end with it. */
  readonly refuse: (path: Path, message: string, offset?: number) => undefined
}

/** The condition in the text at a path; undefined when it is none, which has been noted. */
export const checkCondition = (
  { refuse }: CheckContext,
  path: Path,
  source: string,
  shape: RecordShape
): CheckedCondition | undefined => {
  const checked = checkExpr(expr(source), shape, { rules: true })
  if (Result.isFailure(checked)) {
    for (const { excerpt, message, start } of checked.failure) refuse(path, `${message}\n${excerpt}`, start)
    return undefined
  }
  return checked.success.result === "boolean" ? checked.success : refuse(path, "a condition must be true or false")
}
