/**
 * Snapshots of state on S3: a job that crashes around them, and again while it restores, goes on from what the store has, with
 * nothing of them on local disk.
 */
import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { FaultPointName } from "@frazil/core"
import { CheckpointStore } from "@frazil/engine"
import { checkpointLayer, dataDirectory } from "@frazil/platform"
import { expectRawTransactions, makeCorpus } from "@frazil/sim"
import { s3Keys, s3Server } from "@frazil/sim/servers"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { crashTwice, expectedTotals, type KeyedPlace, landedTotals, runParts } from "./support/KeyedRun.ts"
import { makePlace } from "./support/PipelineRun.ts"

const at = (endpoint: string) =>
  Effect.provideService(
    ConfigProvider.ConfigProvider,
    ConfigProvider.fromUnknown({
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: s3Keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3Keys.secretAccessKey,
      AWS_REGION: s3Keys.region
    })
  )

const directoryOf = ({ checkpoints, data }: KeyedPlace) =>
  dataDirectory(data, undefined, undefined, undefined, checkpoints)

/** Names of what the store has. */
const stored = (place: KeyedPlace) =>
  CheckpointStore.use((store) => store.list("")).pipe(
    Effect.map((files) => files.map(({ name }) => name)),
    Effect.provide(checkpointLayer(directoryOf(place)))
  )

const crossings: ReadonlyArray<readonly [FaultPointName, number]> = [
  ["after-snapshot", 4],
  ["snapshot-delete", 1]
]

describe("snapshots on S3", () => {
  it.live("are what a job that crashed goes on from, and the only ones", () =>
    Effect.gen(function* () {
      const bytes = makeCorpus({ seed: 12, lines: 2500, longLineBytes: [] })
      const expected = expectedTotals(expectRawTransactions(bytes))
      const store = yield* s3Server(9955, "lake")
      const runs = Effect.forEach(crossings, ([name, nth]) =>
        Effect.gen(function* () {
          const place = { ...(yield* makePlace(bytes)), checkpoints: `s3://lake/${name}` }
          yield* crashTwice(place, name, nth)
          assert.isAbove((yield* stored(place)).length, 0, name)
          // a machine that takes the job over has no copies
          rmSync(join(place.data, "cache"), { recursive: true, force: true })
          yield* runParts(place)
          assert.deepStrictEqual(yield* landedTotals(place), expected, name)
          assert.isFalse(existsSync(join(place.data, "checkpoints")))
        })
      )
      yield* at(store.url)(runs)
    })
  )
})
