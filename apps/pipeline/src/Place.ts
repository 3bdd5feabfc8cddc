/** The place of this pipeline among others: on a Kafka log in the group of its instances, in a data directory by locks. */
import { holdJobLock } from "@frazil/connect"
import { type DataDirectory, openInstanceGroup } from "@frazil/platform"
import { Effect, Schedule } from "effect"
import { OptionError, type PipelineOptions } from "./Options.ts"
import type { Screen } from "./Screen.ts"

/**
 * The place among the pipelines that share the work of a log on Kafka. A run that ends by itself does all of it alone: it must
 * know when everything has gone through. One that has just ended keeps its place for some seconds, so that it may come back: that
 * is waited for.
 */
export const takePlace = Effect.fnUntraced(function* (
  options: PipelineOptions,
  directory: DataDirectory,
  screen: Screen
) {
  let sharing = false
  const onShare = (mine: number, offered: number) => {
    // the only one has all, as everybody expects
    if (sharing || mine < offered) screen.say(`has ${mine} of ${offered} parts of the work`)
    sharing = mine < offered
  }
  const group = yield* openInstanceGroup(directory, { name: options.instance, onShare })
  if (group === undefined || !options.bounded) return group
  const others = yield* group.working
  if (others.length === 0) return undefined
  return yield* new OptionError({
    message: `${others.join(", ")} at work on this log: a run that ends by itself needs it for itself. Stop them, or let them take what is in the topics (bun run apps/generator, frazil topics write)`
  })
})

const lockAgainMs = 1_000

/** Where instances share the work one holds the lock, and another when that one ends. */
export const holdLock = Effect.fnUntraced(function* (job: string, directory: DataDirectory, shared: boolean) {
  const hold = holdJobLock({ job, dataDirectory: directory.root })
  if (!shared) return yield* hold
  yield* Effect.forkScoped(
    Effect.retry(hold, {
      while: (error) => error._tag === "JobAlreadyRunning",
      schedule: Schedule.spaced(lockAgainMs)
    })
  )
})
