/**
 * `frazil health`: every part is asked; exit code 1 and the ill ones named when one is ill.
 */
import { examine, Flags, healthBoundsDefault, locate, partsJson } from "@frazil/platform"
import { Config, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { CommandError } from "../CommandError.ts"
import { declared } from "../Declared.ts"
import { commonOptions } from "../Options.ts"
import { printJson, printLines } from "../Output.ts"
import { illness, partLines } from "./PartText.ts"

const options = {
  lagMax: Flag.Int("lag-max").pipe(
    Flag.withDescription("A job further behind than so many records is ill"),
    Flag.withMetavar("N"),
    Flag.withFallbackConfig(Config.Int("FRAZIL_LAG_MAX")),
    Flag.withDefault(healthBoundsDefault.lagMax)
  ),
  commitAgeMax: Flags.duration("commit-age-max", "FRAZIL_COMMIT_AGE_MAX").pipe(
    Flag.withDescription("A table is ill when a record has waited longer for its commit (default 15m)")
  ),
  diskFreeMin: Flag.Int("disk-free-min").pipe(
    Flag.withDescription("Megabytes that must be free on the data directory's disk"),
    Flag.withMetavar("MB"),
    Flag.withFallbackConfig(Config.Int("FRAZIL_DISK_FREE_MIN")),
    Flag.withDefault(healthBoundsDefault.diskFreeBytesMin / (1024 * 1024))
  ),
  ...commonOptions
}

export const healthCommand = Command.make(
  "health",
  options,
  Effect.fnUntraced(function* (given) {
    const parts = yield* examine(locate(given), declared, {
      lagMax: given.lagMax,
      commitAgeMsMax: Option.getOrElse(given.commitAgeMax, () => healthBoundsDefault.commitAgeMsMax),
      diskFreeBytesMin: given.diskFreeMin * 1024 * 1024
    })
    yield* given.json ? printJson(partsJson(parts)) : printLines(partLines(parts))
    const message = illness(parts)
    if (message !== undefined) return yield* new CommandError({ message })
  })
).pipe(
  Command.withDescription(
    "Checks every part: log, jobs, lag, catalog, tables, checkpoints, disk; exit code 1 when one is ill"
  )
)
