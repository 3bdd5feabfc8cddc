/** The bank's jobs in a process of their own, until everything has gone through: `bun BankProcess.ts FOLDER`. */
import { EmbeddedLog } from "@frazil/connect"
import { layerLocal } from "@frazil/core"
import { CheckpointStore, DeadLetters as DeadLetterContract, Job, Ledger as LedgerContract } from "@frazil/engine"
import { DeadLetters, Ledger, makeDeadLetter, makeLedgerEntry } from "@frazil/model"
import { Effect, Layer } from "effect"
import { bankJobs, Movements } from "./BankJobs.ts"

const folder = process.argv[2]
if (folder === undefined) throw new Error("usage: bun BankProcess.ts FOLDER")

const services = Layer.mergeAll(
  EmbeddedLog.layer({ file: `${folder}/log.db` }),
  CheckpointStore.layer(`file://${folder}/checkpoints/`).pipe(Layer.provide(layerLocal(folder))),
  Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
  Layer.succeed(LedgerContract, { topic: Ledger, make: makeLedgerEntry })
)

const [postings, ...others] = bankJobs
let posted = false
const options = {
  bounded: true,
  checkpointEveryMs: 2_000,
  inputComplete: (topic: string) => Effect.sync(() => topic !== Movements.name || posted)
}
const all = [
  Effect.tap(Job.run(postings, options), () => Effect.sync(() => (posted = true))),
  ...others.map((job) => Job.run(job, options))
]
await Effect.runPromise(Effect.provide(Effect.all(all, { concurrency: "unbounded", discard: true }), services))
