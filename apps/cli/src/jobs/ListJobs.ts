/** `frazil jobs list`: jobs by what they committed, then landings by what their tables say, then sinks by their cursors. */
import {
  catalogLayer,
  existingData,
  hasCatalog,
  landingStatuses,
  logLayer,
  sinkStatuses,
  stageStatuses
} from "@frazil/platform"
import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import { declared } from "../Declared.ts"
import { commonOptions } from "../Options.ts"
import { note, printJson, printLines } from "../Output.ts"
import { landingJson, landingLines, sinkJson, sinkLines, stageJson, stageLines } from "./JobText.ts"

export const listJobs = Command.make(
  "list",
  commonOptions,
  Effect.fnUntraced(function* (given) {
    const directory = yield* existingData(given)
    const withLake = hasCatalog(directory)
    const { landings, sinks, stages } = yield* Effect.gen(function* () {
      const stages = yield* stageStatuses(directory, declared)
      const landings = withLake
        ? yield* landingStatuses(stages, declared).pipe(Effect.provide(catalogLayer(directory)))
        : []
      return { landings, sinks: yield* sinkStatuses(directory), stages }
    }).pipe(Effect.provide(logLayer(directory)))
    if (given.json) {
      return yield* printJson({
        jobs: stages.map(stageJson),
        landings: landings.map(landingJson),
        sinks: sinks.map(sinkJson)
      })
    }
    const now = yield* Clock.currentTimeMillis
    yield* printLines(stageLines(stages, now))
    if (withLake) yield* printLines(["", ...landingLines(landings, now)])
    else yield* note("there is no catalog yet: nothing has landed")
    if (sinks.length > 0) yield* printLines(["", ...sinkLines(sinks)])
  })
).pipe(
  Command.withDescription(
    "Lists jobs, landings and sinks: whether they run, how far they came, how far they are behind"
  )
)
