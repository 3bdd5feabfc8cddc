/** `frazil rules`: the documents that decide, checked, tried and measured without a running system. */
import { Command } from "effect/cli"
import { checkRules } from "./CheckRules.ts"
import { listRules } from "./ListRules.ts"
import { measureRules } from "./MeasureRules.ts"
import { testRules } from "./TestRules.ts"

export const rulesCommand = Command.make("rules").pipe(
  Command.withDescription("Lists, checks, tries and measures the rules that judge records"),
  Command.withSubcommands([listRules, checkRules, testRules, measureRules])
)
