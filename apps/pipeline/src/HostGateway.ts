/**
 * The gateway beside the jobs: started a moment after them, in the same process, on the same services.
 *
 * Decisions and landings never wait for it and never end with it: when it cannot listen, it says so in one line and the
 * pipeline goes on. Its code is loaded only then, so that the pipeline starts as fast without it.
 */
import type { Job } from "@frazil/engine"
import { flows } from "@frazil/flows"
import { tables } from "@frazil/lakehouse"
import { DeadLetters, Ledger } from "@frazil/model"
import type { DataDirectory } from "@frazil/platform"
import { Effect, Layer } from "effect"

const startAfterMs = 1_000

const declared = {
  jobs: Object.values(flows).flat(),
  landings: tables,
  deadLetterTopic: DeadLetters.name,
  ledgerTopic: Ledger.name
}

export interface HostOptions {
  readonly port: number
  readonly directory: DataDirectory
  /** What the jobs of this process have in memory. */
  readonly live: () => ReadonlyArray<Job.StageStatus>
  readonly say: (line: string) => void
}

/** Serves until it is interrupted; comes back early only when it cannot listen. */
export const hostGateway = Effect.fnUntraced(
  function* ({ directory, live, port, say }: HostOptions) {
    yield* Effect.sleep(startAfterMs)
    const { serveGateway, System } = yield* Effect.promise(() => import("@frazil/gateway"))
    const { Analytics, personalColumns } = yield* Effect.promise(() => import("@frazil/analytics"))
    const services = yield* Layer.build(
      Layer.mergeAll(
        Analytics.layer({ temporaryFolder: directory.temporaryFolder, personal: personalColumns(tables) }),
        Layer.succeed(System, { directory, declared, live })
      )
    )
    const address = yield* Effect.provideContext(serveGateway({ port }), services)
    say(`answers at ${address}`)
    return yield* Effect.never
  },
  Effect.scoped,
  (hosted, { say }) =>
    hosted.pipe(
      Effect.catch(({ message }) => Effect.sync(() => say(`the pipeline runs without a gateway: ${message}`)))
    )
)
