/**
 * Rules that belong together: documents read, checked and ready, or one report of everything that is wrong with them.
 *
 * `LoadRules.ts` brings the texts; tests and commands bring their own.
 */
import { Result } from "effect"
import { checkRule } from "./Check.ts"
import type { CheckedRule, RuleTopic } from "./CheckedRule.ts"
import { type ReadRule, readRule } from "./Document.ts"
import type { RuleProblem } from "./Problem.ts"
import { runTests } from "./RunTests.ts"

export interface RuleText {
  /** As problems name it. */
  readonly file: string
  readonly text: string
}

/** Rules that were found sound, in the order of their files. */
export interface RuleSet {
  readonly rules: ReadonlyArray<CheckedRule>
  /** What they were read from: another thread makes the same set of it. */
  readonly texts: ReadonlyArray<RuleText>
}

export const noRules: RuleSet = { rules: [], texts: [] }

const rulesMax = 2_000

/** Reads and checks documents for rules about `topics`; `tests` also runs the tests inside. Fails with every problem. */
export const makeRuleSet = (
  texts: ReadonlyArray<RuleText>,
  topics: ReadonlyArray<RuleTopic>,
  options?: { readonly tests?: boolean }
): Result.Result<RuleSet, ReadonlyArray<RuleProblem>> => {
  const problems: Array<RuleProblem> = []
  const rules: Array<CheckedRule> = []
  const firstWith = new Map<string, string>()
  const check = (read: ReadRule) => {
    const { file, document, placeOf } = read
    const other = firstWith.get(document.id)
    if (other !== undefined) problems.push({ file, ...placeOf(["id"]), message: `id: ${other} has the same id` })
    else firstWith.set(document.id, file)
    const checked = checkRule(read, topics)
    if (Result.isFailure(checked)) return void problems.push(...checked.failure)
    rules.push(checked.success)
    if (options?.tests === true) problems.push(...runTests(checked.success, read))
  }
  for (const { file, text } of texts.slice(0, rulesMax)) {
    const read = readRule(file, text)
    if (Result.isFailure(read)) problems.push(...read.failure)
    else check(read.success)
  }
  if (texts.length > rulesMax) {
    problems.push({ file: texts[rulesMax]!.file, line: 1, column: 1, message: `a set has at most ${rulesMax} rules` })
  }
  return problems.length > 0 ? Result.fail(problems) : Result.succeed({ rules, texts })
}
