/** Checks of the log and of the jobs that commit to it. */
import { Log } from "@frazil/engine"
import { Effect } from "effect"
import type { DataDirectory } from "../DataDirectory.ts"
import { type Declared, type StageStatus, stageStatuses } from "../status/SystemStatus.ts"
import * as Units from "../Units.ts"
import { healthy, ill, type Part } from "./Part.ts"

const oneRecord = { recordsMax: 1, bytesMax: 1 }

/** Reads the first and the last record of each partition. */
export const checkLog: Effect.Effect<Part, never, Log> = Effect.gen(function* () {
  const log = yield* Log
  const topics = yield* log.topics
  let records = 0
  for (const topic of topics) {
    for (const { end, partition, start } of yield* log.bounds(topic.name)) {
      records += end - start
      for (const offset of end > start ? [start, end - 1] : []) {
        yield* log.read(topic.name, partition, offset, oneRecord)
      }
    }
  }
  return healthy("log", `${Units.plural(records, "record")} in ${Units.plural(topics.length, "topic")}`)
}).pipe(Effect.catch((error) => Effect.succeed(ill("log", error.message))))

const stagePart = (stage: StageStatus, lagMax: number): Part => {
  const name = `job ${stage.job}`
  const detail = `${stage.state}, ${Units.count(stage.lag)} behind in ${stage.topic}`
  if (stage.state === "never ran") return healthy(name, "never ran here")
  if (stage.problem !== undefined) return ill(name, stage.problem)
  if (stage.state === "stopped") return ill(name, `${detail}: start the pipeline again`)
  if (stage.lag > lagMax) return ill(name, `${detail}, more than ${Units.count(lagMax)}: it does not keep up`)
  return healthy(name, detail)
}

/** A part for each stage of each job, and where they stand for further checks. */
export const checkJobs = Effect.fnUntraced(function* (
  directory: DataDirectory,
  declared: Declared,
  lagMax: number
): Effect.fn.Return<{ readonly parts: ReadonlyArray<Part>; readonly stages: ReadonlyArray<StageStatus> }, never, Log> {
  return yield* stageStatuses(directory, declared).pipe(
    Effect.map((stages) => ({ stages, parts: stages.map((stage) => stagePart(stage, lagMax)) })),
    Effect.catch((error) => Effect.succeed({ stages: [], parts: [ill("jobs", error.message)] }))
  )
})
