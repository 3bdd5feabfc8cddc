/** What jobs of benchmarks need beside a log: checkpoints in memory, the model's dead letters and ledger. */
import { layerMemory } from "@frazil/core"
import { CheckpointStore, DeadLetters as DeadLetterContract, Ledger as LedgerContract } from "@frazil/engine"
import { DeadLetters, Ledger, makeDeadLetter, makeLedgerEntry } from "@frazil/model"
import { Layer } from "effect"

export const jobServices = Layer.mergeAll(
  CheckpointStore.layer("file:///checkpoints/").pipe(Layer.provide(layerMemory)),
  Layer.succeed(DeadLetterContract, { topic: DeadLetters, make: makeDeadLetter }),
  Layer.succeed(LedgerContract, { topic: Ledger, make: makeLedgerEntry })
)
