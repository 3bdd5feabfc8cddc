/** Runs the command in this process, with its standard streams in memory; and a data directory with tables in it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeRecordBuilder } from "@frazil/core"
import { Log } from "@frazil/engine"
import { runLanding } from "@frazil/lake"
import { tables } from "@frazil/lakehouse"
import { RawTransactions } from "@frazil/model"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { Cause, Effect, Exit, Layer, Sink, Stdio } from "effect"
import { Command } from "effect/cli"
import { maintenanceCommand } from "../src/MaintenanceCommand.ts"

export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-maintenance-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

export const services = (data: string) => systemLayer(dataDirectory(data))

const collector = (chunks: Array<Uint8Array>) =>
  Sink.forEach((chunk: string | Uint8Array) => Effect.sync(() => void chunks.push(Buffer.from(chunk))))

const run = Command.runWith(maintenanceCommand, { version: "test", renderErrors: false })

export const maintenance = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const stdout: Array<Uint8Array> = []
  const stderr: Array<Uint8Array> = []
  const streams = Stdio.layerTest({ stdout: () => collector(stdout), stderr: () => collector(stderr) })
  const exit = yield* Effect.exit(
    Effect.provide(run(args), Layer.provideMerge(streams, NodeServices.layer), { local: true })
  )
  const error = Exit.isSuccess(exit) ? undefined : Cause.squash(exit.cause)
  return {
    error: error instanceof Error ? error.message : undefined,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString()
  }
})

const transaction = (i: number): string =>
  JSON.stringify({
    transaction_id: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
    account_id: `ACC${i}`,
    amount: 12.5,
    currency: "EUR",
    type: "purchase",
    merchant_id: "M1",
    merchant_category: "grocery",
    country: "DE",
    city: "Berlin",
    lat: 52.5,
    lon: 13.4,
    channel: "pos",
    device_id: "D1",
    ip: "10.0.0.1",
    event_timestamp: "2026-01-14T12:00:00.000Z"
  })

export const tableOf = (name: string) => {
  const found = tables.find(({ table }) => table === name)
  if (found === undefined) throw new Error(`no topic lands in ${name}`)
  return found
}

/** Lands all there is for a table. */
export const land = (name: string) =>
  runLanding(tableOf(name), { commitEveryMs: 1, inputComplete: () => Effect.succeed(true) })

/** A data directory whose `transactions.raw` has so many files, each landed by itself. */
export const fillData = Effect.fnUntraced(function* (data: string, files: number) {
  yield* Effect.gen(function* () {
    const log = yield* Log
    const { name: topic, partitions } = RawTransactions
    yield* log.ensureTopic({ name: topic, partitions })
    for (let i = 0; i < files; i++) {
      const builder = makeRecordBuilder()
      builder.addText(transaction(i), `ACC${i}`)
      const producer = yield* Effect.scoped(log.producer("test"))
      yield* producer.append(producer.nextSequence, [{ topic, partition: 0, records: builder.take() }])
      yield* land("transactions.raw")
    }
  }).pipe(Effect.provide(services(data)))
})
