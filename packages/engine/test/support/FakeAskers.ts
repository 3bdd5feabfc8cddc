// Stands in for the askers where only the stage is tested: a third of the records wait until they are told, the others
// have their outcome at once.
import { assert } from "@effect/vitest"
import type { InFlight } from "../../src/lookup/InFlight.ts"
import type { LookupAsker } from "../../src/lookup/LookupState.ts"
import type { Shard } from "../../src/run/Shard.ts"
import { twinOf } from "./RandomJobs.ts"

const give = (entry: InFlight) => {
  const outcome = twinOf(Number(entry.key))
  entry.outcome =
    outcome._tag === "Failed" ? { ...outcome, failed: { ...outcome.failed, record: entry.record } } : outcome
  entry.settled(entry)
}

/** For each lookup of the shard; what is returned gives those that wait their outcome, the last one first. */
export const attachFakeAskers = (shard: Shard): (() => void) => {
  const open: Array<InFlight> = []
  const asker: LookupAsker = {
    nowMs: () => 0,
    left: () => {},
    record: () => undefined as never, // left out of JSON
    status: () => undefined as never, // nobody looks
    take: (entry) => {
      if (entry.id % 3 === 0) open.push(entry)
      else give(entry)
    }
  }
  for (const lookup of shard.context.lookups) lookup.attach(asker, () => assert.fail("nothing was restored"))
  return () => open.splice(0).toReversed().forEach(give)
}

/** Passes on whatever can leave. */
export const passOn = (shard: Shard, nowMs: number): void => {
  for (const lookup of shard.context.lookups.keys()) shard.answer(lookup, Number.POSITIVE_INFINITY, nowMs)
}
