/** `frazil jobs list`: jobs by what they committed, then landings by what their tables say. */
import { existsSync } from "node:fs"
import { catalogLayer, existingData, landingStatuses, logLayer, stageStatuses } from "@frazil/platform"
import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { declared } from "../Declared.ts"
import { commonOptions } from "../Options.ts"
import { note, printJson, printLines } from "../Output.ts"
import { landingJson, landingLines, stageJson, stageLines } from "./JobText.ts"

export const listJobs = Command.make(
  "list",
  commonOptions,
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingData(given)
    const hasCatalog = existsSync(directory.catalogFile)
    const { landings, stages } = yield* Effect.gen(function* () {
      const stages = yield* stageStatuses(directory, declared)
      const landings = hasCatalog
        ? yield* landingStatuses(stages, declared).pipe(Effect.provide(catalogLayer(directory)))
        : []
      return { landings, stages }
    }).pipe(Effect.provide(logLayer(directory)))
    if (given.json) return yield* printJson({ jobs: stages.map(stageJson), landings: landings.map(landingJson) })
    const now = yield* Clock.currentTimeMillis
    yield* printLines(stageLines(stages, now))
    if (hasCatalog) yield* printLines(["", ...landingLines(landings, now)])
    else yield* note("there is no catalog yet: nothing has landed")
  })
).pipe(Command.withDescription("Lists jobs and landings: whether they run, how far they came, how far they are behind"))
