/**
 * The program under test, as `apps/pipeline` wires it: the job and its landings in one process, over the world's services.
 */
import { Storage } from "@frazil/core"
import { CheckpointStore, DeadLetters, Job, Log } from "@frazil/engine"
import { Catalog, DataFileWriter, FileIO, makePointerCatalog, rowFileWriter, runLanding } from "@frazil/lake"
import { Effect, Layer } from "effect"
import { checkpointsRoot } from "./check/LogChecks.ts"
import type { Durable } from "./Durable.ts"
import { noDuckDb } from "./lake/NoDuckDb.ts"
import { faultyPointers } from "./lake/PointerState.ts"
import { faultyStorage } from "./lake/StorageState.ts"
import { connectLog } from "./log/FaultyLog.ts"
import type { Caller, Door } from "./Port.ts"
import type { Rhythm, Scenario } from "./Scenario.ts"
import type { World } from "./World.ts"

/** The services of one process: what they remember dies with it. */
const servicesOf = (world: World, door: Door, caller: Caller, durable: Durable, letters: DeadLetters["Service"]) => {
  const storage = Layer.succeed(Storage, faultyStorage(door, caller, durable.storage))
  const catalog = Layer.effect(
    Catalog,
    Effect.map(FileIO, (fileIO) =>
      makePointerCatalog(faultyPointers(door, caller, durable.pointers, durable.storage), fileIO, "file:///warehouse")
    )
  )
  return Layer.mergeAll(
    catalog.pipe(Layer.provideMerge(FileIO.layer)),
    CheckpointStore.layer(checkpointsRoot),
    Layer.succeed(Log, connectLog(world, door, caller, durable.log)),
    Layer.succeed(DeadLetters, letters),
    noDuckDb
  ).pipe(Layer.provideMerge(storage))
}

/** Runs to the end of the input, or as far as faults let it. */
export const jobProgram = <R>(
  world: World,
  door: Door,
  caller: Caller,
  durable: Durable,
  scenario: Scenario<R>,
  rhythm: Rhythm,
  inputEnded: (topic: string) => boolean
) => {
  const { job, landings } = scenario
  let jobEnded = false
  const written = new Set([...Job.outputs(job), scenario.deadLetters.topic].map(({ name }) => name))
  const inputComplete = (topic: string) => Effect.sync(() => (written.has(topic) ? jobEnded : inputEnded(topic)))
  // its services are provided below
  const running = Job.run(job as Job.Job<string, unknown>, { ...rhythm, bounded: true, inputComplete }).pipe(
    Effect.tap(() => Effect.sync(() => void (jobEnded = true)))
  )
  const landing = landings.map((each) => runLanding(each, { commitEveryMs: rhythm.commitEveryMs, inputComplete }))
  return Effect.all([running, ...landing], { concurrency: "unbounded", discard: true }).pipe(
    Effect.provideService(DataFileWriter, rowFileWriter),
    Effect.provide(servicesOf(world, door, caller, durable, scenario.deadLetters)),
    Effect.provide(scenario.services)
  )
}
