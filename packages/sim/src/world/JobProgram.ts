/**
 * The program under test, as `apps/pipeline` wires it: the job and its landings in one process, over the world's services.
 *
 * Apart, the job and the landings have a connection each that knows nothing of the other's commits: so do the threads of a
 * process on Kafka.
 */
import { CheckpointStore, DeadLetters, Job, Ledger, Log } from "@frazil/engine"
import { DataFileWriter, rowFileWriter, runLanding } from "@frazil/lake"
import { Effect, Layer } from "effect"
import { checkpointsRoot } from "./check/LogChecks.ts"
import type { Durable } from "./Durable.ts"
import { lakeServices } from "./lake/LakeServices.ts"
import { connectLog } from "./log/FaultyLog.ts"
import { remembering } from "./log/Remembering.ts"
import type { Caller, Door } from "./Port.ts"
import type { Rhythm, Scenario } from "./Scenario.ts"
import type { World } from "./World.ts"

/** Runs to the end of the input, or as far as faults let it. */
export const jobProgram = <R>(
  world: World,
  door: Door,
  caller: Caller,
  durable: Durable,
  scenario: Scenario<R>,
  rhythm: Rhythm,
  inputEnded: (topic: string) => boolean,
  apart: boolean
) => {
  const { deadLetters, job, landings, ledger } = scenario
  let jobEnded = false
  const written = new Set([...Job.outputs(job), deadLetters.topic, ledger.topic].map(({ name }) => name))
  const inputComplete = (topic: string) => Effect.sync(() => (written.has(topic) ? jobEnded : inputEnded(topic)))
  // its services are provided below
  const running = Job.run(job as Job.Job<string, unknown>, { ...rhythm, bounded: true, inputComplete }).pipe(
    Effect.tap(() => Effect.sync(() => void (jobEnded = true)))
  )
  const connect = () => {
    const log = connectLog(world, door, caller, durable.log)
    return apart ? remembering(log, () => world.nowMs) : log
  }
  const log = connect()
  const ofLandings = apart ? connect() : log
  const landing = landings.map((each) =>
    runLanding(each, { commitEveryMs: rhythm.commitEveryMs, inputComplete }).pipe(
      Effect.provideService(Log, ofLandings)
    )
  )
  const services = Layer.mergeAll(
    CheckpointStore.layer(checkpointsRoot),
    Layer.succeed(Log, log),
    Layer.succeed(DeadLetters, deadLetters),
    Layer.succeed(Ledger, ledger)
  ).pipe(Layer.provideMerge(lakeServices(door, caller, durable)))
  return Effect.all([running, ...landing], { concurrency: "unbounded", discard: true }).pipe(
    Effect.provideService(DataFileWriter, rowFileWriter),
    Effect.provide(services),
    Effect.provide(scenario.services)
  )
}
