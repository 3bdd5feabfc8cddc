/** Options that verbs of `frazil rules` share: they need rules, not a data directory. */
import { rulesDirectory } from "@frazil/lakehouse"
import { Flags } from "@frazil/platform"
import { Config } from "effect"
import { Argument, Flag } from "effect/cli"

export const printOptions = { json: Flags.json, verbose: Flags.verbose }

export const rulesFlag = Flag.String("rules").pipe(
  Flag.withDescription("The rules: a directory of YAML documents, or one of them"),
  Flag.withMetavar("DIR"),
  Flag.withFallbackConfig(Config.String("FRAZIL_RULES")),
  Flag.withDefault(rulesDirectory)
)

export const rulesArgument = Argument.String("FILE").pipe(
  Argument.withDescription("A rule document, or a directory of them")
)

export const eventsFlag = Flag.String("events").pipe(
  Flag.withDescription("Records of the rules' topic, a JSON object a line"),
  Flag.withMetavar("FILE.ndjson")
)
